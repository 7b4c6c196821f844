"""The state of one subject: a pure function of the facts about it, whatever order they arrive in.

Source: docs/protocol.md section 5. Store keeps what these give; sync.merge knows the law of fields and sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from aidvisit.domain import trip as trips
from aidvisit.domain.flatten import MEMBERS, flatten, nest
from sync.merge import Change, Edit, FieldState, Order, elements, fields

Body = dict[str, Any]


class Record(NamedTuple):
    """One fact about a subject, with its place in the order of everything and its name `<device>/<seq>`."""

    order: Order
    name: str
    kind: str
    body: Body


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one subject by path, in the order of the paths."""

    states: dict[str, FieldState]

    @property
    def body(self) -> Body:
        """The values that count, in the shape of the body that first gave them; what was cleared is absent."""
        return _nested(self.states)

    @property
    def conflicts(self) -> dict[str, FieldState]:
        """Those with conflicting edits, until an edit names them all."""
        return {path: state for path, state in self.states.items() if state.conflict}

    def heads(self, path: str) -> list[str]:
        """The ops whose values stand."""
        return [name for name, _ in self.states[path].heads] if path in self.states else []

    def in_view(self, path: str) -> list[str]:
        """What an edit of this path made now gives as its `base`: of a conflict only the value that is shown, for
        settling it takes a reason."""
        return self.heads(path)[-1:] if path in self.conflicts else self.heads(path)


@dataclass(frozen=True, slots=True)
class Household(Fields):
    """`categories` by code and `members` (ids), both in the order of their first mention.

    `closed`: the body of the closing that counts. `into`: the household that it was merged into.
    """

    categories: dict[str, Body]
    members: tuple[str, ...]
    closed: Body | None
    into: str | None

    @property
    def body(self) -> Body:
        """As it would be registered today."""
        found = _nested(self.states)
        people = found.get(MEMBERS, {})
        found["categories"] = list(self.categories.values())
        found[MEMBERS] = [{**people.get(identity, {}), "id": identity} for identity in self.members]
        return found


@dataclass(frozen=True, slots=True)
class Trip(Fields):
    """`allocation` by (household, item), without the lines taken away, in the order of their first mention.

    `devices`: whom the latest release names.
    """

    allocation: dict[tuple[str, str], int]
    status: trips.Status
    devices: tuple[Body, ...]


def household(records: Iterable[Record]) -> Household | None:
    """Fold the facts about one household; None when none registers it."""
    ordered = sorted(records, key=lambda record: record.order)
    edits = _edits(ordered, "household.registered", "household.updated")
    if not edits:
        return None
    registered = edits[0].name
    changes = [record for record in ordered if record.kind == "household.updated" or record.name == registered]
    members = elements(_changes(changes, MEMBERS, "id"))
    states = {
        path: state
        for path, state in sorted(fields(edits).items())
        if not path.startswith(f"{MEMBERS}.") or path.split(".")[1] in members
    }
    closed = _latest(ordered, "household.closed", "household.reopened")
    merged = _latest(ordered, "household.merged", "household.unmerged")
    return Household(
        states=states,
        categories=elements(_changes(changes, "categories", "code")),
        members=tuple(members),
        closed=closed.body if closed and closed.kind == "household.closed" else None,
        into=merged.body["into"] if merged and merged.kind == "household.merged" else None,
    )


def trip(records: Iterable[Record]) -> Trip | None:
    """Fold the facts about one trip; None when none plans it."""
    ordered = sorted(records, key=lambda record: record.order)
    edits = _edits(ordered, "trip.planned", "trip.updated")
    if not edits:
        return None
    released = _latest(ordered, "trip.released")
    return Trip(
        states=dict(sorted(fields(edits).items())),
        allocation={line: quantity for line, quantity in _allocation(ordered).items() if quantity},
        status=trips.status(record.kind for record in ordered),
        devices=tuple(released.body["devices"]) if released else (),
    )


def team(records: Iterable[Record]) -> Fields | None:
    """Fold the definitions and updates of one team; None when none defines it."""
    return _defined(records, "team")


def user(records: Iterable[Record]) -> Fields | None:
    """Fold the definitions and updates of one user; None when none defines it."""
    return _defined(records, "user")


def latest(records: Iterable[Record]) -> Record | None:
    """The whole value that counts among definitions of one code or subject: the greatest."""
    return max(records, key=lambda record: record.order, default=None)


def _nested(states: Mapping[str, FieldState]) -> Body:
    return nest({path: state.value for path, state in states.items() if state.value is not None})


def _defined(records: Iterable[Record], noun: str) -> Fields | None:
    """A definition is a whole value: the greatest counts, with the updates after it."""
    ordered = sorted(records, key=lambda record: record.order)
    start = _latest(ordered, f"{noun}.defined")
    if start is None:
        return None
    since = [record for record in ordered if record.order >= start.order]
    return Fields(dict(sorted(fields(_edits(since, f"{noun}.defined", f"{noun}.updated")).items())))


def _edits(ordered: list[Record], first: str, updated: str) -> list[Edit]:
    """The fact that made the subject, as an edit of all its fields, and then the updates.

    The same subject may have been made twice, equally; an update's base may name either, so they share a name.
    """
    makers = [record for record in ordered if record.kind == first]
    if not makers:
        return []
    maker, twins = makers[0], {record.name for record in makers}
    edits = [Edit(maker.name, maker.order, values(maker))]
    for record in ordered:
        if record.kind != updated:
            continue
        base = {
            path: [maker.name if name in twins else name for name in names]
            for path, names in record.body.get("base", {}).items()
        }
        edits.append(Edit(record.name, record.order, values(record), base))
    return edits


def values(record: Record) -> dict[str, Any]:
    """What one fact that makes or edits a subject says of its fields, by path; other facts say nothing of them."""
    if not record.kind.endswith(".updated"):
        return flatten(record.body) if record.kind.endswith((".registered", ".planned", ".defined")) else {}
    added = flatten({MEMBERS: record.body.get("add", {}).get(MEMBERS, [])})
    return {**added, **record.body.get("set", {})}


def _changes(ordered: list[Record], key: str, by: str) -> list[Change]:
    """What registering and updates say of one set, in order; within an op, removing comes before adding."""
    changes = []
    for record in ordered:
        body: Mapping[str, Any] = record.body
        removed: list[str] = []
        if record.kind == "household.updated":
            removed = body.get("remove", {}).get(key, [])
            body = body.get("add", {})
        changes += [Change(record.order, element, False) for element in removed]
        changes += [Change(record.order, element[by], True, element) for element in body.get(key, [])]
    return changes


def _latest(ordered: list[Record], *kinds: str) -> Record | None:
    return latest(record for record in ordered if record.kind in kinds)


def _allocation(ordered: list[Record]) -> dict[tuple[str, str], int]:
    return {
        (line["household"], line["item"]): line["quantity"]
        for record in ordered
        if record.kind == "allocation.set"
        for line in record.body["lines"]
    }
