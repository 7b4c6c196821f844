"""Rules about people: how old, what cannot be right about one in words, and how a telephone number is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from aidvisit.domain import id_number
from aidvisit.domain.id_number import Flaw

OLDEST: Final = 120
"""Years: nobody is known to be older; whoever seems to be is asked about."""

_MOBILE = re.compile(r"(\+?86)?1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"(0[1-9][0-9]{1,2})?[2-9][0-9]{6,7}")
_ABROAD = re.compile(r"(\+|00)(?!86)[1-9][0-9]{6,14}")


class Finding(NamedTuple):
    """What is odd about a field of a person, and what to do, in Chinese and in English.

    `blocking`: it cannot be right and is not kept in that field; otherwise it is a question, and whoever knows may
    say that it is so.
    """

    field: str
    zh: str
    en: str
    blocking: bool

    @property
    def words(self) -> str:
        """Both languages, as messages about fields are everywhere."""
        return f"{self.zh} / {self.en}"


def age(born: str, on: str) -> int:
    """Whole years on a day, both YYYY-MM-DD; who was born on 29 February is a year older on 1 March.

    Raises: ValueError when one is no date.
    """
    birth, day = date.fromisoformat(born), date.fromisoformat(on)
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def checks(person: Mapping[str, Any], on: str) -> list[Finding]:
    """All that is odd about a person on a day; what is missing never is.

    `person`: `id_number`, `born`, `sex`, `phone`, `guardian` (its `phone`), each absent or as a fact has it.
    Source: GB 11643 (id_number.read); docs/adr/0012-a-number-that-cannot-be-right.md. The region of a number is
    not looked at: divisions change their codes, and numbers do not.
    """
    return [*_number(person, on), *_birth(person, on), *_phones(person)]


def completed(person: Mapping[str, Any]) -> dict[str, Any]:
    """The same person with the birth date and sex that the ID number says, where they were not given."""
    said = id_number.read(person.get("id_number") or "")
    known = {} if isinstance(said, Flaw) else {"born": said.born, "sex": said.sex}
    return {**person, **{name: value for name, value in known.items() if not person.get(name)}}


def _number(person: Mapping[str, Any], on: str) -> Iterator[Finding]:
    number = (person.get("id_number") or "").strip()
    if not number:
        return
    said = id_number.read(number)
    if said is Flaw.SHAPE and id_number.is_other(number):
        yield Finding(
            "id_number",
            "这不是居民身份证号码。如果是护照、通行证等其他证件,就这样保存",
            "This is no citizen's ID number. If it is of a passport, a permit or the like, keep it",
            blocking=False,
        )
    elif isinstance(said, Flaw):
        zh, en = _FLAWS[said]
        length = len(number)
        yield Finding(
            "id_number",
            f"{zh.format(length=length)}。请照证件核对;核对不了就先空着,号码写进备注,不影响领取",
            f"{en.format(length=length)}. Compare it with the document; if you cannot, leave this empty and put the"
            " number in the note: help does not depend on it",
            blocking=True,
        )
    elif said.born > on:
        yield Finding(
            "id_number",
            f"号码里的出生日期 {said.born} 还没有到。请照证件核对",
            f"The birth date in it, {said.born}, is still to come. Compare it with the document",
            blocking=True,
        )
    else:
        yield from _agrees(person, said)


_FLAWS = {
    Flaw.SHAPE: (
        "居民身份证号码是 18 位(旧的 15 位),只有最后一位可以是 X,这里有 {length} 个字符",
        "A citizen's ID number has 18 digits (15 in old ones), of which only the last may be X; here are {length}"
        " characters",
    ),
    Flaw.BIRTH_DATE: (
        "号码里的出生日期(第 7 位起)不存在",
        "The birth date in it (from the 7th digit) does not exist",
    ),
    Flaw.CHECK_DIGIT: (
        "号码的最后一位(校验码)与前面的数字不符,有一位写错了",
        "Its last character does not fit the digits before it: one of them is wrong",
    ),
}


def _agrees(person: Mapping[str, Any], said: id_number.IdNumber) -> Iterator[Finding]:
    if person.get("sex") in ("M", "F") and person["sex"] != said.sex:
        zh, en = {"M": ("男", "a man"), "F": ("女", "a woman")}[said.sex]
        yield Finding(
            "sex",
            f"身份证号码说是{zh},与填的性别不同。请核对",
            f"By the ID number this is {en}, which differs from what is given here. Which is right?",
            blocking=False,
        )
    if person.get("born") and person["born"] != said.born:
        yield Finding(
            "born",
            f"身份证号码说出生于 {said.born},与填的日期不同。请核对",
            f"The ID number says born on {said.born}, which differs from the date here. Which is right?",
            blocking=False,
        )


def _birth(person: Mapping[str, Any], on: str) -> Iterator[Finding]:
    said = completed(person).get("born")
    given = bool(person.get("born"))
    try:
        years = age(said, on) if said else 0
    except ValueError:
        yield Finding(
            "born",
            "出生日期应为真实的日期,如 1949-12-31",
            "The birth date must be a real date like 1949-12-31",
            blocking=True,
        )
        return
    if given and said and said > on:
        yield Finding(
            "born",
            f"出生日期 {said} 还没有到。请核对",
            f"The birth date {said} is still to come. Check it",
            blocking=True,
        )
    elif years > OLDEST:
        yield Finding(
            "born" if given else "id_number",
            f"算下来有 {years} 岁。请核对出生日期",
            f"That makes {years} years of age. Is the birth date right?",
            blocking=False,
        )


def _phones(person: Mapping[str, Any]) -> Iterator[Finding]:
    for field, phone in (("phone", person.get("phone")), ("guardian.phone", _guardian(person).get("phone"))):
        if phone and not all(map(is_phone, re.split(r"[、,;/\uff0c\uff1b]", phone))):
            yield Finding(
                field,
                "这不像电话号码:手机 11 位,以 1 开头;座机 7 或 8 位,前面可加区号。请核对",
                "This does not look like a telephone number: mobiles have 11 digits and begin with 1, landlines 7 or 8"
                " after the area code. Is it right?",
                blocking=False,
            )


def _guardian(person: Mapping[str, Any]) -> Mapping[str, Any]:
    return person.get("guardian") or {}


def is_phone(text: str) -> bool:
    """Whether it is a mobile or landline number of this country, or an international one; blanks and hyphens aside."""
    digits = re.sub(r"[\s()\uff08\uff09-]", "", text)
    return any(shape.fullmatch(digits) for shape in (_MOBILE, _LANDLINE, _ABROAD))


def mask_phone(phone: str) -> str:
    """`138****5678`: the first 3 and last 4 of a number; of a shorter one, the last 2 only."""
    length = len(phone)
    if length >= 11:
        return f"{phone[:3]}{'*' * (length - 7)}{phone[-4:]}"
    shown = phone[-2:] if length >= 7 else ""
    return "*" * (length - len(shown)) + shown
