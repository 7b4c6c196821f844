"""Numbers are masked everywhere, and shown in full once, to whoever may, after it was written down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from aidvisit.errors import Problem
from aidvisit.services import household, visit
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import trip as trips
from aidvisit.store.tables import User
from sync import log
from sync.op import Op, uuid7
from tests.support.homes import VILLAGE
from tests.support.pages import Pages, words

NUMBERS = {
    "11010519491231002X": "1101**********002X",
    "13812345678": "138****5678",
    "440105201201010011": "4401**********0011",
    "13900001111": "139****1111",
    "13700002222": "137****2222",
    "13600003333": "136****3333",
}
HEAD_ID, HEAD_PHONE, CHILD_ID, CHILD_PHONE, GUARDIAN_PHONE, IN_NOTE = NUMBERS


@pytest.fixture(params=["laptop", "office"])
def either(request: pytest.FixtureRequest) -> Pages:
    node: Pages = request.getfixturevalue(request.param)
    node.sign_in()
    return node


def person(node: Pages, login: str = "luo") -> tuple[str, str]:
    """(id, team)"""
    with node.app.app_context(), reading() as conn:
        row = conn.exec_driver_sql(f"SELECT id, team FROM person WHERE login = '{login}'").one()
        return row.id, row.team


def registered(node: Pages) -> str:
    identity, (actor, _) = uuid7(), person(node)
    guardian = {"name": "周大伯", "phone": GUARDIAN_PHONE}
    child = {"id": uuid7(), "name": "周小满", "id_number": CHILD_ID, "phone": CHILD_PHONE, "guardian": guardian}
    body = {
        "kind": "household",
        "head": {"name": "周婆婆", "id_number": HEAD_ID, "phone": HEAD_PHONE},
        "division": VILLAGE,
        "categories": [],
        "members": [child],
        "note": f"急事打 {IN_NOTE}",
    }
    with node.app.app_context():
        household.register(actor=actor, household=identity, body=body)
    return identity


def audited(node: Pages) -> list[Op]:
    with node.app.app_context(), reading() as conn:
        ops = [entry.op for entry in log.iterate(conn, "office") if entry.op.kind == "access.recorded"]
        return [op for op in ops if op.body["what"] == "reveal"]


def test_every_number_is_masked(either: Pages) -> None:
    identity = registered(either)
    page = either.get(f"/households/{identity}")
    for full, masked in NUMBERS.items():
        assert full not in page.text
        assert masked in page.text
    found = either.post("/search", {"q": "周婆婆"})
    assert "周婆婆" in found.text
    assert not any(full in found.text for full in NUMBERS)
    assert audited(either) == []


def test_an_edit_shows_no_number_either(either: Pages) -> None:
    """Neither the one that is settled, nor two that disagree, nor the reason that somebody gave."""
    identity, (actor, _) = registered(either), person(either)
    with either.app.app_context():
        for phone in ("13811112222", "13833334444"):
            change: dict[str, Any] = {"set_": {"head.phone": phone, "note": f"打 {phone}"}}
            change["base"] = dict.fromkeys(change["set_"], ())
            household.update(actor=actor, household=identity, reason=f"原来是 {phone}", **change)
    page = either.get(f"/households/{identity}").text
    assert "修改冲突" in page
    assert not re.search(r"(?<![0-9a-f-])1[0-9]{10}(?![0-9a-f])", page)


def test_the_day_s_list_shows_no_number_either(laptop: Pages) -> None:
    laptop.sign_in()
    actor, _ = person(laptop)
    with laptop.app.app_context():
        with reading() as conn:
            head = trips.trips(conn)[0]
            first, second = (one.id for one in trips.today(conn, head.id).households[:2])
        household.update(actor=actor, household=first, set_={"note": f"先打 {HEAD_PHONE}"})
        visit.record_visit(
            actor=actor, visit=uuid7(), household=second, trip=head.id, date=head.starts, outcome="not-home",
            purposes=["distribution"], note=f"邻居电话 {CHILD_PHONE}",
        )  # fmt: skip
    page = laptop.get("/").text
    for full in (HEAD_PHONE, CHILD_PHONE):
        assert NUMBERS[full] in page
        assert full not in page


def test_in_full_once_and_written_down_first(either: Pages) -> None:
    identity, (actor, _) = registered(either), person(either)
    assert "显示完整号码" in words(either.get(f"/households/{identity}"))
    page = either.post(f"/households/{identity}/reveal")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert all(full in page.text for full in NUMBERS)
    (op,) = audited(either)
    with either.app.app_context(), reading() as conn:
        assert (op.actor, op.device, op.body["household"]) == (actor, log.own(conn), identity)
    again = either.get(f"/households/{identity}")
    assert not any(full in again.text for full in NUMBERS)
    assert len(audited(either)) == 1
    assert f'data-address="/households/{identity}"' in page.text, "where a reload leads to"


def test_what_cannot_be_written_down_is_not_shown(either: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = registered(either)

    @contextmanager
    def full() -> Iterator[Connection]:
        raise Problem("disk-full", database="x")
        yield

    monkeypatch.setattr(household, "transaction", full)
    page = either.post(f"/households/{identity}/reveal")
    assert page.status_code == 507
    assert not any(number in page.text for number in NUMBERS)


def test_who_may_not_has_no_button_and_is_refused(either: Pages) -> None:
    identity, (actor, _) = registered(either), person(either)
    before = len(audited(either))
    with either.app.app_context(), transaction() as conn:
        conn.execute(sa.update(User).where(User.id == actor).values(role="volunteer"))
    assert "显示完整号码" not in words(either.get(f"/households/{identity}"))
    page = either.post(f"/households/{identity}/reveal")
    assert page.status_code == 403
    assert not any(number in page.text for number in NUMBERS)
    assert len(audited(either)) == before


@pytest.mark.parametrize(
    "path", ["/households/0192f3a0-0000-7000-8000-00000000dead/reveal", "/households/no-id/reveal"]
)
def test_a_household_that_is_not_there_leaves_no_line(either: Pages, path: str) -> None:
    assert either.post(path).status_code == 404
    assert audited(either) == []
