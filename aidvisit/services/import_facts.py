"""The facts that a plan comes to: households with their people, items, a trip and its allotment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from aidvisit.errors import Problem
from aidvisit.services import catalog, household, trip
from aidvisit.services.bodies import filled
from aidvisit.services.import_read import Reading
from aidvisit.services.sheet import Plan, Question
from aidvisit.services.sheet.plan import PlannedHousehold, item_of
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import importing
from aidvisit.store.queries.account import teams
from aidvisit.store.queries.trip import TripHead, trips
from sync import log
from sync.op import uuid7


def household_facts(conn: Connection, plan: Plan) -> Iterator[Fact]:
    """A fact for each household that is new or changed."""
    changed = {one.id for one in plan.households if one.state == "changed"}
    heads = importing.heads_of_fields(conn, changed) if changed else {}
    for one in plan.households:
        if one.state == "new":
            yield household.registered(one.id, _registration(one))
        elif one.state == "changed":
            yield _update(conn, one, heads[one.id])


def _registration(planned: PlannedHousehold) -> dict[str, Any]:
    row = planned.row
    assert row is not None
    return {
        "kind": "household",
        "head": filled(**planned.head),
        "division": planned.division,
        "categories": [category.body() for category in planned.categories],
        **filled(
            group=planned.group,
            size=row.size,
            address=row.address,
            note=row.note,
            members=[_member(one) for one in planned.members],
        ),
    }


def _member(member: Any) -> dict[str, Any]:
    return {"id": member.id, **member.body}


def _update(conn: Connection, planned: PlannedHousehold, heads: Mapping[str, list[str]]) -> Fact:
    changes: dict[str, Any] = dict(planned.changes)
    for one in planned.members:
        changes |= {f"members.{one.id}.{path}": value for path, value in one.changes.items()}
    add = filled(
        categories=[category.body() for category in planned.added],
        members=[_member(one) for one in planned.members if one.known is None],
    )
    return household.updated(conn, planned.id, changes, base=heads, add=add or None)


class TripPlan:
    """The trip that a list's goods are for: made, or found again, with the lines that are not yet so.

    `asked`: what has to be said before there can be one. `team`: None while nobody knows.
    """

    def __init__(
        self, conn: Connection, plan: Plan, read: Reading, title: str, date: str | None, *, adds_items: bool
    ) -> None:
        self.conn, self.plan, self.title, self.date = conn, plan, title, date
        self.goods = [one for one in plan.households if one.goods]
        self.divisions = sorted({one.division for one in self.goods})
        self.before = self._before()
        self.id = self.before.id if self.before else uuid7()
        now = importing.allotments(conn, self.id) if self.before else {}
        wanted: Counter[tuple[str, str]] = Counter()
        for one in self.goods:
            for (named, item), quantity in one.goods.items():  # what a merged one had before stays where it is
                wanted[named if (named, item) in now else one.id, item] += quantity
        self.lines: list[trip.AllotmentLine] = [
            (*line, quantity) for line, quantity in wanted.items() if now.get(line) != quantity
        ]
        self.asked: list[Question] = [] if adds_items else _unknown_items(plan, read)
        self.team = (self.before.team if self.before else None) or self._team(read.choices.team)
        if self.date is None:
            what = "表上没有发放日期:哪一天发?"
            what_en = "The list has no day: when are the goods given out?"
            self.asked.append(Question("", None, what, (), what_en, "date"))

    def _before(self) -> TripHead | None:
        """The trip that an earlier import of the same list made."""
        for head in trips(self.conn):
            same_days = self.date == head.starts == head.ends
            if same_days and head.title == self.title and set(self.divisions) <= set(head.divisions):
                return head
        return None

    def facts(self, made: dict[str, Any]) -> Iterator[Fact]:
        """`made`: what the result says of the trip; at the centre it learns how many laptops have it.

        Once nothing is asked any more.
        """
        assert self.team is not None
        for item in self.plan.new_items:
            yield catalog.item_fact(
                filled(code=item.code, name=item.name, unit=item.unit, spec=item.spec) | {"class": "household_goods"}
            )
        if self.before is None:
            days = {"starts": self.date, "ends": self.date}
            yield trip.planned(self.id, title=self.title, team=self.team, divisions=self.divisions, **days)
        yield from trip.allotted(self.id, self.lines)
        if log.is_centre(self.conn):
            held = importing.released_devices(self.conn, self.id)
            new = [device for device in importing.active_devices(self.conn, self.team) if device not in held]
            made["laptops"] = len({*held, *new})
            if new:
                yield trip.released_fact(self.id, dict.fromkeys([*held, *new], ()))

    def _team(self, said: str | None) -> str | None:
        """A laptop plans for its own team; the centre for the one team of the lowest level that works there.

        Raises: Problem `unknown-team`.
        """
        if not log.is_centre(self.conn):
            return importing.own_team(self.conn)
        known = teams(self.conn)
        if said is not None:
            named = [team.id for team in known if said in (team.id, team.name)]
            if len(named) != 1:
                raise Problem("unknown-team", team=said)
            return named[0]
        working = [
            team for team in known if all(any(d.startswith(works) for works in team.divisions) for d in self.divisions)
        ]
        lowest = [team for team in working if (team.level or 0) == max(t.level or 0 for t in working)]
        if len(lowest) == 1:
            return lowest[0].id
        what, what_en = "还没有队伍在这里工作:物资由哪一支去发?", "No team works there yet: which one takes the goods?"
        if lowest:
            what, what_en = "几支队伍都在这里工作:物资由哪一支去发?", "Several teams work there: which takes the goods?"
        options = tuple(team.name for team in lowest)
        self.asked.append(Question("", None, what, options, what_en, "team"))
        return None


def _unknown_items(plan: Plan, read: Reading) -> list[Question]:
    """Of the columns of goods that the catalogue has not, for somebody who may not add to it."""
    asked = []
    for listed in read.listed:
        for column in listed.layout.items:
            if item_of(column, read.items) in plan.new_items:
                what = f"物资目录里没有“{column.name}”:是目录里的哪一种?不读这一列也行;新物资由办公室添加"
                what_en = (
                    f"The catalogue has no “{column.name}”: which item is it? Or leave it out; the office adds any"
                )
                names = tuple(item.name for item in read.items)
                asked.append(
                    Question(
                        listed.sheet.name, listed.layout.heading + 1, what, names, what_en, "item", str(column.column)
                    )
                )
    return asked
