"""The households that are on record and those that an import makes, found by what a row says of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aidvisit.domain import id_number
from aidvisit.services.sheet.faults import FIELDS, SENTENCES, Said, say
from aidvisit.services.sheet.known import KnownHousehold
from aidvisit.services.sheet.plan import Offer, PlannedHousehold, PlannedMember
from aidvisit.services.sheet.rows import SheetRow

HEAD = "户主"
"""The relation of a member who is the household's head: somebody who is cared for in person, beside the household."""


@dataclass(frozen=True, slots=True, eq=False)
class Someone:
    """A person of a household: its head where `member` is None."""

    house: PlannedHousehold
    member: PlannedMember | None = None

    @property
    def name(self) -> str:
        return self.member.name if self.member else self.house.name


class Book:
    """`new_id` gives the ids of what is new; `places`: codes where somebody may register, None for all.

    `namesakes`: where several households on record have one name, so that a name and a group tell nothing.
    """

    def __init__(
        self,
        households: list[KnownHousehold],
        new_id: Callable[[], str],
        places: Collection[str] | None = None,
    ) -> None:
        self.new_id, self.places = new_id, None if places is None else tuple(places)
        self.houses: list[PlannedHousehold] = []
        self.by_key: dict[str, PlannedHousehold] = {}
        self.by_number: dict[str, Someone] = {}
        self.by_place: dict[tuple[str, str, str], PlannedHousehold] = {}
        self.namesakes: set[tuple[str, str, str]] = set()
        self.by_contact: dict[tuple[str, str], list[Someone]] = {}
        self.people: dict[tuple[str, str, str, str], Someone] = {}
        self.merged: dict[str | tuple[str, str, str], str] = {}
        for known in households:
            if not known.into:
                self._enter(known)
        for known in households:
            if known.into in self.by_key:
                self._enter_merged(known, self.by_key[known.into])

    def within(self, division: str) -> bool:
        return self.places is None or division.startswith(self.places)

    def _enter_merged(self, known: KnownHousehold, house: PlannedHousehold) -> None:
        """What is on record of it leads to the household that it stands for now; there is nothing to correct."""
        self.by_key[known.id] = house
        place = (known.division, known.name, known.group)
        if place not in self.by_place:
            self.by_place[place] = house
            self.merged[place] = known.id
        for number in (known.id_number, *(one.id_number for one in known.members)):
            if number and id_number.modern(number) not in self.by_number:
                self.by_number[id_number.modern(number)] = Someone(house)
                self.merged[id_number.modern(number)] = known.id
        if known.phone:
            self.by_contact.setdefault((known.name, known.phone), []).append(Someone(house))

    def _enter(self, known: KnownHousehold) -> None:
        head = {"name": known.name, "id_number": known.id_number, "phone": known.phone}
        house = PlannedHousehold(
            None, known.division, (), known, id=known.id, name=known.name, group=known.group, head=head
        )
        house.outside = not self.within(known.division)
        for one in known.members:
            house.members.append(PlannedMember(one.id, one.name, one.id_number, one.phone, one))
        self.add(house)
        for member in house.members:
            self.add_member(house, member)

    def add(self, house: PlannedHousehold) -> PlannedHousehold:
        """Let it be found; whoever heads a household goes before a member with the same number."""
        self.houses.append(house)
        self.by_key[key_of(house)] = house
        if house.open:
            place = (house.division, house.name, house.group)
            if house.known and place in self.by_place:
                self.namesakes.add(place)
            self.by_place.setdefault(place, house)
        self.note(Someone(house), house.head.get("id_number", ""), house.head.get("phone", ""))
        return house

    def add_member(self, house: PlannedHousehold, member: PlannedMember) -> None:
        someone = Someone(house, member)
        self.note(someone, member.id_number, member.phone)
        guardian = member.known.guardian if member.known else member.body.get("guardian", {})
        phone = guardian.get("phone", "") or member.phone
        for answers in {guardian.get("name", ""), house.name}:
            self.people.setdefault((house.division, member.name, answers, phone), someone)

    def note(self, someone: Someone, number: str, phone: str) -> None:
        if number:
            held = self.by_number.get(id_number.modern(number))
            if held is None or (someone.member is None and held.member is not None):
                self.by_number[id_number.modern(number)] = someone
        if phone and someone.house.open:
            self.by_contact.setdefault((someone.name, phone), []).append(someone)

    def contacts(self, name: str, phone: str) -> Iterator[Someone]:
        """Whoever has this name and this telephone, each household once."""
        seen = set()
        for someone in self.by_contact.get((name, phone), ()):
            if someone.house.id not in seen:
                seen.add(someone.house.id)
                yield someone


def key_of(house: PlannedHousehold) -> str:
    """What an offer of this household is called: it stays the same when the plan is made again."""
    if house.known is None and house.row is not None:
        return f"{house.row.sheet}!{house.row.number}"
    return house.id


def offer(someone: Someone, because: Said, *, sure: bool) -> Offer:
    house = someone.house
    return Offer(key_of(house), house.name, house.division, house.group, because, sure)


def barred(house: PlannedHousehold) -> Said | None:
    """Why no row may be of a household, or None."""
    if house.outside:
        return say("number-elsewhere")
    return None if house.open else say("closed", text=house.name)


def told(before: SheetRow, row: SheetRow, *, person: bool = False, sure: bool = False) -> Said:
    """Why the second of two rows is not taken. Without a number only a row that says nothing else is the same again.

    `sure`: both are of one household on record.
    """
    bare: dict[str, Any] = {"number": 0, "sheet": "", "quantities": None, "faults": (), "asks": ()}
    if row.id_number and before.name != row.name and not sure:
        name = "number-of"
    elif row.id_number or sure or replace(before, **bare) == replace(row, **bare):
        name = "again-person" if person else "again"
    else:
        name = "no-telling-person" if person else "no-telling"
    zh, en = where(row, before)
    members = {"row": before.number, "text": before.name}
    return Said(SENTENCES[name][0].format(where=zh, **members), SENTENCES[name][1].format(where=en, **members))


def undisputed(
    changes: Mapping[str, Any], disputed: Mapping[str, Sequence[Any]], asks: list[Said], prefix: str = ""
) -> dict[str, Any]:
    """Without those that would settle a conflict by saying again what one side says; of all in conflict it is told."""
    for path in changes:
        if prefix + path in disputed:
            field = FIELDS[path.rpartition(".")[2]]
            zh, en = SENTENCES["disputed"]
            asks.append(Said(zh.format(field=field.zh), en.format(field=field.en)))
    return {path: value for path, value in changes.items() if value not in disputed.get(prefix + path, ())}


def where(row: SheetRow, other: SheetRow) -> tuple[str, str]:
    """The other row's sheet in both languages, where it is not this one's."""
    return ("", "") if row.sheet == other.sheet else (f"“{other.sheet}”", f" of “{other.sheet}”")
