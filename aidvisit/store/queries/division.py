"""The tree of divisions: what was defined over what ships with the product."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from aidvisit.domain.division import below, built_in, line
from aidvisit.store.queries.catalog import own_names
from aidvisit.store.tables import Division

PAGE = 100


@dataclass(frozen=True, slots=True)
class DivisionView:
    """`seen`: the place of its definition in the order of everything; empty where it only ships with the product."""

    code: str
    name: str
    contact: dict[str, str] | None
    seen: str
    line: list[tuple[str, str]]
    """(code, name) of what it lies in, the province first."""


def division(conn: Connection, code: str) -> DivisionView | None:
    """One division; None for a code that nobody knows."""
    return next(iter(_views(conn, [code])), None)


def children(conn: Connection, code: str, after: str = "", limit: int = PAGE) -> tuple[list[DivisionView], bool]:
    """What lies directly below ("": the provinces), by code, beyond `after`; whether there is more."""
    digits = below(code)
    if digits is None:
        return [], False
    within = Division.code.startswith(code, autoescape=True) & (func.length(Division.code) == digits)
    return _page(conn, within, lambda each, _: len(each) == digits and each.startswith(code), after, limit)


def find(conn: Connection, text: str, after: str = "", limit: int = PAGE) -> tuple[list[DivisionView], bool]:
    """Those whose name has this text in it, or whose code begins with these digits; as `children` otherwise."""
    if text.isdecimal():
        named: ColumnElement[bool] = Division.code.startswith(text, autoescape=True)
        return _page(conn, named, lambda code, _: code.startswith(text), after, limit)
    named = Division.name.contains(text, autoescape=True)
    return _page(conn, named, lambda _, name: text in name, after, limit)


def defined(conn: Connection, under: str) -> dict[str, Row[Any]]:
    """What was defined under a code, by code: name, contact, order_key."""
    query = select(Division.code, Division.name, Division.contact, Division.order_key)
    return {row.code: row for row in conn.execute(query.where(Division.code.startswith(under, autoescape=True)))}


def _page(
    conn: Connection, wanted: ColumnElement[bool], fits: Callable[[str, str], bool], after: str, limit: int
) -> tuple[list[DivisionView], bool]:
    query = select(Division.code).where(wanted, Division.code > after).order_by(Division.code).limit(limit + 1)
    held = set(conn.execute(query).scalars())
    shipped = [code for code, name in built_in().items() if code > after and fits(code, name)]
    # A name that ships, and was defined otherwise since, is found by what it is called now.
    renamed = set(conn.execute(select(Division.code).where(Division.code.in_(shipped))).scalars()) - held
    codes = sorted(held | set(shipped[: limit + 1 + len(renamed)]) - renamed)
    return _views(conn, codes[:limit]), len(codes) > limit


def _views(conn: Connection, codes: list[str]) -> list[DivisionView]:
    query = select(Division.code, Division.contact, Division.order_key).where(Division.code.in_(codes))
    held = {row.code: row for row in conn.execute(query)}
    names = own_names(conn, {step for code in codes for step in line(code)})
    return [
        DivisionView(
            code,
            names[code],
            held[code].contact if code in held else None,
            held[code].order_key if code in held else "",
            [(step, names.get(step, step)) for step in line(code)[:-1]],
        )
        for code in codes
        if code in names
    ]
