"""A list as somebody typed it becomes households, a trip and its allotment: all or nothing, and twice is once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain.rights import may
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.import_facts import TripPlan, household_facts
from aidvisit.services.import_read import Choices, Progress, Reading, unclear
from aidvisit.services.sheet import Outcome, Plan, Question, Refused, Sheet, open_sheets
from aidvisit.services.sheet.layout import trip_title as title_of_trip
from aidvisit.services.sheet.refused import refused_tables
from aidvisit.services.sheet.write import workbook
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import importing
from aidvisit.store.queries.account import UserRow, user
from sync import clock, log

STEP = 1000
"""Facts that are recorded at once: between them one is told how far it is."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or with `dry_run` would do. `households`, `members`: state → number.

    `trip`: {`id`, `title`, `starts`, `state`} or None when the list has no goods; at the centre also `laptops`, how
    many it is released to. `allotments`: lines that were set. `sheets`: {`sheet`, `kind`, `taken`, `refused`, `new`,
    `same`, `changed`} each, in rows;
    `matches`: rows that were offered a household, `accepted` those of them that are in it now.
    `villages`: those that are no division and that nobody said more of. `elsewhere`: rows of people who may be on
    record where the reader has no right. `waiting`: of a rehearsal, what has to be said before anything is written.
    `checks`: what is odd about rows that are taken.
    """

    households: dict[str, int]
    members: dict[str, int]
    refused: tuple[Refused, ...]
    questions: tuple[Question, ...]
    trip: dict[str, Any] | None
    allotments: int
    dry_run: bool
    sheets: tuple[dict[str, Any], ...] = ()
    matches: int = 0
    accepted: int = 0
    villages: tuple[str, ...] = ()
    elsewhere: int = 0
    waiting: tuple[Question, ...] = ()
    checks: tuple[Refused, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The documented shape of `aidvisit import --json`; its words are Chinese, as the lists are."""
        found = asdict(self)
        for one in (*found["refused"], *found["checks"], *found["questions"], *found["waiting"]):
            one.pop("why_en", None)
            one.pop("what_en", None)
        return found


def import_sheet(
    path: Path,
    *,
    actor: str,
    division: str | None = None,
    trip_title: str | None = None,
    dry_run: bool = False,
    choices: Choices | None = None,
    progress: Progress | None = None,
    refused_to: Path | None = None,
) -> Imported:
    """Register a list's households and people, plan its trip and set its allotments, in one transaction.

    `division`: 12 digits (or a town's 9 when every row names its village), else it is found in the title. At the
    centre the trip is released to the team's laptops. Rows that cannot be taken are left out and listed, and
    written with their reasons to the spreadsheet `refused_to`.
    Raises: Problem `sheet-unreadable`, `not-a-sheet`, `sheet-too-large`, `no-header-found`, `import-unclear`
    (`questions`), `not-permitted`.
    """
    choices = choices or Choices(division=division, trip=trip_title)
    sheets = open_sheets(path)
    with reading() if dry_run else transaction() as conn:
        done, _, read = import_into(conn, path.name, sheets, actor, choices, dry_run=dry_run, progress=progress)
        if refused_to is not None and done.refused:
            workbook(refused_to, refused_tables(read.listed, done.refused))
        return done


def import_into(
    conn: Connection,
    name: str,
    sheets: Sequence[Sheet],
    actor: str,
    choices: Choices,
    *,
    dry_run: bool,
    progress: Progress | None = None,
) -> tuple[Imported, Plan, Reading]:
    """The same for a file that is read, in the caller's transaction; what becomes of each row stands in the plan."""
    person = user(conn, actor)
    if person is not None and not may(person.role, "import.run"):
        raise Problem("not-permitted")
    if not dry_run:
        log.lock_device(conn, log.own(conn))  # of two imports of one list, the second finds what the first made
    if not log.is_centre(conn):
        choices = replace(choices, places=importing.held_towns(conn))
    tell = progress or _nobody
    read = Reading(conn, name, sheets, choices, clock.wall().date().isoformat(), tell)
    plan = read.plan()
    title = _title(read, choices)
    goods = _trip(conn, plan, read, title, person)
    waiting = tuple(goods.asked) if goods else ()
    if waiting and not dry_run:
        raise unclear(*waiting)
    made: dict[str, Any] | None = None
    if goods:
        state = "same" if goods.before else "new"
        made = {"id": goods.id, "title": title, "starts": goods.date, "state": state}
    facts = list(household_facts(conn, plan))
    if goods and made and not waiting:
        facts += goods.facts(made)
    facts += [audit.line(audit.ROW_SAID, household=one, detail=row) for row, one in plan.said.items()]
    if not dry_run:
        read.remember()
        for start in range(0, len(facts), STEP):
            tell("writing", start, len(facts))
            ledger.record(conn, actor, *facts[start : start + STEP])
        told_elsewhere(actor, plan.elsewhere, conn=conn)
        if facts:
            detail = made["id"] if made else None
            audit.record(actor, audit.IMPORT, conn=conn, rows=len(plan.households), detail=detail)
        tell("writing", len(facts), len(facts))
    done = Imported(
        _states(one.state for one in plan.households),
        _states(one.state for house in plan.households for one in house.members if one.listed),
        plan.refused,
        plan.questions,
        made,
        len(goods.lines) if goods else 0,
        dry_run,
        tuple(_sheet(plan.outcomes, listed.sheet.name, listed.layout.kind) for listed in read.listed),
        sum(1 for one in plan.outcomes if one.taken or any(offer.sure for offer in one.offers)),
        sum(1 for one in plan.outcomes if one.taken),
        plan.unknown_villages,
        plan.elsewhere,
        waiting,
        plan.checks,
    )
    return done, plan, read


def _trip(conn: Connection, plan: Plan, read: Reading, title: str, person: UserRow | None) -> TripPlan | None:
    """The trip that the goods are for, None without any. `person`: None for a device, which may add items."""
    if read.choices.households_only or not any(one.goods for one in plan.households):
        return None
    adds = log.is_centre(conn) and (person is None or may(person.role, "catalog.manage"))
    return TripPlan(conn, plan, read, title, _date(read), adds_items=adds)


def told_elsewhere(actor: str, rows: int, *, conn: Connection | None = None) -> None:
    """Write down that somebody learned of so many rows that their people are on record where they have no right."""
    if rows:
        audit.record(actor, audit.IMPORT_ELSEWHERE, conn=conn, rows=rows)


def _nobody(_what: str, _done: int, _of: int) -> None:
    pass


def _states(states: Any) -> dict[str, int]:
    counted = Counter(states)
    return {state: counted[state] for state in ("new", "same", "changed")}


def _sheet(outcomes: Sequence[Outcome], name: str, kind: str) -> dict[str, Any]:
    of_sheet = [one.state for one in outcomes if one.sheet == name]
    refused = of_sheet.count("refused")
    return {"sheet": name, "kind": kind, "taken": len(of_sheet) - refused, "refused": refused, **_states(of_sheet)}


def _title(read: Reading, choices: Choices) -> str:
    """Of the trip: as somebody says, else as the first list with goods calls itself, else by its place."""
    if choices.trip:
        return choices.trip
    listed = next((one for one in read.listed if one.layout.items), read.listed[0])
    place = read.divisions.get(listed.base, "")
    return title_of_trip(listed.layout.title) or f"{place}物资发放"


def _date(read: Reading) -> str | None:
    return next((one.layout.date for one in read.listed if one.layout.items), None)
