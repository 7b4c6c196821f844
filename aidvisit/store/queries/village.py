"""Choosing a village: county, then town, then village, or by a part of its name; only where one may register."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, select, true

from aidvisit.domain.rights import Scope
from aidvisit.store.queries.catalog import names_of, own_names
from aidvisit.store.queries.scope import places, under
from aidvisit.store.tables import Division
from sync import freshness

CODE = Division.code.expression
MOST = 30
"""Villages that a search shows."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be chosen, each (code, name), and what is chosen so far, "" for nothing yet."""

    counties: list[tuple[str, str]]
    towns: list[tuple[str, str]]
    villages: list[tuple[str, str]]
    county: str
    town: str
    village: str


@dataclass(frozen=True, slots=True)
class Area:
    """Villages of a scope; `towns`: only of these, on a laptop, and for a household that is in one already."""

    scope: Scope
    towns: tuple[str, ...] | None = None

    def has(self, code: ColumnElement[str]) -> ColumnElement[bool]:
        inside = true() if self.towns is None else under(code, self.towns)
        return and_(func.length(code) == 12, places(code, self.scope), inside)


def held_towns(conn: Connection) -> tuple[str, ...]:
    """The towns whose households this laptop holds: a record of another one would wait for review at the centre."""
    return tuple(one.stream for one in freshness.streams(conn) if one.stream.isdigit())


def choice(conn: Connection, area: Area, county: str = "", town: str = "", village: str = "") -> Choice:
    """The steps down to a village. What does not lie in the step above it is not chosen; the only one there is, is."""
    county, town = county or town[:6] or village[:6], town or village[:9]
    counties = _steps(conn, area, 6, "")
    county = _chosen(counties, county)
    towns = _steps(conn, area, 9, county) if county else []
    town = _chosen(towns, town)
    villages = _steps(conn, area, 12, town) if town else []
    return Choice(counties, towns, villages, county, town, _chosen(villages, village))


def named(conn: Connection, area: Area, part: str) -> list[tuple[str, list[str]]]:
    """(code, names of county, town and village) of villages whose name holds a text."""
    query = select(Division.code).where(area.has(CODE), Division.name.contains(part, autoescape=True))
    codes = list(conn.execute(query.order_by(Division.code).limit(MOST)).scalars())
    names = names_of(conn, codes)
    return [(code, names[code]) for code in codes]


def may_choose(conn: Connection, area: Area, village: str) -> bool:
    return conn.execute(select(Division.code).where(area.has(CODE), Division.code == village)).first() is not None


def _steps(conn: Connection, area: Area, digits: int, above: str) -> list[tuple[str, str]]:
    """The divisions of one level that have a village, below `above`."""
    code = func.substr(CODE, 1, digits)
    codes = list(conn.execute(select(code).where(area.has(CODE), under(CODE, [above])).distinct()).scalars())
    names = own_names(conn, codes)
    return [(one, names.get(one, one)) for one in sorted(codes)]


def _chosen(steps: list[tuple[str, str]], code: str) -> str:
    codes = [one for one, _name in steps]
    return code if code in codes else codes[0] if len(codes) == 1 else ""
