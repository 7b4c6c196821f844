"""Hardship categories as lists write them: synonyms, grades, and 高龄, which comes from the age."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aidvisit.domain.person import age
from aidvisit.services.sheet.cells import squeeze
from aidvisit.services.sheet.faults import Said, say
from aidvisit.services.sheet.known import Category, Known
from aidvisit.services.sheet.rows import SheetRow

ELDER, ELDER_AGE = "elder_80", 80

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
    """(those of a row, faults). Whoever is 80 on the list's day is 高龄, whoever is not is not, whatever it says."""
    found: list[Category] = []
    faults = []
    for word in row.categories:
        category = find_category(word, known.categories)
        if category is None:
            faults.append(say("category", text=word[:30]))
        elif category.code not in [one.code for one in found]:
            found.append(category)
    if row.born and date and ELDER in known.categories.values():
        years = age(row.born, date)
        said = [one for one in found if one.code == ELDER]
        if said and years < ELDER_AGE:
            asks.append(say("not-80", other=years))
            found.remove(said[0])
        elif not said and years >= ELDER_AGE:
            found.append(Category(ELDER))
    return found, faults
