"""A centre's database with its tables, ops of laptops that arrive there, and what the tables hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event

from aidvisit.domain.facts import item_subject
from aidvisit.store import anew, migrations
from aidvisit.store.database import open_engine, writing
from aidvisit.store.ledger import HOUSE, Fact, record
from aidvisit.store.tables import metadata
from sync import clock, log, server
from sync.op import Op, digest_of
from sync.tables import metadata as log_metadata

NOW = datetime(2020, 12, 30, 4, 0, tzinfo=UTC)
TOWN, VILLAGE = "441225112", "441225112207"
ACTOR = "0192f3a0-0000-7000-8000-0000000000aa"
LAPTOP = "0192f3a0-0000-7000-8000-0000000000d1"


def uid(number: int) -> str:
    """A UUID that a failing test shows in a readable way."""
    return f"0192f3a0-0000-7000-8000-{number:012d}"


TRIP, TEAM = uid(900), uid(901)
TRIP_STREAM = f"trip-{TRIP}"
TRUCK = f"truck:{TRIP}"


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """A database brought up to date, its connections closed at the end."""
    engine = open_engine(url)
    try:
        migrations.migrate(engine)
        yield engine
    finally:
        engine.dispose()


def make_tables(conn: Connection) -> None:
    """All tables of a node as the models have them: quicker than migrations, and the same.

    The models are asked once a process and a database's kind; then the same statements are said again, at once.
    """
    dialect = conn.dialect.name
    if dialect not in _tables:
        _tables[dialect] = _made_tables(conn)
        return
    cursor = conn.connection.cursor()
    for statement in ["; ".join(_tables[dialect])] if dialect == "postgresql" else _tables[dialect]:
        cursor.execute(statement)
    cursor.close()


_tables: dict[str, list[str]] = {}


def _made_tables(conn: Connection) -> list[str]:
    """Make them; the statements that did."""
    said: list[str] = []

    def hear(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.lstrip().startswith(("SELECT", "PRAGMA")):
            assert "%" not in statement, "it would mean something else to the driver"
            said.append(statement)

    event.listen(conn, "before_cursor_execute", hear)
    for each in (metadata, log_metadata, *anew.OTHERS):
        each.create_all(conn)
    event.remove(conn, "before_cursor_execute", hear)
    return said


@contextmanager
def centre(url: str) -> Iterator[Connection]:
    """One transaction of a new centre."""
    engine = open_engine(url)
    try:
        with writing(engine) as conn:
            make_tables(conn)
            server.set_up(conn, name="中心", now=NOW)
            yield conn
    finally:
        engine.dispose()


def arrive(conn: Connection, op: Op, merge_hlc: str | None = None, n: int | None = None) -> log.Entry:
    """An op that was judged right and is numbered; it is kept and applied."""
    if n is None:
        n = (conn.execute(sa.text("SELECT max(n) FROM op")).scalar() or 0) + 1
    entry = log.new_entry(op, digest_of(op), NOW, n=n, merge_hlc=merge_hlc)
    log.keep(conn, HOUSE, [entry])
    return entry


def op(seq: int, stream: str, kind: str, subject: str, body: dict[str, Any], **rest: Any) -> Op:
    """An op of a laptop; `minute` of the day sets its clock."""
    device, minute = rest.get("device", LAPTOP), rest.get("minute", seq)
    hlc = clock.stamp(clock.to_ms(NOW) + minute * 60_000, 0)
    return Op(device, seq, stream, hlc, ACTOR, kind, rest.get("v", 1), subject, body)


def tables(conn: Connection) -> dict[str, set[tuple[Any, ...]]]:
    """Every row of the projection, as text, by table, without what is a database's own; empty tables are left out."""
    found = {}
    for table in metadata.sorted_tables:
        shared = [column for column in table.c if column.name not in table.info.get("own", ())]
        rows = {tuple(map(repr, row)) for row in conn.execute(sa.select(*shared))}
        if rows:
            found[table.name] = rows
    return found


@contextmanager
def statements(conn: Connection) -> Iterator[list[str]]:
    """The SQL that is sent meanwhile."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(conn.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(conn.engine, "before_cursor_execute", note)


# --- facts ---------------------------------------------------------------------------------------------------


def item(code: str, name: str, unit: str, **more: Any) -> Fact:
    body = {"code": code, "name": name, "unit": unit, "class": "food", **more}
    return Fact("org", "item.defined", item_subject(code), body)


def registered(identity: str, head_name: str, group: str = "一组", **more: Any) -> Fact:
    body = {"kind": "household", "head": {"name": head_name}, "division": VILLAGE, "group": group, "categories": []}
    return Fact(TOWN, "household.registered", identity, {**body, **more})


def planned(trip: str = TRIP, **more: Any) -> Fact:
    body = {"title": "民强村", "starts": "2020-12-30", "ends": "2020-12-30", "team": TEAM, "divisions": [VILLAGE]}
    return Fact(f"trip-{trip}", "trip.planned", trip, {**body, **more})


def allotted(*lines: tuple[str, str, int]) -> Fact:
    named = [{"household": household, "item": item, "quantity": quantity} for household, item, quantity in lines]
    return Fact(TRIP_STREAM, "allocation.set", TRIP, {"lines": named})


def delivered(identity: str, household: str, lines: dict[str, int], **more: Any) -> Fact:
    body = {
        "household": household,
        "date": "2020-12-30",
        "trip": TRIP,
        "lines": [{"item": item, "quantity": quantity} for item, quantity in lines.items()],
        "received_by": {"as": "head", "name": "本人"},
        "proofs": [{"as": "thumbprint"}],
    }
    body = {name: value for name, value in {**body, **more}.items() if value is not None}
    return Fact(TOWN, "delivery.recorded", identity, body)


def visited(identity: str, household: str, outcome: str, **more: Any) -> Fact:
    body = {
        "household": household,
        "trip": TRIP,
        "date": "2020-12-30",
        "outcome": outcome,
        "purposes": ["distribution"],
        "by": [],
    }
    return Fact(TOWN, "visit.recorded", identity, {**body, **more})


def moved(identity: str, source: str, target: str, **lines: int) -> Fact:
    named = [{"item": item, "quantity": quantity} for item, quantity in lines.items()]
    body = {"from": source, "to": target, "date": "2020-12-30", "lines": named}
    return Fact(TRIP_STREAM, "stock.moved", identity, body)


def counted(identity: str, explained: list[dict[str, Any]] | None = None, **lines: int) -> Fact:
    body: dict[str, Any] = {
        "place": TRUCK,
        "date": "2020-12-30",
        "lines": [{"item": item, "counted": number} for item, number in lines.items()],
    }
    return Fact(TRIP_STREAM, "stock.counted", identity, body | ({"explained": explained} if explained else {}))


def say(conn: Connection, *facts: Fact) -> list[log.Entry]:
    """The centre records them."""
    return record(conn, log.own(conn), *facts, now=NOW)
