"""Which facts a figure is about: said once, for the figure and for the entries that it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Final, Literal, get_args

from aidvisit.domain import place as places
from aidvisit.domain.division import is_code
from sync.op import is_uuid

Of = Literal["allocated", "loaded", "gained", "handed", "returned", "lost", "held", "on-truck", "delivered", "received"]
COLUMNS: Final[tuple[Of, ...]] = get_args(Of)
"""What a figure counts. `handed` is what went off a truck to households, a part of the truck's balance; `delivered` is
what households received, also without a trip and from custody; `received` is what came in from donors.
"""

LONGEST = 100
SEVERAL, UNKNOWN = "~several", "~unknown"
"""Of a `lot`: one of several, nobody knows which; or none was written down. Of a `donor`: not known."""
_ARGUMENTS = {"from_": "from", "class_": "class"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids, codes and days (YYYY-MM-DD) only; "" asks for nothing.

    `from_`, `until`: days of the entries, of an allotment the day on which its trip starts. `trips_from`,
    `trips_until`: days on which trips start. `tour`: the id of one of its trips. `division`: its code, or how those in
    it begin. `donor`: a donor's code. `place`: what goods came from or went to, or a kind of place alone (`truck`).
    `method`: how cash was given.
    """

    from_: str = ""
    until: str = ""
    trips_from: str = ""
    trips_until: str = ""
    trip: str = ""
    tour: str = ""
    team: str = ""
    item: str = ""
    class_: str = ""
    division: str = ""
    category: str = ""
    donor: str = ""
    lot: str = ""
    place: str = ""
    household: str = ""
    method: str = ""

    def but(self, **changed: str) -> Selection:
        return replace(self, **changed)

    @property
    def arguments(self) -> dict[str, str]:
        """As an address names it, without what asks for nothing."""
        return {_ARGUMENTS.get(name, name): value for name, value in asdict(self).items() if value}


def of_arguments(given: Mapping[str, str]) -> Selection:
    """What an address asks for; arguments that are none of a selection's are left alone.

    Raises: ValueError for one that cannot be: without it, the figures would be others than those asked for.
    """
    values: dict[str, Any] = {}
    for name in Selection.__slots__:
        text = given.get(_ARGUMENTS.get(name, name), "").strip()
        if text and not _fits(name, text):
            raise ValueError(name)
        values[name] = text
    return Selection(**values)


def _fits(name: str, text: str) -> bool:
    if name in ("trip", "tour", "team", "household"):
        return is_uuid(text)
    if name in ("from_", "until", "trips_from", "trips_until"):
        return _is_day(text)
    if name == "division":
        return is_code(text)
    if name == "place":
        return text in get_args(places.PlaceKind) or places.parse(text) is not None
    return len(text) <= LONGEST


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
