"""Whoever can sign in after any sequence of changes is who the latest facts say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.errors import Problem
from aidvisit.services import account, passwords, people
from aidvisit.store import ledger
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.doors import FILE
from aidvisit.store.queries import account as queries
from sync import clock, server

WORDS = ("seven grey herons", "a horse of another colour")
_numbers = count()
steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "deactivate", "activate", "reset", "change", "rename"]),
        st.integers(0, 2),
        st.sampled_from(WORDS),
    ),
    min_size=4,
    max_size=12,
)
MOVED = [("add", 0, WORDS[0]), ("deactivate", 0, WORDS[0]), ("add", 1, WORDS[1]), ("activate", 0, WORDS[0])]
"""Somebody goes to the other team with the same login, and then somebody wants them back in the first."""


@dataclass
class Expected:
    """What the steps so far make of one person."""

    id: str
    login: str
    password: str
    active: bool = True


@dataclass
class Office:
    """A centre with two teams, and nobody in them who could administer anything."""

    home: Path
    device: str
    teams: tuple[str, str]

    def enters(self, login: str, password: str) -> str | None:
        """Who signs in so, however often somebody guessed before."""
        (self.home / FILE).unlink(missing_ok=True)
        try:
            return account.verify_password(login, password).id
        except Problem as problem:
            if problem.name != "wrong-password":
                raise
            return None


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("people") / "central"
    with opened(config.write(home, role="central")):
        with transaction() as conn:
            device = server.set_up(conn, name="办公室", now=clock.wall())
        teams = account.add_team(actor=device, name="一队"), account.add_team(actor=device, name="二队")
        yield Office(home, device, teams)
        db.engine.dispose()


@example(MOVED)
@given(steps)
@settings(max_examples=12)
def test_who_signs_in_is_who_the_latest_facts_say(office: Office, taken: list[tuple[str, int, str]]) -> None:
    login = f"luo{next(_numbers)}"
    known: list[Expected] = []
    for what, whom, password in taken:
        if what == "add" or not known:
            _add(office, known, login, password, whom)
        else:
            _change(office, known, known[whom % len(known)], what, password)
    _compare(office, known, login)
    with reading() as conn:
        before = queries.users(conn)
    with transaction() as conn:
        ledger.rebuild(conn)
    with reading() as conn:
        assert queries.users(conn) == before, "what the log says again"
    _compare(office, known, login)


def _add(office: Office, known: list[Expected], login: str, password: str, team: int) -> None:
    with _only_if(not any(one.login == login and one.active for one in known)):
        made = account.add_user(
            actor=office.device, login=login, name=login, role="leader", team=office.teams[team % 2], password=password
        )
        known.append(Expected(made, login, password))


def _only_if(free: bool) -> AbstractContextManager[object]:
    """A login is refused where somebody active has it, and only there."""
    return nullcontext() if free else pytest.raises(Problem, match="login-taken")


def _change(office: Office, known: list[Expected], one: Expected, what: str, password: str) -> None:
    if what == "reset":
        people.set_password(actor=office.device, user=one.id, password=password)
        one.password = password
    elif what == "change":
        if password != one.password and office.enters(one.login, one.password) == one.id:
            people.change_password(one.login, one.password, password)
            one.password = password
    elif what == "rename":
        people.update_user(actor=office.device, user=one.id, name=password)
    elif what == "deactivate":
        people.update_user(actor=office.device, user=one.id, active=False)
        one.active = False
    else:
        free = not any(other.login == one.login and other.active for other in known if other is not one)
        with _only_if(free):
            people.update_user(actor=office.device, user=one.id, active=True)
        one.active = one.active or free


def _compare(office: Office, known: list[Expected], login: str) -> None:
    for password in WORDS:
        expected = [one.id for one in known if one.active and one.password == password]
        assert [office.enters(login, password)] == (expected or [None])
    for one in known:
        with reading() as conn:
            found = queries.user(conn, one.id)
        assert found is not None
        assert found.key is not None
        assert passwords.unwrap_key(found.key, one.password), "the password opens the key, whatever happened before"
