"""A day that was kept on paper (补录): the signed sheets of a trip's list become deliveries and visits, all or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as day
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services.bodies import filled, quantities
from aidvisit.services.delivery import Blob, check_form, save
from aidvisit.services.visit import visit_fact
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.queries import custody
from aidvisit.store.queries import trip as trips
from aidvisit.store.queries.progress import share
from aidvisit.store.queries.trip import TripHead
from sync import log
from sync.blobs import put as keep_blob

ASTRAY_DAYS = 31
"""A day further from the trip's than this is a slip of the pen."""
ERROR = "row."
"""Errors of a row stand at this and its household."""


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One household as its sheet has it. `outcome`: why it got nothing, empty when it did; `lines`: item code →
    quantity; `received_by`: as in a delivery.
    """

    household: str
    number: int
    name: str
    outcome: str
    lines: Mapping[str, int]
    received_by: Mapping[str, str]
    note: str | None


@dataclass(frozen=True, slots=True)
class PaperSheet:
    """A signed sheet: which running numbers stand on it, and its photo if there is one. `excused`: there is none."""

    page: int
    numbers: frozenset[int]
    photo: Blob | None
    excused: bool


@dataclass(frozen=True, slots=True)
class PaperDay:
    """What all rows have in common. `form`: the id that the page was made with; sent again, all is saved once.

    `method`: `cash` or `transfer` where a row has cash, of the items `cash`. `reasons`: rule → why it is right so.
    """

    form: str
    trip: str
    date: str
    rows: Sequence[PaperRow]
    sheets: Sequence[PaperSheet]
    handed_by: Sequence[str]
    witness: Mapping[str, str]
    method: str
    cash: frozenset[str]
    reasons: Mapping[str, str]


def delivery_of(form: str, household: str) -> str:
    """The id of a household's delivery by a form: the same each time that the form is sent."""
    return str(uuid5(UUID(form), f"delivery:{household}"))


def visit_of(form: str, household: str) -> str:
    """The same of the visit that says why it got nothing."""
    return str(uuid5(UUID(form), f"visit:{household}"))


def record(paper: PaperDay, *, actor: str, today: str, scope: Scope = EVERYTHING) -> None:
    """Save every row, or none of them. `today`: no day after it is believed.

    Raises: Problem `unknown-trip`, `trip-is-closed`; `invalid-form` (`errors`: `date`, `rows`, `rows.<page>`,
    `photo.<page>`, `row.<household>` → messages); `needs-reason` (`warnings`: as a delivery's, with `household`,
    `number`, `name`) unless every rule has a reason.
    """
    with transaction() as conn:
        head = trips.trip(conn, paper.trip, scope)
        if head is None:
            raise Problem("unknown-trip")
        if head.status == "closed":
            raise Problem("trip-is-closed")
        errors = _of_day(paper, head, today) | _of_sheets(paper)
        odd: list[dict[str, Any]] = []
        for row in paper.rows:
            if errors.get(ERROR + row.household):
                continue
            try:
                _record(conn, actor, paper, row, scope)
            except Problem as problem:
                if problem.name == "needs-reason":
                    found = problem.members["warnings"]
                    odd += [
                        {**one, "household": row.household, "number": row.number, "name": row.name} for one in found
                    ]
                else:
                    errors[ERROR + row.household] = _said(problem)
        if errors:
            raise Problem("invalid-form", count=len(errors), errors=errors)
        if odd:
            raise Problem("needs-reason", count=len(odd), warnings=odd)


def _of_day(paper: PaperDay, head: TripHead, today: str) -> dict[str, list[str]]:
    if not paper.rows:
        return {"rows": ["还没有勾选哪一户。 / No household is ticked yet."]}
    apart = timedelta(ASTRAY_DAYS)
    earliest = (day.fromisoformat(head.starts) - apart).isoformat()
    latest = (day.fromisoformat(head.ends) + apart).isoformat()
    if paper.date > today:
        return {"date": ["这一天还没有到,纸上不会有签名。 / This day is still to come: nobody has signed for it."]}
    if not earliest <= paper.date <= latest:
        words = f"离任务的日子({head.starts} 至 {head.ends})太远,请核对年月。"
        return {"date": [f"{words} / This is far from the days of the trip: look at the year and the month."]}
    return {}


def _of_sheets(paper: PaperDay) -> dict[str, list[str]]:
    """Every delivery stands on one sheet, and each such sheet has its photo."""
    errors: dict[str, list[str]] = {}
    for row in paper.rows:
        on = [sheet for sheet in paper.sheets if row.number in sheet.numbers]
        if len(on) > 1:
            pages = "、".join(str(sheet.page) for sheet in on)
            words = f"写在了两张表上(第 {pages} 张)。 / This row is named by two sheets ({pages})."
            errors[ERROR + row.household] = [words]
        elif not on and not row.outcome:
            words = "不在任何一张签领表上,请在“签领表”里写上这个序号。 / No sheet names this row's number."
            errors[ERROR + row.household] = [words]
    for sheet in paper.sheets:
        used = any(row.number in sheet.numbers and not row.outcome for row in paper.rows)
        if used and sheet.photo is None and not sheet.excused:
            words = "请拍这一张的照片,或勾选“没有照片”。 / Take a photo of this sheet, or tick that there is none."
            errors[f"photo.{sheet.page}"] = [words]
    return errors


def _record(conn: Connection, actor: str, paper: PaperDay, row: PaperRow, scope: Scope) -> None:
    """Raises: Problem, of which `_said` makes the row's words."""
    sheet = next((sheet for sheet in paper.sheets if row.number in sheet.numbers), None)
    proofs = [_proof(sheet, row)] if sheet else []
    if row.outcome:
        fact = visit_fact(
            conn, actor=actor, visit=visit_of(paper.form, row.household), household=row.household, trip=paper.trip,
            date=paper.date, outcome=row.outcome, purposes=["distribution"], note=row.note, by=paper.handed_by,
            proofs=proofs, scope=scope,
        )  # fmt: skip
        if sheet and sheet.photo:
            keep_blob(conn, *sheet.photo)
        ledger.record(conn, actor, fact)
        return
    identity = delivery_of(paper.form, row.household)
    listed = share(conn, paper.trip, row.household)
    if listed and listed.delivered and not log.entries_of(conn, identity, {"delivery.recorded"}):
        words = (
            "这次任务已经给这一户发过了,没有再记。请去掉这一行的勾。 / It was served on this trip already: untick it."
        )
        raise Problem("invalid-form", count=1, errors={"lines": [words]})
    check_form(row.lines, row.received_by, proofs)
    body = filled(household=row.household, trip=paper.trip, date=paper.date, note=row.note)
    body |= {"lines": quantities(row.lines), "received_by": filled(**row.received_by), "proofs": proofs}
    kept = custody.of_household(conn, row.household, paper.trip)
    body |= filled(handed_by=list(paper.handed_by), witness=filled(**paper.witness), from_=kept and kept[0].place)
    if any(quantity and item in paper.cash for item, quantity in row.lines.items()):
        body["method"] = paper.method
    blobs = [sheet.photo] if sheet and sheet.photo else []
    save(conn, actor=actor, delivery=identity, body=body, blobs=blobs, reasons=paper.reasons)


def _proof(sheet: PaperSheet, row: PaperRow) -> dict[str, Any]:
    """The row's place on its sheet is its running number: that is what is printed there."""
    place = {"as": "paper", "page": sheet.page, "row": row.number}
    if sheet.photo is None:
        return place
    name, media_type, data = sheet.photo
    return place | {"sha256": name, "bytes": len(data), "media_type": media_type}


def _said(problem: Problem) -> list[str]:
    if problem.name == "invalid-form":
        return [message for messages in problem.members["errors"].values() for message in messages]
    if problem.name == "subject-exists":
        words = "这一行已经保存过,这次填的不一样。要改请到那一户的页面“更正”。"
        return [
            f"{words} / This row was saved before, and says something else now: correct it on the household's page."
        ]
    return [f"{problem.words('zh')} / {problem.words('en')}"]
