"""A list as somebody typed it becomes households, a trip and its allotment: all or nothing, and twice is once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain import id_number
from aidvisit.domain.rights import may
from aidvisit.errors import Problem
from aidvisit.services import audit, catalog, household, trip
from aidvisit.services.bodies import filled
from aidvisit.services.sheet import (
    Known,
    Layout,
    Plan,
    Question,
    Refused,
    Sheet,
    find_layout,
    make_plan,
    open_sheets,
    read_rows,
)
from aidvisit.services.sheet.cells import squeeze
from aidvisit.services.sheet.layout import trip_title as title_of_trip
from aidvisit.services.sheet.places import find_towns, find_villages
from aidvisit.services.sheet.plan import Category, KnownHousehold, KnownItem, PlannedHousehold
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import importing
from aidvisit.store.queries.account import teams, user
from aidvisit.store.queries.catalog import divisions as all_divisions
from aidvisit.store.queries.catalog import items
from aidvisit.store.queries.trip import TripHead, trips
from sync import log
from sync.op import uuid7


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or with `dry_run` would do. `households`, `members`: state → number.

    `trip`: {`id`, `title`, `starts`, `state`} or None when the list has no goods; at the centre also `laptops`, how
    many it is released to. `allotments`: lines that were set.
    """

    households: dict[str, int]
    members: dict[str, int]
    refused: tuple[Refused, ...]
    questions: tuple[Question, ...]
    trip: dict[str, Any] | None
    allotments: int
    dry_run: bool

    def to_dict(self) -> dict[str, Any]:
        """The documented shape of `aidvisit import --json`."""
        return asdict(self)


def import_sheet(
    path: Path,
    *,
    actor: str,
    division: str | None = None,
    trip_title: str | None = None,
    dry_run: bool = False,
) -> Imported:
    """Register a list's households, plan its trip and set its allotments, in one transaction.

    `division`: 12 digits (or a town's 9 when every row names its village), else it is found in the title. At the
    centre the trip is released to the team's laptops. Rows that cannot be taken are left out and listed.
    Raises: Problem `sheet-unreadable`, `not-a-sheet`, `no-header-found`, `import-unclear` (`questions`),
    `not-permitted`.
    """
    sheets = open_sheets(path)
    with reading() if dry_run else transaction() as conn:
        person = user(conn, actor)
        if person is not None and not may(person.role, "import.run"):
            raise Problem("not-permitted")
        names = frozenset(item.name for item in items(conn).values())
        listed = [(sheet, layout) for sheet in sheets if (layout := find_layout(sheet, names))]
        if not listed:
            raise Problem("no-header-found", file=path.name)
        sheet, layout = listed[0]
        plan = _plan(conn, sheet, layout, division)
        others = tuple(Question(other.name, None, "只导入第一张名单,这一张没有读") for other, _ in listed[1:])
        plan = replace(plan, questions=plan.questions + others)
        return _Import(conn, actor, plan, trip_title or title_of_trip(layout.title), layout.date).run(dry_run)


def _plan(conn: Connection, sheet: Sheet, layout: Layout, division: str | None) -> Plan:
    divisions = {row.code: row.name for row in all_divisions(conn)}
    division = _division(sheet, layout, divisions, division)
    rows, total = read_rows(sheet, layout)
    id_numbers = {row.id_number for row in rows if row.id_number}
    known = Known(
        [KnownHousehold(**row) for row in importing.known_households(conn, division[:9], id_numbers)],
        {squeeze(word): code for word, code in importing.category_words(conn).items()},
        [KnownItem(item.code, item.name, item.unit, item.spec or "") for item in items(conn).values()],
        divisions,
    )
    return make_plan(sheet, layout, rows, total, known, division)


def _division(sheet: Sheet, layout: Layout, divisions: dict[str, str], asked: str | None) -> str:
    if asked is not None:
        if asked not in divisions:
            raise _unclear(Question(sheet.name, None, f"不认识区划代码 {asked}:请核对 --division"))
        return asked
    found = find_villages(layout.title, divisions)
    if not found and "village" in layout.columns:
        found = find_towns(layout.title, divisions)
    if len(found) == 1:
        return found[0]
    options = tuple(f"{code} {divisions.get(code[:9], '')}{divisions[code]}" for code in found)
    what = f"标题“{layout.title}”说的是哪个村?请用 --division 给出 12 位区划代码"
    raise _unclear(Question(sheet.name, 1, what, options))


def _unclear(*questions: Question) -> Problem:
    detail = ";".join("、".join((question.what, *question.options)) for question in questions)
    return Problem("import-unclear", detail, questions=[asdict(question) for question in questions])


class _Import:
    """One plan carried out in one transaction."""

    def __init__(self, conn: Connection, actor: str, plan: Plan, title: str, date: str | None) -> None:
        self.conn, self.actor, self.plan, self.title, self.date = conn, actor, plan, title, date
        self.ids = [planned.known.id if planned.known else uuid7() for planned in plan.households]
        self.divisions = sorted({planned.division for planned in plan.households})

    def run(self, dry_run: bool) -> Imported:
        before = self._trip_before()
        lines = self._new_lines(before)
        goods = any(planned.row.quantities for planned in self.plan.households)
        facts = list(self._household_facts())
        made: dict[str, Any] | None = None
        if goods:
            trip_id = before.id if before else uuid7()
            made = {"id": trip_id, "title": self.title, "starts": self.date, "state": "same" if before else "new"}
            facts += list(self._trip_facts(before, trip_id, lines, made))
        if not dry_run and facts:
            ledger.record(self.conn, self.actor, *facts)
            detail = made["id"] if made else None
            audit.record(self.actor, audit.IMPORT, conn=self.conn, rows=len(self.ids), detail=detail)
        states = Counter(planned.state for planned in self.plan.households)
        return Imported(
            {state: states[state] for state in ("new", "same", "changed")},
            {"new": 0, "same": 0, "changed": 0},
            self.plan.refused,
            self.plan.questions,
            made,
            len(lines),
            dry_run,
        )

    def _household_facts(self) -> Iterator[Fact]:
        for identity, planned in zip(self.ids, self.plan.households, strict=True):
            if planned.state == "new":
                yield household.registered(identity, _registration(planned))
            elif planned.state == "changed":
                add = {"categories": [_held(category) for category in planned.added]} if planned.added else None
                yield household.updated(self.conn, identity, planned.changes, add=add)

    def _trip_before(self) -> TripHead | None:
        """The trip that an earlier import of the same list made."""
        for head in trips(self.conn):
            same_days = self.date == head.starts == head.ends
            if same_days and head.title == self.title and sorted(head.divisions) == self.divisions:
                return head
        return None

    def _new_lines(self, before: TripHead | None) -> list[trip.AllotmentLine]:
        """The allotment's lines that are not yet so."""
        now = importing.allotments(self.conn, before.id) if before else {}
        wanted = [
            (identity, self.plan.items[index].code, quantity)
            for identity, planned in zip(self.ids, self.plan.households, strict=True)
            for index, quantity in planned.row.quantities.items()
        ]
        return [line for line in wanted if now.get(line[:2]) != line[2]]

    def _trip_facts(
        self, before: TripHead | None, trip_id: str, lines: list[trip.AllotmentLine], made: dict[str, Any]
    ) -> Iterator[Fact]:
        central = log.is_centre(self.conn)
        if self.plan.new_items and not central:
            names = "、".join(item.name for item in self.plan.new_items)
            raise _unclear(Question("", None, f"物资目录里没有{names}:请中心先添加,或改成目录里的名称"))
        for item in self.plan.new_items:
            yield catalog.item_fact(
                filled(code=item.code, name=item.name, unit=item.unit, spec=item.spec) | {"class": "household_goods"}
            )
        team = (before.team if before else None) or self._team(central)
        if before is None:
            if self.date is None:
                raise _unclear(Question("", None, "表上没有发放日期:请在标题下写“日期:2020年12月30日”这样的一格"))
            days = {"starts": self.date, "ends": self.date}
            yield trip.planned(trip_id, title=self.title, team=team, divisions=self.divisions, **days)
        yield from trip.allotted(trip_id, lines)
        if central:
            held = importing.released_devices(self.conn, trip_id)
            new = [device for device in importing.active_devices(self.conn, team) if device not in held]
            made["laptops"] = len({*held, *new})
            if new:
                yield trip.released_fact(trip_id, dict.fromkeys([*held, *new], ()))

    def _team(self, central: bool) -> str:
        """A laptop plans for its own team; the centre for the one team of the lowest level that works there."""
        if not central:
            return importing.own_team(self.conn)
        working = [
            team
            for team in teams(self.conn)
            if all(any(d.startswith(works) for works in team.divisions) for d in self.divisions)
        ]
        lowest = [team for team in working if (team.level or 0) == max(t.level or 0 for t in working)]
        if len(lowest) == 1:
            return lowest[0].id
        options = tuple(team.name for team in lowest)
        what = "几支队伍都在这里工作,不知道是哪一支" if lowest else "没有队伍在这里工作:请先用 central team add 添加"
        raise _unclear(Question("", None, what, options))


def _registration(planned: PlannedHousehold) -> dict[str, Any]:
    row = planned.row
    said = id_number.read(row.id_number)
    person = {} if isinstance(said, id_number.Flaw) else {"born": said.born, "sex": said.sex}
    return {
        "kind": "household",
        "head": filled(name=row.name, id_number=row.id_number, phone=row.phone, **person),
        "division": planned.division,
        "categories": [_held(category) for category in planned.categories],
        **filled(group=row.group, size=row.size, address=row.address, note=row.note),
    }


def _held(category: Category) -> dict[str, str]:
    return filled(code=category.code, grade=category.grade)
