"""Which hardship categories a household belongs to: its own, those of its people, and those that come with age."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from aidvisit.domain import category
from aidvisit.store.queries.catalog import categories
from aidvisit.store.tables import HouseholdCategory, Member
from sync.rows import among


def held(conn: Connection, rows: Sequence[Row[Any]], today: str) -> dict[str, set[str]]:
    """By household, the codes on a day (YYYY-MM-DD). `rows`: id, kind, head_born, head_id_number of each."""
    ids = [row.id for row in rows]
    ages = {
        code: category.born_by(years, today)
        for code in categories(conn)
        if (years := category.from_age(code)) is not None
    }
    found: dict[str, set[str]] = {one: set() for one in ids}
    own = select(HouseholdCategory.household, HouseholdCategory.code)
    for household, code in conn.execute(own.where(among(conn, HouseholdCategory.household, ids))):
        found[household].add(code)
    members = select(Member.household, Member.categories, Member.born, Member.id_number)
    for one in conn.execute(members.where(among(conn, Member.household, ids))):
        found[one.household] |= {each["code"] for each in one.categories} | _old(ages, one.born, one.id_number)
    for row in rows:
        if row.kind == "household":
            found[row.id] |= _old(ages, row.head_born, row.head_id_number)
    return found


def _old(ages: dict[str, str], born: str | None, number: str | None) -> set[str]:
    """A birth date counts, else digits 7 to 14 of the ID number (GB 11643)."""
    if born is None and number is not None and len(number) == 18:
        born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return {code for code, day in ages.items() if born is not None and born <= day}
