"""A file that is to be imported: its sheets, what their columns mean, and what is on record beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain.likeness import Someone
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services.sheet import (
    Decisions,
    Hints,
    Known,
    KnownHousehold,
    KnownItem,
    KnownMember,
    Layout,
    Listed,
    Plan,
    Question,
    Sheet,
    SheetRow,
    find_layout,
    make_plan,
    read_rows,
)
from aidvisit.services.sheet.cells import find_date, squeeze
from aidvisit.services.sheet.faults import Said
from aidvisit.services.sheet.places import Places, base_of, find_towns, find_villages, short_name
from aidvisit.services.sheet.plan import WITH_NUMBER, Offer, RowKey
from aidvisit.services.sheet.rows import fingerprint
from aidvisit.store.queries import importing, likeness
from aidvisit.store.queries.catalog import categories, items
from aidvisit.store.queries.catalog import divisions as all_divisions
from sync import log
from sync.op import uuid7

Progress = Callable[[str, int, int], None]
"""Told (what is done now, done, of all) while long work goes on."""
MOST_OPTIONS = 300
"""More villages than that are no choice."""
LAYOUT, VILLAGE = "sheet-layout:", "village-alias:"


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody says of a file. `division`: where rows are that name no village. `trip`, `date`, `team`: of its
    goods; the team by its id or name.

    `villages`: natural village → code of its village. `layouts`: sheet → what its columns mean, as it is remembered;
    with `kind` `skip` it is not read. `accept_sure`, `accepted`: as `Decisions`; `places`: where they may register.
    `households_only`: no trip is made of a list's goods.
    """

    division: str | None = None
    trip: str | None = None
    date: str | None = None
    team: str | None = None
    villages: Mapping[str, str] = field(default_factory=dict)
    layouts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    accept_sure: bool = False
    accepted: Mapping[RowKey, str] = field(default_factory=dict)
    households_only: bool = False
    places: tuple[str, ...] | None = None


_HOW = {
    "team": "--team, --households-only",
    "date": "日期:2020年12月30日 (below the title), --households-only",
    "item": "--households-only",
    "place": "--division; aidvisit central divisions load",
    "village": "--village NAME=CODE",
}


def how(question: Question) -> str:
    """How a command line answers; a page has a field for it."""
    return f" ({_HOW[question.about]})" if question.about in _HOW else ""


def _asked(what: str, options: str, colon: str, after: str = "") -> str:
    """A question with what it may be answered by; behind a question mark there is no colon."""
    return f"{what}{after if what.endswith(('?', '?')) else colon}{options}" if options else what


def unclear(*questions: Question) -> Problem:
    detail = ";".join(_asked(one.what, "、".join(one.options), ":") + how(one) for one in questions)
    detail_en = "; ".join(
        _asked(one.what_en or one.what, ", ".join(one.options), ": ", " ") + how(one) for one in questions
    )
    return Problem(
        "import-unclear", detail, detail_en=detail_en, questions=[asdict(question) for question in questions]
    )


def hints_of(divisions: Mapping[str, str], known: Sequence[KnownItem], words: Mapping[str, str]) -> Hints:
    """By what columns are known where their headings are not."""
    villages = frozenset(short_name(name) for code, name in divisions.items() if len(code) == 12)
    return Hints(frozenset(item.name for item in known), frozenset(words), villages)


def layout_of(
    conn: Connection, sheet: Sheet, hints: Hints, choices: Choices, stem: str, *, named: bool = True
) -> Layout | None:
    """By what was said just now, else by what was said of the same headings before, else by names and content.

    None for a sheet that is not to be read, or lists nobody; one without a column of names counts unless `named`.
    """
    said = choices.layouts.get(sheet.name)
    if said is not None and said.get("kind") == "skip" and named:
        return None
    layout = find_layout(sheet, hints, said, named=False)
    if layout is not None and said is None:
        before = log.recall(conn, LAYOUT + layout.digest)
        if before and before.get("kind") == "skip" and named:
            return None
        layout = find_layout(sheet, hints, before, named=False) if before else layout
    if layout is None or (named and "name" not in layout.columns):
        return None
    return replace(layout, date=choices.date or layout.date or find_date(stem))


class Reading:
    """One file, read beside what is on record. Of several sheets those are read that list somebody by name."""

    def __init__(
        self, conn: Connection, name: str, sheets: Sequence[Sheet], choices: Choices, today: str, progress: Progress
    ) -> None:
        self.conn, self.choices, self.progress = conn, choices, progress
        self.divisions = {row.code: row.name for row in all_divisions(conn)}
        self._check_codes()
        self.words = {squeeze(word): code for word, code in importing.category_words(conn).items()}
        self.category_names = categories(conn)
        self.items = [KnownItem(item.code, item.name, item.unit, item.spec or "") for item in items(conn).values()]
        self.hints = hints_of(self.divisions, self.items, self.words)
        self.layouts = {sheet.name: layout_of(conn, sheet, self.hints, choices, Path(name).stem) for sheet in sheets}
        found = [(sheet, layout) for sheet in sheets if (layout := self.layouts[sheet.name])]
        if not found:
            raise Problem("no-header-found", file=name)
        self.listed = [self._listed(sheet, layout, Path(name).stem, today) for sheet, layout in found]

    def _check_codes(self) -> None:
        for code in filter(None, (self.choices.division, *self.choices.villages.values())):
            known = code in self.divisions or (len(code) <= 6 and any(one.startswith(code) for one in self.divisions))
            if not known or (code != self.choices.division and len(code) != 12):
                what = f"不认识区划代码 {code}:请核对;这个县的镇村还没有装入,就要先装入"
                what_en = f"The division code {code} is not known: check it, or load the county's divisions first"
                raise unclear(Question("", None, what, (), what_en, "place"))

    def _listed(self, sheet: Sheet, layout: Layout, stem: str, today: str) -> Listed:
        rows, total = read_rows(sheet, layout, today, lambda done, of: self.progress("reading", done, of))
        return Listed(sheet, layout, rows, total, self._base(sheet, layout, rows, stem))

    def _base(self, sheet: Sheet, layout: Layout, rows: Sequence[SheetRow], stem: str) -> str:
        """Where a sheet's rows are, but for what they say themselves. Raises: Problem `import-unclear`."""
        if self.choices.division is not None:
            return self.choices.division
        named = "village" in layout.columns
        found: list[str] = []
        for text in (layout.title, sheet.name, stem):
            found = found or find_villages(text, self.divisions)
            if not found and named:
                found = find_towns(text, self.divisions)
        if not found and named:
            found = base_of([row.village for row in rows], self.divisions)
            counties = {town[:6] for town in found} if "town" in layout.columns else set()
            found = sorted(counties) if len(counties) == 1 else found
        if len(found) == 1:
            return found[0][:9] if named and "town" not in layout.columns else found[0]
        options = tuple(f"{code} {self.divisions.get(code[:9], '')}{self.divisions[code]}" for code in found)
        what, what_en = "表上没有写是哪个村?", "Which village is it? The list does not say"
        if layout.title:
            what = f"标题“{layout.title}”说的是哪个村?"
            what_en = f"Which village does the title “{layout.title}” mean?"
        if named and (villages := list(dict.fromkeys(row.village for row in rows if row.village))[:3]):
            what = f"“{'、'.join(villages)}”在哪个镇?"
            what_en = f"In which town are “{', '.join(villages)}”?"
        if not found:
            what += "登记过的镇村里没有:请给出区划代码;代码也不认识,就要先装入这个县的镇村"
            what_en += " None that is known: give its code; if that is unknown too, load the county's divisions first"
        raise unclear(Question(sheet.name, None, what, options, what_en, "place"))

    def aliases(self) -> dict[tuple[str, str], str]:
        """(town, natural village) → village: those remembered, and those said just now."""
        found = {}
        for key, code in log.recall_all(self.conn, VILLAGE).items():
            town, _, name = key.partition(":")
            found[town, name] = str(code)
        return found | {(code[:9], squeeze(name)): code for name, code in self.choices.villages.items()}

    def plan(self) -> Plan:
        """Compared with what is on record."""
        aliases = self.aliases()
        rows = {fingerprint(listed.base, row) for listed in self.listed for row in listed.rows}
        said = importing.rows_said(self.conn, rows)
        known = Known(
            self._known_households(
                aliases, {*(one.removesuffix(WITH_NUMBER) for one in self.choices.accepted.values()), *said.values()}
            ),
            self.words,
            self.items,
            self.divisions,
            aliases,
            importing.of_households(self.conn),
            said,
        )
        decisions = Decisions(self.choices.accept_sure, self.choices.accepted, self.choices.places)
        plan = make_plan(
            self.listed,
            known,
            new_id=uuid7,
            decisions=decisions,
            alike=self._alike,
            progress=lambda done, of: self.progress("comparing", done, of),
        )
        return replace(plan, questions=(*plan.questions, *self._village_questions(plan)))

    def _known_households(self, aliases: Mapping[tuple[str, str], str], ids: set[str]) -> list[KnownHousehold]:
        towns: set[str] = set()
        for listed in self.listed:
            places = Places(self.divisions, listed.base, aliases)
            named = {(row.village, row.town) for row in listed.rows if row.village}
            towns |= {code[:9] for text, town in named for code in places.villages(text, town)}
            towns |= {listed.base[:9]} if len(listed.base) >= 9 else set()
        numbers = {row.id_number for listed in self.listed for row in listed.rows if row.id_number}
        found = importing.known_households(self.conn, towns, numbers, ids)
        return [
            KnownHousehold(**{**row, "members": tuple(KnownMember(**member) for member in row["members"])})
            for row in found
        ]

    def _alike(self, rows: Sequence[tuple[SheetRow, str]]) -> list[list[Offer]]:
        places = self.choices.places
        scope = EVERYTHING if places is None else Scope(divisions=places)
        people = [Someone(row.name, row.id_number, row.phone, row.born, place, row.group) for row, place in rows]
        return [
            [Offer(one.household, one.name, one.division, one.group, _because(one), sure=False) for one in found]
            for found in likeness.candidates_of(self.conn, people, scope=scope)
        ]

    def _village_questions(self, plan: Plan) -> list[Question]:
        """Which village a natural one belongs to, asked once for each, with the villages of its town."""
        found = []
        for name in plan.unknown_villages:
            listed, row = next((one, row) for one in self.listed for row in one.rows if row.village == name)
            options = self._villages_near(listed.base, row.town)
            what = f"“{name}”不是行政村:属于哪个村?说一次就记住"
            what_en = f"“{name}” is no division: to which village does it belong? It is remembered"
            if not options:
                what = f"“{name}”不认识:这里的村还没有装入,要先装入这个县的镇村;不然请给出它的 12 位区划代码"
                what_en = f"“{name}” is not known: load the county's divisions first, else give its 12 digits"
            found.append(Question(listed.sheet.name, row.number, what, options, what_en, "village", name))
        return found

    def _villages_near(self, base: str, town: str) -> tuple[str, ...]:
        """Code and name of the villages that a natural one may belong to: those of its town."""
        towns = [base[:9]] if len(base) >= 9 else find_towns(town, self.divisions) if town else []
        near = {code: name for code, name in self.divisions.items() if len(code) == 12 and code.startswith(base[:9])}
        return tuple(
            f"{code} {short_name(name)}"
            for code, name in sorted(near.items())
            if code[:9] in towns or (not towns and len(near) <= MOST_OPTIONS)
        )

    def remember(self) -> None:
        """Keep what was said, for the next list of the same headings and the next row of the same place."""
        places = self.choices.places
        new: dict[str, Any] = {
            f"{VILLAGE}{code[:9]}:{squeeze(name)}": code
            for name, code in self.choices.villages.items()
            if places is None or code.startswith(places)
        }
        for listed in self.listed:
            said = self.choices.layouts.get(listed.sheet.name)
            if said:
                new[LAYOUT + listed.layout.digest] = dict(said)
        if new:
            log.remember(self.conn, **new)


def _because(one: likeness.Candidate) -> Said:
    words = [reason.words.partition(" / ") for reason in one.reasons]
    zh, en = "、".join(zh for zh, _, _ in words), ", ".join(en for _, _, en in words)
    if not one.member:
        return Said(zh, en)
    return Said(f"成员“{one.person}”:{zh}", f"member “{one.person}”: {en}")
