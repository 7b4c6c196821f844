"""An erasure takes people out of what is held, and leaves codes, quantities and dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from aidvisit.domain.facts import KINDS, check
from aidvisit.domain.facts.erased import BLANK, remainder, without
from aidvisit.store import ledger, uploads
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import erasure
from sync import blobs, chains, log
from sync import tables as log_tables
from sync.op import uuid7
from tests.support.facts import EXAMPLES
from tests.support.store import ACTOR, NOW, TOWN, arrive, delivered, op, registered, say, tables, uid, visited
from tests.support.village import MO, QIN, TAO, village

CHILD = uid(9)
PEOPLE = ("覃桂香", "13812345678", "11010519491231002X", "大榕树旁", "女儿阿秀", "邻居说")


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        yield conn


def erased(household: str, *members: str, **more: Any) -> Fact:
    body: dict[str, Any] = {"household": household, "reason": "本人要求"} | more
    return Fact(TOWN, "personal-data.erased", household, body | ({"members": [*members]} if members else {}))


def held(conn: Connection) -> str:
    """All that the log and the tables hold, as text."""
    rows = [str(row) for row in conn.execute(sa.select(log_tables.op)).all()]
    return "\n".join([*rows, *(str(found) for found in tables(conn).values())])


def a_year(conn: Connection) -> tuple[str, str]:
    """QIN gets rice, is visited, is edited, looked at, and one delivery is voided."""
    photo = b"a face"
    name = sha256(photo).hexdigest()
    blobs.put(conn, name, "image/jpeg", photo)
    first, second = uuid7(), uuid7()
    proof = {"as": "photo", "sha256": name, "bytes": len(photo), "media_type": "image/jpeg"}
    say(
        conn,
        delivered(first, QIN, {"rice": 2, "oil": 1}, proofs=[proof], note="邻居说她在医院",
                  received_by={"as": "proxy", "name": "女儿阿秀", "relation": "女"}),
        delivered(second, QIN, {"rice": 1}),
        Fact(TOWN, "delivery.voided", second, {"reason": "覃桂香没有来"}),
        visited(uuid7(), QIN, "met", **{"with": {"name": "女儿阿秀"}, "needs": ["覃桂香要轮椅"]}),
        Fact(TOWN, "household.updated", QIN, {"set": {"head.phone": "13812345678", "size": 3}, "base": {}}),
        Fact(TOWN, "household.closed", QIN, {"reason": "moved", "date": "2020-12-31", "to": "大榕树旁"}),
        Fact("office", "access.recorded", uuid7(), {"what": "reveal", "household": QIN, "detail": "覃桂香"}),
    )  # fmt: skip
    return first, name


def figures(conn: Connection) -> list[Any]:
    """What the balances are made of."""
    lines = "SELECT item, quantity, date, counts, trip FROM delivery_line ORDER BY 1, 2, 3, 4, 5"
    stock = "SELECT from_place, to_place, item, quantity, date FROM stock_line ORDER BY 1, 2, 3, 4, 5"
    counts = "SELECT division, households FROM household_count ORDER BY 1"
    return [conn.exec_driver_sql(sql).all() for sql in (lines, stock, counts)]


def test_a_household_goes_and_the_figures_stay(conn: Connection) -> None:
    _, photo = a_year(conn)
    before = figures(conn)
    assert all(word in held(conn) for word in PEOPLE)
    say(conn, erased(QIN))
    left = held(conn)
    assert [word for word in PEOPLE if word in left] == []
    assert figures(conn) == before
    assert blobs.get(conn, photo) is None
    assert ledger.verify(conn) == []
    assert erasure.erased_facts(conn) == 8
    assert "莫德厚" in left
    row = conn.exec_driver_sql(f"SELECT name, size, division, closed_reason FROM household WHERE id = '{QIN}'").one()
    assert tuple(row) == (BLANK, 3, "441225112207", "moved")


def test_the_tables_are_the_same_after_a_replay(conn: Connection) -> None:
    a_year(conn)
    say(conn, erased(QIN))
    before = tables(conn)
    ledger.rebuild(conn)
    assert tables(conn) == before


def test_what_arrives_later_is_reduced_before_it_is_kept(conn: Connection) -> None:
    """By whatever way: its digest and its quantities stay. A void may even have come before what it voids."""
    say(conn, erased(QIN))
    delivery = uuid7()
    arrive(conn, op(1, TOWN, "delivery.voided", delivery, {"reason": "覃桂香没有来", "salt": "x"}))
    body = delivered(delivery, QIN, {"rice": 5}, received_by={"as": "head", "name": "覃桂香"}).body
    entry = arrive(conn, op(2, TOWN, "delivery.recorded", delivery, body, minute=0))
    arrive(conn, op(3, TOWN, "future.recorded", QIN, {"who": "覃桂香"}))
    assert "覃桂香" not in held(conn)
    kept = log.find(conn, entry.op.device, 2)
    assert kept is not None
    assert (kept.digest, kept.erased, kept.op.body["lines"]) == (entry.digest, True, body["lines"])
    assert chains.verify(conn)[1:] == []  # what arrived here has no log of its own
    assert [finding for finding in ledger.verify(conn) if "erased" in finding] == []


def test_a_body_that_should_be_gone_is_found(conn: Connection) -> None:
    say(conn, erased(QIN))
    c = log_tables.op.c
    entry = next(e for e in log.entries_of(conn, QIN) if e.op.kind == "household.registered")
    body = sa.func.replace(c.body, BLANK, "覃桂香")
    where = c.device == entry.op.device, c.seq == entry.op.seq
    conn.execute(sa.update(log_tables.op).where(*where).values(body=body))
    assert f"{entry.name}: holds personal data that were erased" in ledger.verify(conn)


def test_one_member_goes_and_the_household_stays(conn: Connection) -> None:
    mine, theirs = uuid7(), uuid7()
    say(
        conn,
        Fact(TOWN, "household.updated", TAO, {"set": {f"members.{CHILD}.phone": "13911112222"}, "base": {}}),
        delivered(mine, TAO, {"rice": 1}, **{"for": CHILD}, received_by={"as": "member", "name": "陶小雨"}),
        delivered(theirs, TAO, {"oil": 1}, received_by={"as": "head", "name": "陶安石"}),
        visited(uuid7(), TAO, "met", note="陶小雨在上学"),
    )
    before = figures(conn)
    ops = erasure.naming(conn, TAO, {CHILD})
    assert len(ops) == 4
    say(conn, erased(TAO, CHILD, ops=ops))
    assert [word for word in ("陶小雨", "13911112222") if word in held(conn)] == []
    assert "陶安石" in held(conn)
    assert figures(conn) == before
    assert ledger.verify(conn) == []
    rows = conn.exec_driver_sql("SELECT received_by FROM delivery ORDER BY received_by").scalars().all()
    assert rows == sorted([BLANK, "陶安石"])


def test_a_second_erasure_takes_more(conn: Connection) -> None:
    say(conn, erased(TAO, CHILD))
    assert "陶安石" in held(conn)
    say(conn, erased(TAO))
    assert "陶安石" not in held(conn)
    assert ledger.verify(conn) == []


def test_drafts_and_lists_go_too(conn: Connection) -> None:
    draft = {"form": "register", "at": "", "fields": [["name", "覃桂香"]]}
    other = {"form": "visit", "at": "", "fields": [["note", "雨"]]}
    log.remember(conn, **{"draft:a:register": draft, "draft:a:visit": other, "drafts:a": ["register", "visit"]})
    uploads.keep(conn, uid(70), uid(71), "list.csv", "覃桂香".encode(), NOW)
    say(conn, erased(QIN))
    assert log.recall_all(conn, "draft") == {":a:visit": other, "s:a": ["visit"]}
    assert conn.execute(sa.select(sa.func.count()).select_from(uploads.upload)).scalar_one() == 0


def test_only_the_centre_may_erase(conn: Connection) -> None:
    from aidvisit.store.judge import why_not

    fact = erased(MO)
    asked = op(1, TOWN, fact.kind, MO, fact.body)
    problem = why_not(conn, asked, by_centre=False)
    assert problem is not None
    assert problem.name == "not-allowed"
    assert why_not(conn, replace(asked, actor=ACTOR), by_centre=True) is None


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if KINDS[kind].personal))
def test_what_stays_is_a_body_again(kind: str) -> None:
    stream, subject, body = EXAMPLES[kind]
    left = remainder(kind, body)
    assert check(kind, 1, stream, subject, left) == {}
    assert remainder(kind, left) == left
    assert without(kind, left, [CHILD]) == left


def test_what_is_not_known_may_be_anything() -> None:
    body = registered(QIN, "覃桂香").body | {"later": "覃桂香", "size": "覃桂香", "members": "覃桂香", "lat": 1}
    body["categories"] = [{"code": "dibao", "since": "覃桂香", "grade": "一级"}, "覃桂香"]
    left = remainder("household.registered", body)
    assert "覃桂香" not in str(left)
    assert left["categories"] == [{"code": "dibao"}, {}]
    assert remainder("future.recorded", {"a": 1}) == {}


STAYS = {
    "household.registered": {
        "kind", "name", "head", "division", "size", "categories", "members", "continues", "brought",
    },
    "household.updated": {"set", "base", "add", "remove"},
    "household.closed": {"reason", "date"},
    "visit.recorded": {"household", "member", "trip", "date", "outcome", "purposes", "by", "minutes", "proofs"},
    "delivery.recorded": {
        "household", "for", "trip", "visit", "date", "from", "lines", "method", "received_by", "handed_by", "proofs",
        "overrides", "replaces",
    },
}  # fmt: skip
"""A field more in a schema is asked here: is it personal?"""


@pytest.mark.parametrize("kind", STAYS)
def test_these_fields_stay(kind: str) -> None:
    assert set(remainder(kind, EXAMPLES[kind][2])) == STAYS[kind] & EXAMPLES[kind][2].keys()
