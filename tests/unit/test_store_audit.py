"""The audit's lines: which, in what order, for whom; and by an index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from aidvisit.domain.audit import AUDITED
from aidvisit.domain.facts import KINDS
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.database import writing
from aidvisit.store.ledger import Fact, record
from aidvisit.store.queries import audit
from aidvisit.store.queries.audit import Asked, AuditLine
from sync import clock, log, server, tables
from sync.identity import KeyPair
from tests.support.store import NOW, TOWN, delivered, opened, registered, say, uid

ZONE = ZoneInfo("Asia/Shanghai")
TEAM, OTHER, LUO, SU, LAPTOP, TRIP = uid(1), uid(2), uid(11), uid(12), uid(21), uid(31)
QIN, TAO, RICE = uid(41), uid(42), uid(51)
KEY = {"public": "p", "wrapped": "w", "salt": "s", "params": {}}


def person(identity: str, name: str, team: str, role: str = "leader") -> Fact:
    body = {"login": name, "name": name, "role": role, "active": True, "password_hash": "$argon2id$x", "key": KEY}
    return Fact(f"team-{team}", "user.defined", identity, body)


def team(identity: str, name: str, town: str) -> Fact:
    return Fact("org", "team.defined", identity, {"name": name, "type": "team", "level": 3, "divisions": [town]})


def access(number: int, what: str, **more: Any) -> Fact:
    return Fact("office", "access.recorded", uid(number), {"what": what, **more})


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with opened(database_url) as engine, writing(engine) as conn:
        server.set_up(conn, name="中心", now=NOW)
        say(conn, team(TEAM, "一队", TOWN), team(OTHER, "二队", "441225113"))
        say(conn, person(LUO, "罗春和", TEAM), person(SU, "苏晓禾", OTHER, "office"))
        enrolled = {"name": "3 号笔记本", "public_key": KeyPair.generate().public, "team": TEAM}
        say(conn, Fact("org", "device.enrolled", LAPTOP, enrolled), registered(QIN, "覃桂香"), registered(TAO, "陶家"))
        yield conn


def by(conn: Connection, actor: str, *facts: Fact, day: int = 0) -> None:
    record(conn, actor, *facts, now=NOW + timedelta(days=day))


def lines(conn: Connection, scope: Scope = EVERYTHING, **asked: str) -> list[AuditLine]:
    return audit.page(conn, Asked(**asked), scope, ZONE)[0]


def whats(conn: Connection, scope: Scope = EVERYTHING, **asked: str) -> list[str]:
    return [line.what for line in lines(conn, scope, **asked)]


def test_every_kind_that_is_audited_is_a_kind() -> None:
    assert set(AUDITED) <= set(KINDS)
    assert list(AUDITED) == sorted(AUDITED)


def test_newest_first_with_who_and_where(conn: Connection) -> None:
    by(conn, LUO, access(61, "reveal", household=QIN))
    by(conn, SU, access(62, "import", rows=34), day=1)
    newest, before = lines(conn)[:2]
    assert (newest.what, newest.person, newest.role, newest.rows) == ("import", "苏晓禾", "office", 34)
    assert (before.what, before.household, before.device) == ("reveal", (QIN, "覃桂香"), "中心")
    assert before.at == NOW
    assert whats(conn)[2:] == ["device.enrolled", "user.defined", "user.defined", "team.defined", "team.defined"]


def test_each_filter(conn: Connection) -> None:
    by(conn, LUO, delivered(RICE, QIN, {"rice": 1}), access(61, "reveal", household=QIN))
    by(conn, LUO, Fact(TOWN, "delivery.voided", RICE, {"reason": "打 13812345678 问过,写错了"}), day=1)
    by(conn, SU, Fact(TOWN, "household.merged", TAO, {"into": QIN, "reason": "同一户"}), day=2)
    by(conn, SU, access(62, "export", rows=3), day=3)
    assert whats(conn, person=LUO) == ["delivery.voided", "reveal"]
    assert whats(conn, household=QIN) == ["household.merged", "delivery.voided", "reveal"]
    assert whats(conn, what="reveal") == ["reveal"]
    assert whats(conn, what="user.defined") == ["user.defined"] * 2
    assert whats(conn, first="2020-12-31", last="2021-01-01") == ["household.merged", "delivery.voided"]
    assert whats(conn, device=LAPTOP) == []
    assert whats(conn, person=SU, what="export", device=log.own(conn)) == ["export"]
    (voided,) = lines(conn, what="delivery.voided")
    assert (voided.household, voided.body["reason"]) == ((QIN, "覃桂香"), "打 138****5678 问过,写错了")
    assert audit.count(conn, Asked(household=QIN), EVERYTHING, ZONE) == 3


def test_no_secret_is_in_a_line(conn: Connection) -> None:
    change = {"set": {"password_hash": "$argon2id$new", "key": KEY, "role": "admin", "phone": "13812345678"}}
    by(conn, log.own(conn), Fact(f"team-{TEAM}", "user.updated", LUO, change))
    (line,) = lines(conn, what="user.updated")
    assert line.about == "罗春和"
    assert line.body["set"] == {"password_hash": None, "key": None, "phone": None, "role": "admin"}
    assert "argon2id" not in str(lines(conn))


def test_what_is_outside_is_not_there(conn: Connection) -> None:
    """A line is shown for its person, its laptop, its household, its place or its team."""
    mine = Scope((TOWN,), frozenset({TEAM}))
    theirs = Scope(("441225113",), frozenset({OTHER}))
    by(conn, LUO, access(61, "sign-in"))
    by(conn, SU, access(62, "sign-in"))
    by(
        conn,
        SU,
        access(63, "reveal", household=QIN),
        Fact(TOWN, "household.closed", TAO, {"reason": "died", "date": "2020-12-30"}),
    )
    closed_and_seen = ["household.closed", "reveal"]
    assert whats(conn, mine) == [*closed_and_seen, "sign-in", "device.enrolled", "user.defined", "team.defined"]
    assert whats(conn, theirs) == [*closed_and_seen, "sign-in", "user.defined", "team.defined"]
    assert [line.household for line in lines(conn, theirs)][:2] == [(TAO, ""), (QIN, "")], "named only to whom it is of"
    assert lines(conn, Scope()) == []


def test_pages_follow_each_other(conn: Connection) -> None:
    facts = [access(100 + number, "export", rows=number) for number in range(audit.PAGE * 2 + 1)]
    record(conn, LUO, *facts, now=NOW)
    asked, seen, before = Asked(what="export"), [], ""
    while True:
        found, more = audit.page(conn, asked, EVERYTHING, ZONE, before)
        seen += [line.rows for line in found]
        if more is None:
            break
        assert audit.is_key(more)
        before = more
    assert seen == list(reversed(range(audit.PAGE * 2 + 1)))
    assert [line.rows for line in audit.every(conn, asked, EVERYTHING, ZONE)] == seen


@pytest.mark.parametrize("text", ["", "x", f"{clock.EARLIEST}/{uid(1)}", f"{clock.EARLIEST}/{uid(1)}/-1", "a/b/c"])
def test_what_is_no_key_asks_for_nothing(text: str) -> None:
    assert not audit.is_key(text)


@pytest.mark.parametrize("asked", [Asked(), Asked(person=LUO), Asked(device=LAPTOP), Asked(what="user.updated"),
                                   Asked(what="reveal"), Asked(first="2020-12-01", last="2020-12-31")])  # fmt: skip
def test_the_index_is_used(conn: Connection, asked: Asked) -> None:
    """However many deliveries there are, the audit reads its own lines only."""
    noise = [
        {
            "device": uid(999), "seq": seq, "stream": TOWN, "n": None, "hlc": "20201230T040000000Z-0000",
            "clock": f"20201230T040000000Z-{seq % 9999:04d}", "actor": LUO, "kind": "visit.recorded", "v": 1,
            "subject": uid(10_000 + seq), "body": "{}", "digest": "d", "applied": True, "dismissed": False,
            "received_at": "2020-12-30T04:00:00+00:00",
        }
        for seq in range(1, 3001)
    ]  # fmt: skip
    conn.execute(sa.insert(tables.op), noise)
    conn.execute(sa.text("ANALYZE"))
    before = sa.literal("20991231T000000000Z-0000"), sa.literal(LAPTOP), sa.literal(9)
    query = audit._wanted(conn, sa.select(tables.op), asked, EVERYTHING, ZONE)
    query = audit._newest_first(
        query.where(sa.tuple_(tables.op.c.clock, tables.op.c.device, tables.op.c.seq) < sa.tuple_(*before))
    )
    explain = "EXPLAIN QUERY PLAN" if conn.dialect.name == "sqlite" else "EXPLAIN"
    compiled = query.limit(51).compile(conn, compile_kwargs={"literal_binds": True, "render_postcompile": True})
    plan = "\n".join(str(row[-1]) for row in conn.exec_driver_sql(f"{explain} {compiled}".replace("%", "%%")))
    assert not re.search(r"SCAN op$|Seq Scan on op ", plan, re.MULTILINE), plan
    # Who asks for one laptop or one kind of access may be better served by another index.
    assert "ix_op_audit" in plan or asked.device or asked.what == "reveal", plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan, plan
