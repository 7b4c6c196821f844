"""Changing teams and people: who may sign in afterwards, who may not, and that somebody is always left to manage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from aidvisit.domain.rights import Scope
from aidvisit.errors import Problem
from aidvisit.services import account, passwords, people
from aidvisit.store.database import reading
from aidvisit.store.doors import FREE_TRIES
from aidvisit.store.queries import account as queries
from aidvisit.store.queries.account import TeamRow, UserRow
from aidvisit.store.queries.edit import view
from sync import log
from sync.op import uuid7
from tests.support.homes import PASSWORD, TOWN, Centre, centre
from tests.support.pages import cheap_passwords

NEW = "a horse of another colour"
COUNTY = TOWN[:6]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    cheap_passwords(monkeypatch)
    with centre(tmp_path) as made:
        yield made


@pytest.fixture
def head(home: Centre) -> tuple[str, str]:
    """The head of the programme and its one administrator: (team, user)."""
    team = account.add_team(actor=home.device, name="总队", level=1)
    return team, add(home, "deng", "admin", team)


def add(home: Centre, login: str, role: str, team: str) -> str:
    return account.add_user(actor=home.device, login=login, name=login, role=role, team=team, password=PASSWORD)


def user_of(identity: str) -> UserRow:
    with reading() as conn:
        found = queries.user(conn, identity)
    assert found is not None
    return found


def team_of(identity: str) -> TeamRow:
    with reading() as conn:
        found = queries.team(conn, identity)
    assert found is not None
    return found


def key_of(identity: str) -> dict[str, Any]:
    with reading() as conn:
        held = view(conn, "user", identity)
    assert held is not None
    key: dict[str, Any] = held.fields.body["key"]
    return key


def said(stream: str) -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as conn:
        return [(entry.op.kind, entry.op.actor, entry.op.body) for entry in log.iterate(conn, stream)]


# --- people -----------------------------------------------------------------------------------------------------


def test_a_change_is_an_edit_that_names_the_ops_in_view(home: Centre) -> None:
    people.update_user(actor=home.device, user=home.user, name="罗春和", role="office", phone=" 13800000000 ")
    people.update_user(actor=home.device, user=home.user, role="leader")
    _, (_, _, first), (_, _, second) = said(f"team-{home.team}")
    assert first["set"] == {"role": "office", "phone": "13800000000"}, "the name is as it was"
    with reading() as conn:
        defined, edited, _ = (entry.name for entry in log.iterate(conn, f"team-{home.team}"))
    assert first["base"] == {"role": [defined]}, "nobody gave a phone before"
    assert second == {"set": {"role": "leader"}, "base": {"role": [edited]}}


def test_what_changes_nothing_is_not_recorded(home: Centre) -> None:
    people.update_user(actor=home.device, user=home.user, role="leader", active=True, phone="")
    assert len(said(f"team-{home.team}")) == 1


def test_who_is_deactivated_cannot_sign_in_until_activated_again(home: Centre) -> None:
    people.update_user(actor=home.device, user=home.user, active=False)
    with pytest.raises(Problem, match="wrong-password"):
        account.verify_password("luo", PASSWORD)
    people.update_user(actor=home.device, user=home.user, active=True)
    assert account.verify_password("luo", PASSWORD).id == home.user


def test_who_goes_to_another_team_is_deactivated_there_and_added_here(home: Centre) -> None:
    """The stream of a person is the team's; the login goes along."""
    other = account.add_team(actor=home.device, name="慰问二队")
    people.update_user(actor=home.device, user=home.user, active=False)
    moved = add(home, "luo", "leader", other)
    assert account.verify_password("luo", PASSWORD).id == moved
    with pytest.raises(Problem, match="login-taken"):
        people.update_user(actor=home.device, user=home.user, active=True)


def test_who_decides_by_an_old_page_is_told(home: Centre) -> None:
    seen = people.in_view("user", home.user, "name", "role")
    people.update_user(actor=home.device, user=home.user, role="office")
    with pytest.raises(Problem, match="changed-meanwhile"):
        people.update_user(actor=home.device, user=home.user, name="罗", role="leader", seen=seen)
    people.update_user(actor=home.device, user=home.user, name="罗", seen=people.in_view("user", home.user, "name"))
    assert (user_of(home.user).name, user_of(home.user).role) == ("罗", "office")


def test_a_password_changed_meanwhile_is_no_other_edit(home: Centre) -> None:
    seen = people.in_view("user", home.user, "name")
    people.set_password(actor=home.device, user=home.user, password=NEW)
    people.update_user(actor=home.device, user=home.user, name="罗", seen=seen)
    assert user_of(home.user).name == "罗"


def test_a_change_that_does_not_fit_is_refused(home: Centre) -> None:
    with pytest.raises(Problem, match="invalid-body"):
        people.update_user(actor=home.device, user=home.user, role="king")
    with pytest.raises(Problem, match="unknown-user"):
        people.update_user(actor=home.device, user=uuid7(), role="leader")


# --- nobody is locked out -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"active": False}, {"role": "office"}])
def test_the_last_administrator_of_everything_stays(
    home: Centre, head: tuple[str, str], change: dict[str, Any]
) -> None:
    add(home, "part", "admin", home.team)  # administers one team, which is not enough
    with pytest.raises(Problem, match="last-admin"):
        people.update_user(actor=head[1], user=head[1], **change)
    assert user_of(head[1]).active
    assert user_of(head[1]).role == "admin"
    add(home, "second", "admin", head[0])
    people.update_user(actor=head[1], user=head[1], **change)


def test_the_last_administrators_team_stays_the_head(home: Centre, head: tuple[str, str]) -> None:
    for change in ({"divisions": [COUNTY]}, {"level": 2}, {"parent": home.team}):
        with pytest.raises(Problem, match="last-admin"):
            people.update_team(actor=head[1], team=head[0], **change)  # type: ignore[arg-type]
    people.update_team(actor=head[1], team=head[0], name="省总队")
    assert team_of(head[0]).name == "省总队"


# --- teams --------------------------------------------------------------------------------------------------------


def test_a_team_changes(home: Centre, head: tuple[str, str]) -> None:
    people.update_team(actor=home.device, team=home.team, name="慰问甲队", parent=head[0], level=2, divisions=[COUNTY])
    found = team_of(home.team)
    assert (found.name, found.parent, found.level, found.divisions) == ("慰问甲队", head[0], 2, [COUNTY])
    people.update_team(actor=home.device, team=home.team, parent="", divisions=[])
    assert (team_of(home.team).parent, team_of(home.team).divisions) == (None, [])


def test_no_team_stands_below_itself(home: Centre) -> None:
    below = account.add_team(actor=home.device, name="分队", parent=home.team)
    for parent in (home.team, below):
        with pytest.raises(Problem, match="team-circle"):
            people.update_team(actor=home.device, team=home.team, parent=parent)
    with pytest.raises(Problem, match="unknown-team"):
        people.update_team(actor=home.device, team=home.team, parent=uuid7())


# --- an administrator of a part -----------------------------------------------------------------------------------


def test_who_administers_a_part_reaches_no_further(home: Centre, head: tuple[str, str]) -> None:
    scope = Scope((TOWN,), frozenset({home.team}))
    mine = {"actor": add(home, "part", "admin", home.team), "scope": scope}
    with pytest.raises(Problem, match="unknown-user"):
        people.update_user(user=head[1], name="别人", **mine)  # type: ignore[arg-type]
    with pytest.raises(Problem, match="unknown-user"):
        people.set_password(user=head[1], password=NEW, **mine)  # type: ignore[arg-type]
    with pytest.raises(Problem, match="unknown-team"):
        people.update_team(team=head[0], name="别人", **mine)  # type: ignore[arg-type]
    with pytest.raises(Problem, match="unknown-team"):
        account.add_user(login="new", name="新", role="leader", team=head[0], password=PASSWORD, **mine)  # type: ignore[arg-type]
    people.update_user(user=home.user, name="罗队长", **mine)  # type: ignore[arg-type]
    assert account.add_user(login="new", name="新", role="leader", team=home.team, password=PASSWORD, **mine)  # type: ignore[arg-type]


def test_who_administers_a_part_gives_no_wider_place(home: Centre, head: tuple[str, str]) -> None:
    actor = add(home, "part", "admin", home.team)
    mine: dict[str, Any] = {"actor": actor, "scope": Scope((TOWN,), frozenset({home.team}))}
    for wide in ({"parent": None}, {"parent": home.team, "divisions": [COUNTY]}, {"level": 1}):
        with pytest.raises(Problem, match="scope-too-wide"):
            account.add_team(name="大队", **wide, **mine)
    with pytest.raises(Problem, match="unknown-team"):
        account.add_team(name="别处", parent=head[0], **mine)
    with pytest.raises(Problem, match="scope-too-wide"):
        people.update_team(team=home.team, divisions=[TOWN, COUNTY], **mine)
    with pytest.raises(Problem, match="scope-too-wide"):
        people.update_team(team=home.team, level=1, divisions=[], **mine)
    with pytest.raises(Problem, match="unknown-team"):
        people.update_team(team=home.team, parent=head[0], **mine)
    account.add_team(name="分队", parent=home.team, divisions=[TOWN + "207"], **mine)
    people.update_team(team=home.team, name="慰问甲队", divisions=[], **mine)


# --- passwords ----------------------------------------------------------------------------------------------------


def test_a_new_password_by_an_administrator_brings_a_new_key(home: Centre) -> None:
    before = key_of(home.user)
    people.set_password(actor=home.device, user=home.user, password=NEW)
    assert account.verify_password("luo", NEW).id == home.user
    with pytest.raises(Problem, match="wrong-password"):
        account.verify_password("luo", PASSWORD)
    after = key_of(home.user)
    assert after["public"] != before["public"]
    assert passwords.unwrap_key(after, NEW)
    assert said("office")[-1] == ("access.recorded", home.device, {"what": "password-reset", "detail": home.user})


def test_ones_own_password_keeps_the_key(home: Centre) -> None:
    private = passwords.unwrap_key(key_of(home.user), PASSWORD)
    changed = people.change_password("luo", PASSWORD, NEW)
    assert changed == user_of(home.user) == account.verify_password("luo", NEW)
    after = key_of(home.user)
    assert passwords.unwrap_key(after, NEW) == private
    with pytest.raises(InvalidTag):
        passwords.unwrap_key(after, PASSWORD)
    assert said("office")[-1] == ("access.recorded", home.user, {"what": "password-change", "detail": home.user})
    kind, actor, body = said(f"team-{home.team}")[-1]
    assert (kind, actor, sorted(body["set"])) == ("user.updated", home.user, ["key", "password_hash"])
    assert sorted(body["base"]) == ["key", "password_hash"]


def test_a_key_that_the_password_does_not_open_gives_way_to_a_new_one(
    home: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person whom other software defined."""
    foreign = passwords.wrapped_key("else")
    with monkeypatch.context() as patch:
        patch.setattr(passwords, "wrapped_key", lambda _password: foreign)
        people.set_password(actor=home.device, user=home.user, password=PASSWORD)
    people.change_password("luo", PASSWORD, NEW)
    assert passwords.unwrap_key(key_of(home.user), NEW)


def test_the_own_password_needs_the_old_one_and_a_good_one(home: Centre) -> None:
    with pytest.raises(Problem, match="wrong-password"):
        people.change_password("luo", "not this one", NEW)
    with pytest.raises(Problem, match="wrong-password"):
        people.change_password("nobody", PASSWORD, NEW)
    with pytest.raises(Problem, match="weak-password"):
        people.change_password("luo", PASSWORD, "short")
    with pytest.raises(Problem, match="weak-password"):
        people.set_password(actor=home.device, user=home.user, password="short")
    with pytest.raises(Problem, match="own-password"):
        people.set_password(actor=home.user, user=home.user, password=NEW)
    assert account.verify_password("luo", PASSWORD)


def test_guessing_the_old_password_is_slowed_down(home: Centre) -> None:
    for _ in range(FREE_TRIES):
        with pytest.raises(Problem, match="wrong-password"):
            people.change_password("luo", "wrong", NEW)
    with pytest.raises(Problem, match="too-many-sign-ins"):
        people.change_password("luo", PASSWORD, NEW)


def test_the_same_password_again_is_no_change(home: Centre) -> None:
    before = user_of(home.user)
    with pytest.raises(Problem, match="weak-password") as caught:
        people.change_password("luo", PASSWORD, PASSWORD)
    assert "和现在的一样" in caught.value.words("zh")
    assert user_of(home.user) == before
