"""Goods left with the village committee (村委代存) for a household that nobody met.

A visit says whom it was for and who keeps the goods; a movement from the truck to `held:<village>` says how much. The
movement's id follows from the visit's, so one leads to the other without a field of its own.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from aidvisit.domain.place import Place


def movement_of(visit: str) -> str:
    """The id of the movement that belongs to a visit (UUID version 5, RFC 9562, in the visit's namespace)."""
    return str(uuid5(UUID(visit), "custody"))


def keeper(division: str) -> str:
    """The place where a village keeps goods, by its code."""
    return str(Place("held", division))
