"""Divisions at the centre: one by one, or a county's towns and villages from a file, all or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain import division as rules
from aidvisit.domain.division import COUNTY, is_code
from aidvisit.domain.facts.fields import NAME
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.text import tidy
from aidvisit.errors import Problem
from aidvisit.services.catalog import division_fact
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries import catalog
from aidvisit.store.queries import division as queries
from sync import log
from sync.op import is_text

HEADINGS = {"code": "code", "代码": "code", "区划代码": "code", "name": "name", "名称": "name", "parent": "parent",
            "上级": "parent", "上级代码": "parent"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file. `state`: new, same, changed or refused; `before`: what a changed one was called.

    `why`: of a refused one, 中文 / English.
    """

    line: int
    code: str
    name: str
    state: str
    before: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Loading:
    """What a file makes of one county; `elsewhere`: lines that are about other places."""

    county: str
    name: str
    rows: list[Row]
    elsewhere: int

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows)

    def text(self) -> str:
        """Its lines as a file of their own, for a form to carry from the preview to the loading."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [("code", "name"), *((row.code, row.name) for row in self.rows)]
        )
        return text.getvalue()


def define(
    *, actor: str, code: str, name: str, contact: dict[str, str] | None = None, seen: str | None = None,
    scope: Scope = EVERYTHING,
) -> bool:  # fmt: skip
    """Add a division, or change its name and contact: codes stay. Whether anything was recorded.

    `seen`: what whoever changes it had in view (`DivisionView.seen`); None: the code is to be a new one.
    Raises: Problem `code-taken`, `unknown-code`, `changed-meanwhile`, `unknown-division` (what it lies in),
    `place-outside`, `invalid-body`.
    """
    if not is_code(code):
        raise Problem("unknown-code", code=code)
    with transaction() as conn:
        log.lock_device(conn, log.own(conn))
        before = queries.division(conn, code)
        if before is None and seen is not None:
            raise Problem("unknown-code", code=code)
        if before is not None and seen is None:
            raise Problem("code-taken", code=code, held=before.name)
        if before is not None and seen != before.seen:
            raise Problem("changed-meanwhile")
        _within(conn, scope, code)
        if before is not None and (before.name, before.contact) == (tidy(name), contact):
            return False
        ledger.record(conn, actor, division_fact({"code": code, "name": tidy(name), "contact": contact}))
        return True


def _within(conn: Connection, scope: Scope, code: str) -> None:
    """Whether a division may be defined by somebody: it lies where they answer for, and in what is known."""
    if not scope.place(code):
        raise Problem("place-outside", code=code)
    above = rules.parent(code)
    if above is not None and not catalog.own_names(conn, [above]):
        raise Problem("unknown-division", code=above)


def preview(data: bytes, county: str, *, scope: Scope = EVERYTHING) -> Loading:
    """What loading a file would do. `county`: 6 digits. Raises: Problem `unknown-code`, `place-outside`,
    `not-a-division-list`, `nothing-for-county`."""
    with reading() as conn:
        return _loading(conn, data, county, scope)


def load(data: bytes, county: str, *, actor: str, scope: Scope = EVERYTHING) -> Loading:
    """Load the towns and villages of a county: all or nothing, and the same file again changes nothing.

    Contacts are kept. Raises: Problem as `preview`, and `refused-lines` when any line is refused.
    """
    with transaction() as conn:
        log.lock_device(conn, log.own(conn))
        found = _loading(conn, data, county, scope)
        if wrong := [row for row in found.rows if row.state == "refused"]:
            raise Problem("refused-lines", count=len(wrong), line=wrong[0].line)
        held = queries.defined(conn, county)
        facts = [
            division_fact({"code": row.code, "name": row.name, "contact": held[row.code].contact})
            if row.code in held
            else division_fact({"code": row.code, "name": row.name})
            for row in found.rows
            if row.state != "same"
        ]
        if facts:
            ledger.record(conn, actor, *facts)
        return found


def _loading(conn: Connection, data: bytes, county: str, scope: Scope) -> Loading:
    if len(county) != COUNTY or not is_code(county):
        raise Problem("unknown-code", code=county)
    if not scope.place(county):
        raise Problem("place-outside", code=county)
    names = catalog.own_names(conn, [county])
    if county not in names:
        raise Problem("unknown-code", code=county)
    names |= {code: row.name for code, row in queries.defined(conn, county).items()}
    lines = list(_lines(data))
    own = [line for line in lines if line[1].startswith(county) or not is_code(line[1])]
    if not any(line[1].startswith(county) for line in own):
        raise Problem("nothing-for-county", county=county)
    rows: list[Row] = []
    told: dict[str, str] = {}
    for number, code, name, above in sorted(own, key=lambda line: (len(line[1]), line[0])):
        rows.append(_row(number, code, name, above, names, told))
        if rows[-1].state != "refused":
            told[code] = name
    rows.sort(key=lambda row: row.line)
    return Loading(county, names[county], rows, len(lines) - len(own))


def _row(number: int, code: str, name: str, above: str, names: dict[str, str], told: dict[str, str]) -> Row:
    """`names`: what was known before the file; `told`: what its shorter codes and earlier lines say."""

    def refused(why: str) -> Row:
        return Row(number, code, name, "refused", why=why)

    if not is_code(code):
        return refused("代码应为 9 位(乡镇)或 12 位(村)数字。 / A code has 9 digits (town) or 12 (village).")
    if not name or len(name) > NAME or not is_text(name):
        return refused(f"名称要有,最多 {NAME} 个字。 / A name is needed, of at most {NAME} characters.")
    if told.get(code, name) != name:
        return refused(f"这个代码前面已经是“{told[code]}”。 / Earlier this code was “{told[code]}”.")
    parent = rules.parent(code) or ""
    if above and above != parent:
        return refused(f"上级应为 {parent},不是 {above}。 / It lies in {parent}, not in {above}.")
    if len(code) > COUNTY and parent not in names and parent not in told:
        return refused(f"没有它的上级 {parent}。 / Nobody knows {parent}, which it lies in.")
    if code in told or names.get(code) == name:
        return Row(number, code, name, "same")
    return Row(number, code, name, "changed" if code in names else "new", before=names.get(code, ""))


def _lines(data: bytes) -> Iterator[tuple[int, str, str, str]]:
    """(line, code, name, parent) of each line that says anything. Raises: Problem `not-a-division-list`."""
    text = _decoded(data)
    try:
        reader = csv.reader(text.splitlines(), strict=True)
        heading = [HEADINGS.get(cell.strip().lower()) for cell in next(reader, [])]
        if "code" not in heading or "name" not in heading:
            raise Problem("not-a-division-list")
        for cells in reader:
            said: dict[Any, str] = dict(zip(heading, (tidy(cell) for cell in cells), strict=False))
            if any(cells):
                yield reader.line_num, said.get("code", ""), said.get("name", ""), said.get("parent", "")
    except csv.Error as error:
        raise Problem("not-a-division-list") from error


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Problem("not-a-division-list")
