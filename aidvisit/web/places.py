"""Places that a filter can be set to."""

from __future__ import annotations

from flask import g
from sqlalchemy import Connection

from aidvisit.domain.division import village
from aidvisit.store.queries import catalog, listing

CHOICES = 400


def choices(conn: Connection, place: str) -> list[tuple[str, str]]:
    """(code, name) of counties, towns and villages with households, as far as the person answers for them.

    `place`: the one that is chosen now, which stays among them.
    """
    found = listing.places(conn, g.scope)
    codes = found
    for digits in (9, 6):  # a select of all villages of a province is no choice, and weighs more than a page may
        codes = codes if len(codes) <= CHOICES else {code for code in codes if len(code) <= digits}
    names = catalog.own_names(conn, codes | ({place} & found))
    return [(code, village(names.get(code, code))) for code in sorted(names)]
