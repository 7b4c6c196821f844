"""Rows that are people: each becomes a member, of the household that it belongs to or of a new one."""

from __future__ import annotations

from typing import Any

from aidvisit.domain import id_number
from aidvisit.services.bodies import filled
from aidvisit.services.sheet.book import HEAD, Book, Someone, barred, key_of, offer, told, undisputed
from aidvisit.services.sheet.faults import Said, joined, say
from aidvisit.services.sheet.known import Category, Known
from aidvisit.services.sheet.plan import (
    WITH_NUMBER,
    Change,
    Decisions,
    Offer,
    Outcome,
    PlannedHousehold,
    PlannedMember,
)
from aidvisit.services.sheet.rows import SheetRow


class Persons:
    """Takes rows of people one after another. Whoever is found by ID number is the same; all else is offered."""

    def __init__(self, book: Book, known: Known, decisions: Decisions) -> None:
        self.book, self.known, self.decisions = book, known, decisions
        self.seen: dict[tuple[str, str], SheetRow] = {}
        self.headed: dict[tuple[str, str, str], PlannedHousehold] = {}
        self.chosen: dict[str, str] = {}
        self.elsewhere = 0

    def take(
        self,
        row: SheetRow,
        division: str,
        categories: list[Category],
        faults: list[Said],
        asks: list[Said],
        mark: str,
    ) -> Outcome:
        number = id_number.modern(row.id_number)
        key = (row.sheet, number or "/".join((division, row.name, *_contact(row))))
        before = self.seen.get(key)
        if before is not None:
            faults.append(told(before, row, person=True))
        if faults:
            return _refused(row, joined(faults))
        someone = self._found(row, division, number)
        settled = self._settled(row, someone, number) if someone else None
        if settled is not None:
            return settled
        self.seen[key] = row
        offers: list[Offer] = []
        taken = ""
        if someone is None and (headed := self.headed.get((row.sheet, division, row.head))):
            someone = Someone(headed)
        if someone is None:
            offers = self._offers(row)
            house = self.said(row, mark, offers) or self._sure(row, mark, offers)
            if house is not None and (why := barred(house)):
                self.elsewhere += house.outside
                return _refused(row, why)
            someone, taken = (Someone(house), key_of(house)) if house else (None, "")
        house = someone.house if someone else self._new_house(row, division)
        if row.head:
            self.headed[row.sheet, division, row.head] = house
        house.listed = True
        member = self._member(house, someone, row)
        state = member.state
        if member.listed and member.known is None:
            state = "same"  # another sheet made it
            _add(member, categories)
        elif member.known is None:
            self._fill(house, member, row, categories)
        else:
            _compare(member, row, categories, house, asks)
            state = member.state
        member.listed = True
        self._of_household(house, categories)
        return Outcome(row.sheet, row.number, row.name, True, state, None, (), _shown(member), tuple(offers), taken)

    def _settled(self, row: SheetRow, someone: Someone, number: str) -> Outcome | None:
        """What becomes of a row that leads to a household that is closed, merged, or somebody else's."""
        if why := barred(someone.house):
            self.elsewhere += someone.house.outside
            return _refused(row, why)
        if number in self.book.merged:
            someone.house.listed = True
            return Outcome(row.sheet, row.number, row.name, True, "same")
        return None if someone.name == row.name else _refused(row, say("number-known", text=someone.name))

    def _found(self, row: SheetRow, division: str, number: str) -> Someone | None:
        """Whoever has this ID number; without one, who was listed in the same words before."""
        if number and number in self.book.by_number:
            return self.book.by_number[number]
        again = self.book.people.get((division, row.name, *_contact(row)))
        if again is None or again.member is None:
            return None
        known = again.member.known.born if again.member.known else again.member.body.get("born", "")
        another = bool(known and row.born and known != row.born)
        return None if another or (number and again.member.id_number) else again

    def _offers(self, row: SheetRow) -> list[Offer]:
        """Households where somebody has the name and the telephone of the head or guardian, or of the person."""
        found: dict[str, Offer] = {}
        for name, phone in _answerable(row):
            for someone in self.book.contacts(name, phone):
                if _another(row, someone, name):
                    continue
                one = offer(someone, say("offer-guardian", text=name, phone=phone), sure=True)
                found.setdefault(one.key, one)
        return list(found.values())

    def offered(self, someone: Someone, name: str) -> Offer:
        return offer(someone, say(name, text=someone.name), sure=True)

    def said(self, row: SheetRow, mark: str, offers: list[Offer]) -> PlannedHousehold | None:
        """The household that somebody says a row is of, now or at an earlier import, among its offers.

        `mark`: the row's (`rows.fingerprint`).
        """
        key = self.decisions.accepted.get((row.sheet, row.number), "").removesuffix(WITH_NUMBER)
        name = "offer-chosen" if key else "offer-said"
        house = self.book.by_key.get(key or self.known.said.get(mark, ""))
        if house is None:
            return None
        if house.open and key_of(house) not in [one.key for one in offers]:
            offers.append(offer(Someone(house), say(name), sure=False))
        self.chosen[mark] = house.id
        return house

    def _sure(self, row: SheetRow, mark: str, offers: list[Offer]) -> PlannedHousehold | None:
        """The one sure offer, where all of these are taken; of several none is taken by itself."""
        keys = [one.key for one in offers if one.sure]
        settled = (row.sheet, row.number) in self.decisions.accepted
        if not self.decisions.accept_sure or len(keys) != 1 or settled:
            return None
        house = self.book.by_key[keys[0]]
        self.chosen[mark] = house.id
        return house

    def _new_house(self, row: SheetRow, division: str) -> PlannedHousehold:
        """Of the head or guardian that the row names, else of the person."""
        answers = row.head or row.guardian
        if answers and answers != row.name:
            head = filled(name=answers, phone=row.guardian_phone or (row.phone if row.head else ""))
        else:
            head = filled(name=row.name, id_number=row.id_number, phone=row.phone, born=row.born, sex=row.sex)
        house = PlannedHousehold(
            row, division, (), id=self.book.new_id(), name=head["name"], group=row.group, head=head
        )
        return self.book.add(house)

    def _member(self, house: PlannedHousehold, someone: Someone | None, row: SheetRow) -> PlannedMember:
        """Who is listed there already, else somebody new; a head who is listed in person has an entry as well."""
        if someone is not None and someone.member is not None:
            return someone.member
        for one in house.members:
            both = bool(one.id_number and row.id_number)
            if one.name == row.name and (
                not both or id_number.modern(one.id_number) == id_number.modern(row.id_number)
            ):
                return one
        member = PlannedMember(self.book.new_id(), row.name, row.id_number, row.phone)
        house.members.append(member)
        return member

    def _fill(self, house: PlannedHousehold, member: PlannedMember, row: SheetRow, categories: list[Category]) -> None:
        heads = row.name == house.name and _may_be(house.head.get("id_number", ""), row.id_number)
        among = next((one.id for one in house.members if one.name == row.guardian and one is not member), "")
        guardian = filled(name=row.guardian, phone=row.guardian_phone, member=among) if row.guardian else {}
        member.body = filled(
            name=row.name,
            relation=row.relation or (HEAD if heads else ""),
            id_number=row.id_number,
            born=row.born,
            sex=row.sex,
            phone=row.phone,
            guardian=guardian,
            categories=[one.body() for one in categories],
        )
        self.book.add_member(house, member)

    def _of_household(self, house: PlannedHousehold, categories: list[Category]) -> None:
        """What a whole household has, such as 低保, is the household's as well."""
        held = {one.code for one in (*house.categories, *house.added)}
        held |= house.known.categories if house.known else set()
        more = tuple(one for one in categories if one.code in self.known.of_households and one.code not in held)
        if house.known is None:
            house.categories += more
        else:
            house.added += more


def _contact(row: SheetRow) -> tuple[str, str]:
    return row.guardian or row.head, row.guardian_phone or row.phone


def _answerable(row: SheetRow) -> list[tuple[str, str]]:
    """(name, telephone) of who answers for a person, else of the person."""
    phones = [phone for phone in (row.guardian_phone, row.phone) if phone]
    names = [name for name in (row.head, row.guardian) if name] or [row.name]
    return [(name, phone) for name in names for phone in phones]


def _another(row: SheetRow, someone: Someone, name: str) -> bool:
    """Whether the one of that name and telephone is certainly not meant: the person, with another ID number."""
    held = someone.member.id_number if someone.member else someone.house.head.get("id_number", "")
    return name == row.name and bool(held and row.id_number)


def _may_be(one: str, other: str) -> bool:
    """Whether two numbers, as far as there are two, are the same."""
    return not (one and other) or id_number.modern(one) == id_number.modern(other)


def _add(member: PlannedMember, categories: list[Category]) -> None:
    held = member.body.setdefault("categories", [])
    held += [one.body() for one in categories if one.code not in {each["code"] for each in held}]


def _compare(
    member: PlannedMember, row: SheetRow, categories: list[Category], house: PlannedHousehold, asks: list[Said]
) -> None:
    """An empty cell says nothing; a category that the list has not is kept."""
    known = member.known
    assert known is not None
    guardian = known.guardian
    pairs = [
        ("id_number", row.id_number, known.id_number and row.id_number),
        ("born", "" if known.born else row.born, ""),
        ("sex", "" if known.sex else row.sex, ""),
        ("phone", row.phone, known.phone),
        ("relation", row.relation, known.relation),
        ("guardian.name", row.guardian, guardian.get("name", "")),
        ("guardian.phone", row.guardian_phone if row.guardian else "", guardian.get("phone", "")),
    ]
    changes = {path: value for path, value, now in pairs if value and value != now}
    disputed = house.known.disputed if house.known else {}
    member.changes |= undisputed(changes, disputed, asks, f"members.{member.id}.")
    held = {one["code"] for one in known.categories}
    new: list[dict[str, Any]] = [one.body() for one in categories if one.code not in held]
    if new:
        member.changes["categories"] = [*map(dict, known.categories), *new]


def _shown(member: PlannedMember) -> tuple[Change, ...]:
    known = member.known
    if known is None:
        return ()
    now = {"id_number": known.id_number, "phone": known.phone, "relation": known.relation, "born": known.born,
           "sex": known.sex, "guardian.name": known.guardian.get("name", ""),
           "guardian.phone": known.guardian.get("phone", "")}  # fmt: skip
    return tuple(
        Change("categories", "", "、".join(one["code"] for one in value[len(known.categories) :]))
        if path == "categories"
        else Change(path, now.get(path, ""), value)
        for path, value in member.changes.items()
    )


def _refused(row: SheetRow, why: Said) -> Outcome:
    return Outcome(row.sheet, row.number, row.name, True, "refused", why)
