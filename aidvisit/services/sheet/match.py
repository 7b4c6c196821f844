"""Rows against what is on record: who is the same, what is new, and what nobody should guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from aidvisit.domain import id_number
from aidvisit.domain.han import simplified
from aidvisit.services.sheet.book import Book, barred, key_of, told, undisputed
from aidvisit.services.sheet.categories import categories_of
from aidvisit.services.sheet.faults import Said, joined, say
from aidvisit.services.sheet.known import Category, Known, KnownHousehold, KnownItem
from aidvisit.services.sheet.people import Persons
from aidvisit.services.sheet.places import Places
from aidvisit.services.sheet.plan import (
    WITH_NUMBER,
    Change,
    Decisions,
    Listed,
    Offer,
    OtherNumber,
    Outcome,
    Plan,
    PlannedHousehold,
    RowKey,
    item_of,
    questions_of,
)
from aidvisit.services.sheet.rows import LONGEST, SheetRow, fingerprint

Alike = Callable[[Sequence[tuple[SheetRow, str]]], Sequence[Sequence[Offer]]]
"""Households on record that rows with their villages may be: asked at once, for all that is new."""


def make_plan(
    sheets: Sequence[Listed],
    known: Known,
    *,
    new_id: Callable[[], str],
    decisions: Decisions = Decisions(),  # noqa: B008
    alike: Alike | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Compare the rows of a file's sheets with what is known; sheets of households before those of people."""
    matcher = _Matcher(known, new_id, decisions)
    total, done = sum(len(listed.rows) for listed in sheets), 0
    for listed in sorted(sheets, key=lambda one: one.layout.kind):
        items = [item_of(column, known.items) for column in listed.layout.items]
        for row in listed.rows:
            matcher.take(listed, row, items)
            done += 1
            if progress and not done % 500:
                progress(done, total)
    if alike is not None:
        matcher.look_for_alike(alike)
    return matcher.plan(sheets, known)


class _Matcher:
    """Takes rows one after another and remembers whom it has seen."""

    def __init__(self, known: Known, new_id: Callable[[], str], decisions: Decisions) -> None:
        self.known, self.decisions = known, decisions
        self.places: dict[str, Places] = {}
        self.made: dict[RowKey, tuple[SheetRow, str]] = {}
        self.book = Book(list(known.households), new_id, decisions.places)
        self.persons = Persons(self.book, known, decisions)
        self.outcomes: list[Outcome] = []
        self.items: dict[str, KnownItem] = {}
        self.unknown: dict[str, None] = {}
        self.seen: dict[str, SheetRow] = {}
        self.seen_places: dict[tuple[str, str, str], SheetRow] = {}
        self.received: dict[str, SheetRow] = {}
        self.elsewhere = 0

    def take(self, listed: Listed, row: SheetRow, items: Sequence[KnownItem]) -> None:
        faults, asks = list(row.faults), list(row.asks)
        places, self.mark = self._places(listed.base), fingerprint(listed.base, row)
        division = self._division(places, row, faults)
        categories, wrong = categories_of(row, self.known, listed.layout.date, asks)
        faults += wrong + _items_twice(row, items)
        if row.village and not row.group and places.is_alias(row.village):
            row = replace(row, group=row.village)
        if listed.layout.kind == "people":
            outcome = self.persons.take(row, division, categories, faults, asks, self.mark)
        else:
            outcome = self._household(row, division, categories, faults, asks, [item.code for item in items])
            self.items |= {item.code: item for item in items}
        self.outcomes.append(replace(outcome, asks=tuple(asks)))

    def _household(
        self,
        row: SheetRow,
        division: str,
        categories: list[Category],
        faults: list[Said],
        asks: list[Said],
        items: list[str],
    ) -> Outcome:
        number, place = id_number.modern(row.id_number), (division, row.name, row.group)
        before = self.seen.get(number) if number else self.seen_places.get(place)
        if before is not None:
            faults.append(told(before, row))
        if faults:
            return _refused(row, joined(faults))
        self.seen[number] = self.seen_places[place] = row
        offers: list[Offer] = []
        house = self._known(number, place, offers)
        taken = ""
        other: OtherNumber = ""
        if house is None and (house := self._said(row, offers)):
            taken = key_of(house)
        if house is None and not number and place in self.book.namesakes:
            return _refused(row, say("namesakes", text=row.name))
        receives = self.book.merged.get(number or place, house.id) if house else ""
        if house is not None and receives in self.received:
            return _refused(row, told(self.received[receives], row, sure=True))
        if house is None:
            house = self._new(row, division, categories)
            self.made[row.sheet, row.number] = (row, division)
        elif why := barred(house):
            self.elsewhere += house.outside
            return _refused(row, why)
        elif (number or place) not in self.book.merged:  # else it stands for another: nothing to compare
            if house.name != row.name and not taken:
                return _refused(row, say("number-known", text=house.name))
            other = self._compare(house, row, categories, asks)
        house.listed = True
        house.row = house.row or row
        receives = receives or house.id
        self.received[receives] = row
        house.goods |= {(receives, items[index]): quantity for index, quantity in row.goods.items()}
        return Outcome(
            row.sheet, row.number, row.name, False, house.state, None, (), _shown(house), tuple(offers), taken,
            other,
        )  # fmt: skip

    def _said(self, row: SheetRow, offers: list[Offer]) -> PlannedHousehold | None:
        """The household that somebody says a row is, now or at an earlier import; it is offered, so that it can be
        taken back."""
        house = self.persons.said(row, self.mark, offers)
        return house if house is not None and house.known is not None else None

    def _known(self, number: str, place: tuple[str, str, str], offers: list[Offer]) -> PlannedHousehold | None:
        """By ID number, else by place, unless that is a namesake with another number.

        Who is on record as a member of another household is offered: they may have a household of their own by now.
        """
        someone = self.book.by_number.get(number) if number else None
        if someone is not None and someone.member is None:
            return someone.house
        if someone is not None and someone.house.open:
            offers.append(self.persons.offered(someone, "offer-number"))
            return None
        house = self.book.by_place.get(place)
        if house is None or house.known is None or (number and house.head.get("id_number")):
            return None
        if place in self.book.namesakes:
            return None
        return house

    def _new(self, row: SheetRow, division: str, categories: Iterable[Category]) -> PlannedHousehold:
        head = {"name": row.name, "id_number": row.id_number, "phone": row.phone, "born": row.born, "sex": row.sex}
        house = PlannedHousehold(
            row, division, tuple(categories), id=self.book.new_id(), name=row.name, group=row.group, head=head
        )
        return self.book.add(house)

    def _compare(
        self, house: PlannedHousehold, row: SheetRow, categories: list[Category], asks: list[Said]
    ) -> OtherNumber:
        """Note what differs; what becomes of the record's ID number where the row has another one."""
        known, number = house.known, id_number.modern(row.id_number)
        assert known is not None
        same_name = simplified(house.name) == simplified(row.name)
        other: OtherNumber = ""
        if same_name and number and known.id_number and number != id_number.modern(known.id_number):
            chosen = self.decisions.accepted.get((row.sheet, row.number), "")
            other = "replaced" if chosen.endswith(WITH_NUMBER) else "kept"
        if other == "kept":
            asks.append(say("number-kept", known=known.id_number, text=row.id_number))
        changes = _changes(row, known, with_number=other == "replaced" or not known.id_number)
        if not same_name:  # somebody else of it: the head's are not this person's
            changes = {path: value for path, value in changes.items() if not path.startswith("head.")}
            if not any(someone.name == row.name for someone in house.members):
                asks.append(say("head-kept", known=house.name, text=row.name))
        house.changes |= undisputed(changes, known.disputed, asks)
        held = {*known.categories, *(one.code for one in house.added)}
        house.added += tuple(one for one in categories if one.code not in held)
        return other

    def look_for_alike(self, alike: Alike) -> None:
        """Offer for each new household those on record that may be the same; nobody takes them but a person."""
        found = dict(zip(self.made, alike(list(self.made.values())), strict=True))
        for place, outcome in enumerate(self.outcomes):
            if offers := found.get((outcome.sheet, outcome.row)):
                keys = {one.key for one in outcome.offers}
                more = tuple(one for one in offers if one.key not in keys)
                self.outcomes[place] = replace(outcome, offers=outcome.offers + more)

    def _places(self, base: str) -> Places:
        if base not in self.places:
            self.places[base] = Places(self.known.divisions, base, self.known.aliases)
        return self.places[base]

    def _division(self, places: Places, row: SheetRow, faults: list[Said]) -> str:
        base = places.base
        if not row.village:
            if len(base) != 12:
                faults.append(say("no-village"))
            return self._allowed(base, faults)
        found = places.villages(row.village, row.town)
        if len(found) == 1:
            return self._allowed(found[0], faults)
        if not found:
            self.unknown[row.village] = None
        faults.append(say("villages" if found else "village", text=row.village[:50]))
        return base

    def _allowed(self, division: str, faults: list[Said]) -> str:
        if not self.book.within(division):
            faults.append(say("elsewhere", text=self.known.divisions.get(division, division)))
        return division

    def plan(self, sheets: Sequence[Listed], known: Known) -> Plan:
        order = {listed.sheet.name: place for place, listed in enumerate(sheets)}
        outcomes = sorted(self.outcomes, key=lambda one: (order.get(one.sheet, 0), one.row))
        return Plan(
            tuple(house for house in self.book.houses if house.listed),
            tuple(outcomes),
            tuple(self.items.values()),
            tuple(item for item in self.items.values() if item not in known.items),
            tuple(question for listed in sheets for question in questions_of(listed)),
            tuple(self.unknown),
            {mark: house for mark, house in self.persons.chosen.items() if known.said.get(mark) != house},
            self.elsewhere + self.persons.elsewhere,
        )


def _items_twice(row: SheetRow, items: Sequence[KnownItem]) -> list[Said]:
    """Goods that two columns tell of: whether they are to be added, or one is what was planned, nobody knows."""
    given = Counter(items[index].code for index in row.goods)
    names = {item.code: item.name for item in items}
    return [say("item-twice", item=names[code]) for code, columns in given.items() if columns > 1]


def _refused(row: SheetRow, why: Said) -> Outcome:
    return Outcome(row.sheet, row.number, row.name, False, "refused", why)


def _changes(row: SheetRow, known: KnownHousehold, *, with_number: bool) -> dict[str, str | int]:
    """Path → value of what the sheet says otherwise; an empty cell says nothing."""
    pairs: list[tuple[str, str | int | None, str | int | None]] = [
        ("head.id_number", row.id_number, known.id_number if with_number else row.id_number),
        ("head.born", row.born if with_number and row.id_number else "", ""),
        ("head.sex", row.sex if with_number and row.id_number else "", ""),
        ("head.phone", row.phone, known.phone),
        ("group", row.group, known.group),
        ("size", row.size, known.size),
        ("address", row.address, known.address),
        ("note", _with_note(known.note, row.note), known.note),
    ]
    return {path: value for path, value, now in pairs if value and value != now}


def _with_note(now: str, said: str) -> str:
    """What a list remarks goes behind what is noted; the same remark again is no change."""
    if not said or said in now:
        return now
    longer = f"{now};{said}" if now else said
    return longer if len(longer) <= LONGEST["note"] else now


def _shown(house: PlannedHousehold) -> tuple[Change, ...]:
    """What changes of a household on record, as a row of the preview tells it."""
    if house.known is None:
        return ()
    known = house.known
    now = {"head.id_number": known.id_number, "head.phone": known.phone, "group": known.group,
           "size": known.size, "address": known.address, "note": known.note}  # fmt: skip
    found = [Change(path, str(now.get(path) or ""), str(value)) for path, value in house.changes.items()]
    if house.added:
        found.append(Change("categories", "", "、".join(one.code for one in house.added)))
    return tuple(found)
