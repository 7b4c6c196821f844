"""Whether two people who were written down apart may be one and the same, or two institutions; and by what.

Nothing here decides: it says what agrees, for somebody to look at. Numbers that agree say most; a name alone says
nothing, because villages are full of namesakes, and the brothers of a generation share all but one character.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from aidvisit.domain import han, id_number
from aidvisit.domain.stream import town_of


class Reason(StrEnum):
    """What agrees; its value is for machines, `words` for people."""

    NUMBER = "same-number"
    NAME = "same-name"
    SOUND = "same-sound"
    CHARACTER = "one-character"
    PART = "part-of-name"
    BORN = "same-birth-date"
    SWAPPED = "day-and-month-swapped"
    YEAR = "a-year-off"
    CALENDAR = "lunar-or-solar"
    PHONE = "same-phone"
    VILLAGE = "same-village"
    GROUP = "same-group"

    @property
    def words(self) -> str:
        """`中文 / English`."""
        return _WORDS[self]


_WORDS: Final[dict[Reason, str]] = {
    Reason.NUMBER: "证件号码相同 / Same ID number",
    Reason.NAME: "姓名相同 / Same name",
    Reason.SOUND: "姓名同音 / Names sound the same",
    Reason.CHARACTER: "姓名只差一个字 / Names differ by one character",
    Reason.PART: "名称有一部分相同 / One name is part of the other",
    Reason.BORN: "出生日期相同 / Same birth date",
    Reason.SWAPPED: "出生的月和日对调 / Day and month of birth swapped",
    Reason.YEAR: "出生日期差一年 / Born a year apart",
    Reason.CALENDAR: "出生日期相近(可能是农历和公历) / Near birth dates (perhaps the lunar calendar)",
    Reason.PHONE: "电话相同 / Same phone",
    Reason.VILLAGE: "同村 / Same village",
    Reason.GROUP: "同组 / Same group",
}
_POINTS: Final[dict[Reason, int]] = {
    Reason.NUMBER: 65,
    Reason.NAME: 35,
    Reason.SOUND: 25,
    Reason.CHARACTER: 20,
    Reason.PART: 15,
    Reason.BORN: 30,
    Reason.SWAPPED: 20,
    Reason.YEAR: 20,
    Reason.CALENDAR: 4,
    Reason.PHONE: 20,
    Reason.VILLAGE: 15,
    Reason.GROUP: 5,
}
ENOUGH: Final = 45
"""Below it is chance: a namesake of the village (50) is worth a look, somebody with his brother's phone is not."""
_OTHER_BIRTH: Final = -30
_OTHER_NUMBER: Final = -50
_TOWN: Final = 30
"""Institutions of one town: two schools have one name only by mistake."""
_SLIP_DAYS: Final = 60
"""A lunar date taken for a solar one is at most this far from it."""
_DOCUMENT: Final = 6
"""Characters of the shortest number that is worth comparing, also of a foreign document."""
_NAMES: Final = frozenset({Reason.NAME, Reason.SOUND, Reason.CHARACTER, Reason.PART})
_PLACE_WORDS: Final = str.maketrans("", "", "省市县区镇乡 ·")


@dataclass(frozen=True, slots=True)
class Likeness:
    """`score`: up to 100, from `ENOUGH` on. `reasons`: what agrees, the strongest first."""

    score: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Someone:
    """A person as written down, or an institution. `born`: YYYY-MM-DD; `division`: village, 12 digits; "" is unknown.

    ID number and phone as somebody wrote them; a birth date that is missing is read off a right ID number.
    """

    name: str
    id_number: str = ""
    phone: str = ""
    born: str = ""
    division: str = ""
    group: str = ""
    institution: bool = False


def same_number(one: str, other: str) -> bool:
    """Whether two numbers of documents are one: an ID number with 15 or 18 digits, x or X. A short one is none."""
    return len(one.strip()) >= _DOCUMENT and id_number.modern(one) == id_number.modern(other)


def same_phone(one: str, other: str) -> bool:
    return bool(digits(one)) and digits(one) == digits(other)


def alike(one: Someone, other: Someone) -> Likeness | None:
    """What speaks for one and the same, or None when it is not enough to look at. The order does not matter."""
    if one.institution != other.institution:
        return None
    found = _institutions(one, other) if one.institution else _people(one, other)
    reasons = tuple(sorted(found, key=lambda reason: -_POINTS[reason]))
    score = sum(_POINTS[reason] for reason in found) + _against(one, other, found)
    return Likeness(min(score, 100), reasons) if score >= ENOUGH else None


def _people(one: Someone, other: Someone) -> set[Reason]:
    found = _shared(one, other)
    if reason := _names(one.name, other.name):
        found.add(reason)
    if (reason := near_birth(_born(one), _born(other))) and (found & _NAMES or reason is Reason.BORN):
        found.add(reason)
    # A namesake of another village is somebody else, unless a number says more.
    return found if found & {Reason.NUMBER, Reason.PHONE} or (Reason.VILLAGE in found and found & _NAMES) else set()


def _institutions(one: Someone, other: Someone) -> set[Reason]:
    found = _shared(one, other)
    names = sorted((_plain_institution(one.name), _plain_institution(other.name)), key=len)
    if names[0] == names[1]:
        found.add(Reason.NAME)
    elif _sound(names[0]) and _sound(names[0]) == _sound(names[1]):
        found.add(Reason.SOUND)
    elif len(names[0]) >= 4 and names[1].endswith(names[0]):
        found.add(Reason.PART)
    return found if found & _NAMES else set()


def _shared(one: Someone, other: Someone) -> set[Reason]:
    """Numbers and places that agree."""
    found = set()
    if same_number(one.id_number, other.id_number):
        found.add(Reason.NUMBER)
    if same_phone(one.phone, other.phone):
        found.add(Reason.PHONE)
    if one.division and one.division == other.division:
        found.add(Reason.VILLAGE)
        if one.group and plain(one.group) == plain(other.group):
            found.add(Reason.GROUP)
    return found


def _against(one: Someone, other: Someone, found: set[Reason]) -> int:
    """What speaks against, in points; for institutions, that they are of one town speaks for it."""
    if one.institution:
        return _TOWN if one.division and town_of(one.division) == town_of(other.division) else 0
    if Reason.NUMBER in found:
        return 0
    both_right = not any(isinstance(id_number.read(someone.id_number), id_number.Flaw) for someone in (one, other))
    if both_right:
        return _OTHER_NUMBER
    births = _born(one), _born(other)
    return _OTHER_BIRTH if all(births) and near_birth(*births) is None else 0


def _names(one: str, other: str) -> Reason | None:
    """How alike two people's names are, if they are."""
    first, second = plain(one), plain(other)
    if not first or not second:
        return None
    if first == second:
        return Reason.NAME
    if set(_spellings(first)) & set(_spellings(second)):
        return Reason.SOUND
    return Reason.CHARACTER if _one_apart(*sorted((first, second), key=len)) else None


def _one_apart(short: str, long: str) -> bool:
    """Whether one character is another one, or missing, and at least two are left that agree."""
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) == len(long):
        return len(short) >= 3 and short[start + 1 :] == long[start + 1 :]
    return len(long) == len(short) + 1 and len(short) >= 2 and short[start:] == long[start + 1 :]


def near_birth(one: str, other: str) -> Reason | None:
    """How two birth dates are near each other: BORN, SWAPPED, YEAR, CALENDAR, or not (or one is no date)."""
    first, second = _date(one), _date(other)
    if first is None or second is None:
        return None
    if first == second:
        return Reason.BORN
    if (first.year, first.month, first.day) == (second.year, second.day, second.month):
        return Reason.SWAPPED
    if abs(first.year - second.year) == 1 and (first.month, first.day) == (second.month, second.day):
        return Reason.YEAR
    return Reason.CALENDAR if abs((first - second).days) <= _SLIP_DAYS else None


def _born(someone: Someone) -> str:
    if someone.born:
        return someone.born
    number = id_number.read(someone.id_number)
    return "" if isinstance(number, id_number.Flaw) else number.born


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def plain(text: str) -> str:
    """A name without spaces and dots, in simplified characters, small letters."""
    return "".join(han.simplified(text).split()).replace("·", "").lower()


def digits(phone: str) -> str:
    """A phone number's digits, without the country's; nothing of what is too short to tell two people apart."""
    found = "".join(one for one in phone if one.isascii() and one.isdigit())
    found = found.removeprefix("0086") if found.startswith("0086") else found
    found = found[2:] if len(found) == 13 and found.startswith("86") else found
    return found if len(found) >= 7 else ""


@lru_cache(maxsize=4096)
def _sound(name: str) -> str:
    """The likeliest spelling; of a name in other letters the name itself."""
    spellings = _spellings(name)
    return " ".join(spellings[0]) if spellings else name


def _spellings(name: str) -> Sequence[han.Spelling]:
    """None of a name that is not in Chinese characters alone: its other letters would be left out."""
    spellings = han.readings(name)
    return spellings if spellings and len(spellings[0]) == len(name) else ()


def _plain_institution(name: str) -> str:
    """Without the words that name a place's rank, which people leave out: 恩平市大槐镇中心小学 is 恩平大槐中心小学."""
    return plain(name).translate(_PLACE_WORDS)


# --- keys: what an index is asked, so that nobody is compared with everybody ---------------------------------


@dataclass(frozen=True, slots=True)
class Keys:
    """Numbers that stand for what may agree; None where nothing is known. They give nothing away.

    `name`: how it sounds, in the village (an institution: all of its town). `birth`: days, after what stands for the
    village and the name's first letter. `swapped`: `birth` with day and month swapped.
    """

    number: int | None
    phone: int | None
    name: int | None
    birth: int | None
    swapped: int | None

    def births(self) -> tuple[int, ...]:
        """The births of those whose name may differ by a character: the same day, day and month swapped, a year off.

        Dates that are merely near say too little beside such a name.
        """
        if self.birth is None:
            return ()
        swapped = () if self.swapped is None else (self.swapped,)
        return (self.birth, *swapped, *(self.birth + days for days in YEARS))


YEARS: Final = (-366, -365, 365, 366)


def keys(someone: Someone) -> Keys:
    """The keys under which somebody is found by who may be the same."""
    written, called = id_number.modern(someone.id_number), digits(someone.phone)
    number = _number("number", written) if same_number(written, written) else None
    phone = _number("phone", called) if called else None
    name = plain(someone.name)
    if someone.institution:
        town = _number("institution", town_of(someone.division)) if someone.division else None
        return Keys(None, None, town, None, None)
    sound = _sound(name)
    if not sound or not someone.division:
        return Keys(number, phone, None, None, None)
    place = _number("birth", someone.division, sound[0]) >> 23 << 20
    born = _date(_born(someone))
    days = [None if day is None else place + day.toordinal() for day in (born, _swapped(born))]
    return Keys(number, phone, _number("name", someone.division, sound), *days)


def _swapped(born: date | None) -> date | None:
    if born is None or born.day > 12 or born.day == born.month:
        return None
    return born.replace(month=born.day, day=born.month)


def _number(*words: str) -> int:
    """63 bits of a digest."""
    return int.from_bytes(blake2b("\n".join(words).encode(), digest_size=8).digest()) >> 1
