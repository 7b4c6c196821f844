"""Hardship categories as lists write them: synonyms, grades, and 高龄, which comes from the age."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aidvisit.domain.category import from_age
from aidvisit.domain.person import age
from aidvisit.services.sheet.cells import squeeze
from aidvisit.services.sheet.faults import Said, say
from aidvisit.services.sheet.known import Category, Known
from aidvisit.services.sheet.rows import SheetRow

_GRADE = re.compile(r"(?:(?P<before>[一二三四1-4])级)?(?P<word>.+?)(?:\(?(?P<after>[一二三四1-4])级\)?)?")
_HAN_GRADES = dict(zip("1234", "一二三四", strict=True))


def find_category(word: str, words: Mapping[str, str]) -> Category | None:
    """A hardship category by name or synonym, with the grade that stands with it (二级残疾)."""
    word = squeeze(word)
    if word in words:
        return Category(words[word])
    match = _GRADE.fullmatch(word)
    if match and match["word"] in words and (match["before"] or match["after"]):
        grade = match["before"] or match["after"]
        return Category(words[match["word"]], _HAN_GRADES.get(grade, grade) + "级")
    return None


def categories_of(row: SheetRow, known: Known, date: str | None, asks: list[Said]) -> tuple[list[Category], list[Said]]:
    """(those of a row, faults). Whoever is old enough on the list's day is 高龄, others are not, whatever it says."""
    found: list[Category] = []
    faults = []
    for word in row.categories:
        category = find_category(word, known.categories)
        if category is None:
            faults.append(say("category", text=word[:30]))
        elif category.code not in [one.code for one in found]:
            found.append(category)
    for code in sorted(set(known.categories.values())) if row.born and date else ():
        since, years = from_age(code), age(row.born, date or "")
        said = [one for one in found if one.code == code]
        if since and said and years < since:
            asks.append(say("too-young", other=years))
            found.remove(said[0])
        elif since and not said and years >= since:
            found.append(Category(code))
    return found, faults
