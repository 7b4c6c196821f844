"""Who opens a laptop: people come, go, and change their passwords, and it follows at its next sync."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.person import Person
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, Pair

FIRST, SECOND, THIRD = "seven grey herons", "a horse of another colour", "tea before the rain"


class Team:
    """The people of the laptop's team, as the administrator and they themselves act."""

    def __init__(self, pair: Pair, somebody: Open) -> None:
        self.pair, self._open = pair, somebody
        self.ids = {one["login"]: one["id"] for one in self._listed()}
        self.inside: list[Person] = []

    def _listed(self) -> list[dict[str, str]]:
        listed: list[dict[str, str]] = self.pair.centre.command("central", "user", "list")["users"]
        return listed

    def add(self, login: str, password: str) -> None:
        team = next(one["team"] for one in self._listed() if one["login"] == LEADER)
        who = ("--login", login, "--name", login, "--role", "leader", "--team", team, "--password-stdin")
        self.ids[login] = self.pair.centre.command("central", "user", "add", *who, stdin=password)["user"]

    def restart(self) -> None:
        """The laptop is switched off and on: it is locked again, and every browser there is closed."""
        while self.inside:
            self.inside.pop().page.goto("about:blank")
        self.pair.field.stop()
        self.pair.field.start()

    def enters(self, login: str, password: str) -> Person:
        person = self._open()
        self.inside.append(person)
        person.sign_in(self.pair.field, password, login)
        person.page.wait_for_url(f"{self.pair.field.url}/")
        return person

    def stays_outside(self, login: str, password: str) -> None:
        person = self._open()
        person.sign_in(self.pair.field, password, login)
        expect(person.page.get_by_role("alert")).to_contain_text("登录名或密码不对")
        assert "/sign-in" in person.page.url


@pytest.fixture
def team(pair: Pair, somebody: Open) -> Team:
    return Team(pair, somebody)


def sync(person: Person) -> None:
    person.go(person.pair.field, "/sync")
    person.page.get_by_role("button", name="现在同步").click()
    person.page.wait_for_load_state()


def change(person: Person, old: str, new: str) -> None:
    person.go(person.pair.field, "/password")
    person.page.fill("[name=old_password]", old)
    person.page.fill("[name=password]", new)
    person.page.fill("[name=again]", new)
    person.page.get_by_role("main").get_by_role("button", name="改密码").click()


def test_who_opens_the_laptop_is_who_the_centre_says(team: Team) -> None:
    """Somebody who never typed a password there opens it first; who left does not; and passwords follow."""
    centre = team.pair.centre
    luo = team.enters(LEADER, PASSWORD)
    team.add("su", FIRST)
    sync(luo)
    team.restart()
    su = team.enters("su", FIRST)

    centre.command("central", "user", "update", "--user", team.ids[LEADER], "--active", "no")
    centre.command("central", "user", "password", "--user", team.ids["su"], "--password-stdin", stdin=SECOND)
    sync(su)
    assert "/sign-in" in su.page.url, "with the password the session went"
    team.restart()
    team.stays_outside(LEADER, PASSWORD)
    team.stays_outside("su", FIRST)
    su = team.enters("su", SECOND)

    change(su, "not this one", THIRD)
    expect(su.page.get_by_role("alert")).to_contain_text("现在的密码填得不对")
    change(su, SECOND, THIRD)
    expect(su.page.get_by_role("main")).to_contain_text("密码改好了")

    su.go(team.pair.field, "/sync")
    su.page.get_by_role("button", name="拔掉网线").click()
    change(su, THIRD, FIRST)
    expect(su.page.get_by_role("main")).to_contain_text("改密码要连上中心服务器,现在连不上。密码没有变")
    for field in ("old_password", "password", "again"):
        assert su.page.input_value(f"[name={field}]") == ""
    team.restart()
    team.stays_outside("su", SECOND)
    team.stays_outside("su", FIRST)
    team.enters("su", THIRD)
