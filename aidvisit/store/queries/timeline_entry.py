"""What a timeline is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aidvisit.domain.history import Change
from aidvisit.store.queries.catalog import Quantity
from aidvisit.store.queries.held import Decision


@dataclass(frozen=True, slots=True)
class Voided:
    """Who said that it was not, when, and from which device: `by`, `device_name` as in the entry."""

    at: datetime
    by: str
    device_name: str


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One fact. `id`: its subject; `kind`, `group`: as the registry of kinds has them.

    `recorded_at`: aware, UTC, by the clock that its place in the order follows; `restamped`: what the laptop's own
    clock said, where that did not stand; `arrived`: when this node got it, of a fact of another one.
    `date`: of what happened. `sent`: whether the centre has acknowledged it, of this device's own facts, else None.
    `changed`: what an edit changed. `since`: in what the household, or its allotment, differs now from then.
    `held`: SHA-256 of photos and signatures that are here. `by`: who recorded it, else their
    laptop's team, "" for the office; `device_name`: "" for the centre. `member`: name of whom it was for.
    `note`: of a visit or delivery; of a closing, an edit or a merge its reason. `into`: the household merged into.
    `quarantined`: the centre holds it for review; `decision`: what became of it there, where it once was held.
    """

    id: str
    kind: str
    date: str
    group: str
    household: str
    recorded_at: datetime
    restamped: datetime | None
    arrived: datetime | None
    by: str
    device_name: str
    sent: bool | None
    quarantined: bool
    decision: Decision | None
    team: str = ""
    trip: str | None = None
    trip_title: str = ""
    member: str | None = None
    lines: list[Quantity] = field(default_factory=list)
    from_place: str | None = None
    received_by: str | None = None
    received_as: str | None = None
    relation: str | None = None
    proofs: list[dict[str, Any]] = field(default_factory=list)
    held: frozenset[str] = frozenset()
    handed_by: list[str] = field(default_factory=list)
    witness: str | None = None
    note: str | None = None
    outcome: str | None = None
    purposes: list[str] = field(default_factory=list)
    met_with: dict[str, str] | None = None
    minutes: int | None = None
    needs: list[str] = field(default_factory=list)
    void_reason: str | None = None
    voided: Voided | None = None
    replaces: str | None = None
    replaced: bool = False
    counts: bool = True
    overrides: list[dict[str, Any]] = field(default_factory=list)
    into: str | None = None
    changed: list[Change] = field(default_factory=list)
    since: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of it. `more`: what to ask with for the page after this one, "" at the end.

    `members`: by id, the name of everybody who was ever of the household.
    """

    entries: list[TimelineEntry]
    more: str
    members: Mapping[str, str]
