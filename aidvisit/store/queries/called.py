"""Divisions by a part of their name, and categories, from memory: thousands would else be read for every word."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select

from aidvisit.domain.division import COUNTY, line
from aidvisit.domain.search import plain
from aidvisit.store.queries.catalog import categories, own_names
from aidvisit.store.tables import Division
from sync import tables

MOST = 50
"""What so many divisions are called (村) says nothing about where."""


@dataclass(frozen=True, slots=True)
class Names:
    """All names as one text, a line each; `starts`: where each begins, `codes` whose it is; `called` as they are shown.

    `categories` by code, in the catalogue's order. `state`: the newest op of the organisation's stream, which all
    are defined in.
    """

    state: str | None
    text: str
    starts: list[int]
    codes: list[str]
    called: dict[str, str]
    categories: Mapping[str, str]

    def place(self, code: str) -> list[str]:
        """County, town and village of a code, as far as they have a name."""
        return [self.called[step] for step in line(code) if step in self.called and len(step) >= COUNTY]

    def places(self, part: str) -> list[str]:
        """Codes of the divisions that have this in their name, without those that lie in another of them."""
        found: list[str] = []
        at = self.text.find(part)
        while at >= 0 and len(found) <= MOST:
            row = bisect_right(self.starts, at) - 1
            if not found or not self.codes[row].startswith(found[-1]):
                found.append(self.codes[row])
            following = self.starts[row + 1] if row + 1 < len(self.starts) else len(self.text)
            at = self.text.find(part, following)
        return found if len(found) <= MOST else []


_known: WeakKeyDictionary[Engine, Names] = WeakKeyDictionary()


_op = tables.op.c
NEWEST = select(_op.digest).where(_op.stream == "org", _op.n.is_not(None)).order_by(_op.n.desc()).limit(1)
"""The state of the organisation's stream, by which names are known."""


def names(conn: Connection, state: str | None) -> Names:
    """What those that were defined are called now, and all that these lie in; anew when the `NEWEST` is another."""
    held = _known.get(conn.engine)
    if held is None or held.state != state:
        called = own_names(
            conn, {step for code in conn.execute(select(Division.code)).scalars() for step in line(code)}
        )
        lines = [f"{plain(called[code])}\n" for code in sorted(called)]
        starts = [0, *accumulate(map(len, lines))][: len(lines)]
        held = Names(state, "".join(lines), starts, sorted(called), called, categories(conn))
        _known[conn.engine] = held
    return held
