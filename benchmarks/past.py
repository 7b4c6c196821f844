"""Years of deliveries and visits, straight into the tables, and into the log of the households looked at."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table

from aidvisit.domain.facts import KINDS
from aidvisit.store.database import writing
from aidvisit.store.tables import Allocation, Delivery, DeliveryLine, Household, Trip, User, Visit
from sync import clock, log
from sync.op import Op, digest_of
from sync.rows import insert
from tests.support.homes import TOWN
from tests.support.store import NOW

LOOKED_AT = 500
LONG = 2_000
"""Deliveries to one institution."""
STEP = 20_000
DEVICE = "0192f3a0-0000-7000-8000-0000000000d1"
START_MS = clock.to_ms(NOW)


def households(deliveries: int, each: int) -> int:
    return deliveries // each


def looked_at() -> list[str]:
    """Spread over all: every one of them got something in every round."""
    return [_id("a", number * 7) for number in range(LOOKED_AT)]


def long_one() -> str:
    return _id("a", 7 * LOOKED_AT)


def _id(what: str, number: int) -> str:
    return f"0192f3a0-{number % 65536:04x}-7000-8{what}00-{number:012x}"


def make(engine: Engine, deliveries: int, each: int, trips: int, first_year: int = 2011, long: int = LONG) -> None:
    """`each` deliveries of two items and one visit to every household, in rounds of a year, as they come to be.

    A trip is some weeks of a round: its deliveries follow each other. `long`: so many more to one institution.
    """
    count = households(deliveries, each)
    if engine.dialect.name == "sqlite":
        with engine.connect() as conn:  # what is made here may be made again
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
                conn.connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]
    with writing(engine) as conn:
        user = conn.execute(sa.select(User.id).limit(1)).scalar_one()
        team = conn.execute(sa.select(User.team).limit(1)).scalar_one()
        given = _Given(count, each, trips, user, first_year, long)
        indexes = _without_indexes(conn)
        _fill(conn, Household, (given.household(number) for number in range(count)))
        _fill(conn, Trip, (given.trip(number, team) for number in range(trips)))
        _fill(conn, Allocation, (given.allocation(number) for number in range(count)))
        _fill(conn, Visit, (given.visit(number) for number in range(count)))
        _fill(conn, Delivery, (given.delivery(number) for number in given.deliveries()))
        _fill(conn, DeliveryLine, (line for number in given.deliveries() for line in given.lines(number)))
        for index in indexes:
            conn.exec_driver_sql(index)
        log.insert_entries(conn, list(given.told()))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE")


def _without_indexes(conn: Connection) -> list[str]:
    """Made again when the rows are in: in the order in which rows come, that would take most of the time."""
    found = []
    for model in (Delivery, DeliveryLine):
        table = model.__table__
        assert isinstance(table, Table)
        for index in table.indexes:
            found.append(str(sa.schema.CreateIndex(index).compile(dialect=conn.dialect)))
            index.drop(conn)
    return found


def _fill(conn: Connection, model: Any, rows: Iterable[dict[str, Any]]) -> None:
    waiting = iter(rows)
    while step := list(islice(waiting, STEP)):
        insert(conn, model.__table__, step)


class _Given:
    """What there is, each by its number: delivery `n` is round `n // households` to household `n % households`."""

    def __init__(self, households: int, each: int, trips: int, user: str, first_year: int, long: int) -> None:
        self.count, self.each, self.trips, self.user = households, each, trips, user
        self.first_year, self.more = first_year, long
        self.chosen = {number * 7 for number in range(LOOKED_AT)}
        self.long = 7 * LOOKED_AT

    def deliveries(self) -> Iterator[int]:
        return chain(range(self.count * self.each), range(self.count * self.each, self.count * self.each + self.more))

    def _to(self, number: int) -> int:
        return self.long if number >= self.count * self.each else number % self.count

    def _date(self, number: int) -> str:
        """The months of a round one after the other."""
        if number >= self.count * self.each:
            return f"{self.first_year + number % self.each}-{number % 12 + 1:02}-{number % 28 + 1:02}"
        year, place = divmod(number, self.count)
        return f"{self.first_year + year}-{place * 12 // self.count + 1:02}-{place * 336 // self.count % 28 + 1:02}"

    def _trip(self, number: int) -> str:
        return _id("c", min(number * self.trips // (self.count * self.each), self.trips - 1))

    def _stamp(self, number: int) -> str:
        return clock.stamp(START_MS + number, 0)

    def _key(self, seq: int) -> str:
        return f"{self._stamp(seq)}/{DEVICE}/{seq:016d}"

    def household(self, number: int) -> dict[str, Any]:
        surname = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高"[number % 20]
        name = surname + "".join(random.Random(number).choices("明生桂香德厚水妹安石春和秀英建国玉兰", k=2))
        row = dict.fromkeys(Household.__table__.columns.keys())
        row |= {
            "id": _id("a", number), "stream": TOWN, "kind": "household", "name": name, "head_name": name, "size": 3,
            "division": f"{TOWN}{number % 20 + 201}", "village_group": f"{number % 9 + 1}组", "brought": [],
            "order_key": self._key(number),
        }  # fmt: skip
        return row | ({"search_text": name} if "search_text" in row else {})

    def trip(self, number: int, team: str) -> dict[str, Any]:
        each = self.count * self.each / self.trips
        first, last = self._date(int(number * each)), self._date(max(int(number * each), int((number + 1) * each) - 1))
        return dict.fromkeys(Trip.__table__.columns.keys()) | {
            "id": _id("c", number), "stream": f"trip-{_id('c', number)}", "title": f"第 {number} 次", "starts": first,
            "ends": last, "team": team, "divisions": [f"{TOWN}{number % 20 + 201}"], "status": "closed",
            "planned_by": DEVICE, "order_key": self._key(number),
        }  # fmt: skip

    def allocation(self, number: int) -> dict[str, Any]:
        last = self.count * (self.each - 1) + number
        key = self._key(number)
        return {
            "trip": self._trip(last), "household": _id("a", number), "item": "rice", "quantity": 2,
            "stream": f"trip-{self._trip(last)}", "order_key": key, "first_key": f"{key}/0000",
        }  # fmt: skip

    def visit(self, number: int) -> dict[str, Any]:
        seq = 3 * self.count * self.each + number
        return dict.fromkeys(Visit.__table__.columns.keys()) | {
            "id": _id("d", number), "stream": TOWN, "household": _id("a", number), "date": "2020-06-01",
            "outcome": "met", "purposes": ["regular"], "visited_by": [self.user], "needs": [], "proofs": [],
            "actor": self.user, "device": DEVICE, "seq": seq, "order_key": self._key(seq),
        }  # fmt: skip

    def _body(self, number: int) -> dict[str, Any]:
        return {
            "household": _id("a", self._to(number)), "trip": self._trip(number),
            "date": self._date(number), "received_by": {"as": "head", "name": "本人"}, "handed_by": [self.user],
            "lines": [{"item": "rice", "quantity": number % 3 + 1}, {"item": "oil", "quantity": 1}],
            "proofs": [{"as": "paper", "page": str(number % 40), "row": "7"}], "salt": "AAECAwQFBgc",
        }  # fmt: skip

    def delivery(self, number: int) -> dict[str, Any]:
        body = self._body(number)
        return dict.fromkeys(Delivery.__table__.columns.keys()) | {
            "id": _id("b", number), "stream": TOWN, "household": body["household"], "trip": body["trip"],
            "date": body["date"], "from_place": f"truck:{body['trip']}", "received_as": "head", "received_by": "本人",
            "handed_by": body["handed_by"], "proofs": body["proofs"], "overrides": [], "replaced": False,
            "counts": True, "actor": self.user, "device": DEVICE, "seq": self.count + number,
            "order_key": self._key(self.count + number),
        }  # fmt: skip

    def lines(self, number: int) -> Iterator[dict[str, Any]]:
        body = self._body(number)
        for position, line in enumerate(body["lines"]):
            yield {
                "delivery": _id("b", number), "line": position, "stream": TOWN, "household": body["household"],
                "trip": body["trip"], "date": body["date"], **line, "lot": None, "counts": True,
            }  # fmt: skip

    # --- the log of those that are looked at ------------------------------------------------------------------

    def told(self) -> Iterator[log.Entry]:
        """Registered, edited twice, and every delivery and visit."""
        every = self.count * self.each
        for number in sorted({*self.chosen, self.long}):
            yield from self._household_ops(number)
            rounds = range(number, every, self.count)
            for one in chain(rounds, range(every, every + self.more) if number == self.long else ()):
                yield self._entry("delivery.recorded", _id("b", one), self.count + one, self._body(one))
            row = self.visit(number)
            body = {"household": row["household"], "date": row["date"], "outcome": "met", "purposes": ["regular"],
                    "by": [self.user]}  # fmt: skip
            yield self._entry("visit.recorded", row["id"], row["seq"], body)

    def _household_ops(self, number: int) -> Iterator[log.Entry]:
        row, subject = self.household(number), _id("a", number)
        body = {
            "kind": "household", "head": {"name": row["name"], "phone": "13800000000"}, "division": row["division"],
            "group": row["village_group"], "size": 4, "categories": [{"code": "dibao"}], "salt": "AAECAwQFBgc",
        }  # fmt: skip
        yield self._entry("household.registered", subject, number, body)
        later = 4 * self.count * self.each + 2 * number
        seen = [f"{DEVICE}/{number}"]
        edits = (
            {"set": {"size": 3}, "base": {"size": seen}},
            {"set": {"head.phone": "13911112222"}, "base": {"head.phone": seen}, "remove": {"categories": ["dibao"]}},
        )
        for place, edit in enumerate(edits):
            yield self._entry("household.updated", subject, later + place, edit)

    def _entry(self, kind: str, subject: str, seq: int, body: dict[str, Any]) -> log.Entry:
        op = Op(DEVICE, seq, TOWN, self._stamp(seq), self.user, kind, KINDS[kind].v, subject, body)
        return log.new_entry(op, digest_of(op), NOW, n=1_000_000 + seq)
