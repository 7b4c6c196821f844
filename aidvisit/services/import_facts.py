"""The facts that a plan comes to: households with their people, items, a trip and its allotment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from aidvisit.errors import Problem
from aidvisit.services import catalog, household, trip
from aidvisit.services.bodies import filled
from aidvisit.services.import_read import unclear
from aidvisit.services.sheet import Plan, Question
from aidvisit.services.sheet.plan import PlannedHousehold
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
    """The trip that a list's goods are for: made, or found again, with the lines that are not yet so."""

    def __init__(self, conn: Connection, plan: Plan, title: str, date: str | None, team: str | None = None) -> None:
        self.conn, self.plan, self.title, self.date, self.asked = conn, plan, title, date, team
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

    def _before(self) -> TripHead | None:
        """The trip that an earlier import of the same list made."""
        for head in trips(self.conn):
            same_days = self.date == head.starts == head.ends
            if same_days and head.title == self.title and set(self.divisions) <= set(head.divisions):
                return head
        return None

    def facts(self, made: dict[str, Any]) -> Iterator[Fact]:
        """`made`: what the result says of the trip; at the centre it learns how many laptops have it."""
        central = log.is_centre(self.conn)
        if self.plan.new_items and not central:
            names = "、".join(item.name for item in self.plan.new_items)
            what = f"物资目录里没有{names}:请说明它是目录里的哪一种,或请中心先添加"
            what_en = f"The catalogue has no {names}: say which item of it is meant, or have the centre add it"
            raise unclear(Question("", None, what, (), what_en))
        for item in self.plan.new_items:
            yield catalog.item_fact(
                filled(code=item.code, name=item.name, unit=item.unit, spec=item.spec) | {"class": "household_goods"}
            )
        team = (self.before.team if self.before else None) or self._team(central)
        if self.before is None:
            if self.date is None:
                what = "表上没有发放日期:请在标题下写“日期:2020年12月30日”这样的一格"
                what_en = "The list has no day: write one below its title, like 日期:2020年12月30日"
                raise unclear(Question("", None, what, (), what_en))
            days = {"starts": self.date, "ends": self.date}
            yield trip.planned(self.id, title=self.title, team=team, divisions=self.divisions, **days)
        yield from trip.allotted(self.id, self.lines)
        if central:
            held = importing.released_devices(self.conn, self.id)
            new = [device for device in importing.active_devices(self.conn, team) if device not in held]
            made["laptops"] = len({*held, *new})
            if new:
                yield trip.released_fact(self.id, dict.fromkeys([*held, *new], ()))

    def _team(self, central: bool) -> str:
        """A laptop plans for its own team; the centre for the one team of the lowest level that works there.

        Raises: Problem `import-unclear`, `unknown-team`.
        """
        if not central:
            return importing.own_team(self.conn)
        if self.asked is not None:
            named = [team.id for team in teams(self.conn) if self.asked in (team.id, team.name)]
            if len(named) != 1:
                raise Problem("unknown-team", team=self.asked)
            return named[0]
        working = [
            team
            for team in teams(self.conn)
            if all(any(d.startswith(works) for works in team.divisions) for d in self.divisions)
        ]
        lowest = [team for team in working if (team.level or 0) == max(t.level or 0 for t in working)]
        if len(lowest) == 1:
            return lowest[0].id
        options = tuple(team.name for team in lowest)
        what, what_en = "没有队伍在这里工作:请先用 central team add 添加", "No team works there: add one first"
        if lowest:
            what = "几支队伍都在这里工作,请说明是哪一支(命令行:--team)"
            what_en = "Several teams work there: say which (on the command line: --team)"
        raise unclear(Question("", None, what, options, what_en))
