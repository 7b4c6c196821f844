"""A trip's list with what its papers say of each household: who got what, who signed, and what may be posted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select

from aidvisit.domain import notice, person
from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.queries import custody
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import Aliases, aliases
from aidvisit.store.queries.catalog import own_names
from aidvisit.store.queries.custody import Custody
from aidvisit.store.queries.roster import RosterRow, roster
from aidvisit.store.tables import Delivery, DeliveryLine, Household, User
from sync import blobs
from sync.rows import among


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery that counts. `signature`: the hash of a drawn one that is held here; `proof`: as the fact has it;
    `lines`: quantity by item code; `by`: who handed over, by name.
    """

    date: str
    received_as: str
    received_by: str
    relation: str | None
    method: str | None
    proof: str | None
    signature: str | None
    by: list[str]
    witness: str
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One household of the list. `posted`: its name as a notice may show it; `phone`: masked."""

    row: RosterRow
    village: str
    phone: str
    size: int | None
    posted: str
    receipts: list[Receipt]
    kept: list[Custody]

    @property
    def number(self) -> int:
        return self.row.number

    @property
    def name(self) -> str:
        return self.row.stop.name

    @property
    def group(self) -> str:
        return self.row.stop.group

    @property
    def allotted(self) -> Mapping[str, int]:
        return self.row.stop.allotted

    @property
    def delivered(self) -> Mapping[str, int]:
        return self.row.stop.delivered

    @property
    def outcome(self) -> str:
        """Why it got nothing, as far as anybody knows; empty for one that did."""
        visit = self.row.stop.visit
        return visit.outcome if visit and not self.delivered else ""


def lines(conn: Connection, trip: str, today: str, scope: Scope = EVERYTHING) -> list[PaperLine]:
    """The list in its order (`roster`). `today`: the day of ages."""
    listed, alias = roster(conn, trip, scope), aliases(conn)
    rows = _people(conn, alias.spread([row.stop.household for row in listed]), scope)
    places = own_names(conn, {row.stop.division for row in listed if row.stop.division})
    receipts, kept = _receipts(conn, trip, alias), custody.of_trip(conn, trip)
    return [
        PaperLine(
            one, places.get(one.stop.division, ""),
            person.mask_phone(known.head_phone) if known and known.head_phone else "",
            known.size if known else None, _posted(one.stop.name, known, today),
            receipts.get(one.stop.household, []), kept.get(one.stop.household, []),
        )
        for one in listed
        for known in [next((rows[each] for each in alias.all(one.stop.household) if each in rows), None)]
    ]  # fmt: skip


def _people(conn: Connection, ids: Iterable[str], scope: Scope) -> dict[str, Row[Any]]:
    query = select(
        Household.id, Household.kind, Household.size, Household.head_phone, Household.head_born,
        Household.head_id_number,
    ).where(among(conn, Household.id, list(ids)), within.places(Household.division.expression, scope))  # fmt: skip
    return {row.id: row for row in conn.execute(query)}


def _posted(name: str, known: Row[Any] | None, today: str) -> str:
    """A household that nobody here knows has no name to post."""
    if known is None:
        return ""
    if known.kind != "institution" and notice.is_minor(known.head_born, known.head_id_number, today):
        return notice.minor(name)
    return name


@dataclass(slots=True)
class _Draft:
    """A delivery while its lines are read."""

    row: Row[Any]
    lines: dict[str, int] = field(default_factory=dict)


def _receipts(conn: Connection, trip: str, alias: Aliases) -> dict[str, list[Receipt]]:
    """By household, what counts of a trip, the earliest first."""
    counting = select(Delivery.__table__).where(Delivery.trip == trip, Delivery.counts).order_by(Delivery.order_key)
    drafts = {row.id: _Draft(row) for row in conn.execute(counting)}
    amounts = select(DeliveryLine.delivery, DeliveryLine.item, DeliveryLine.quantity).where(
        DeliveryLine.trip == trip, DeliveryLine.counts
    )
    for line in conn.execute(amounts):
        if line.delivery in drafts:
            held = drafts[line.delivery].lines
            held[line.item] = held.get(line.item, 0) + line.quantity
    drawn = {name for each in drafts.values() if (name := _drawn(each.row))}
    here = blobs.held(conn, drawn)
    people = {each for one in drafts.values() for each in one.row.handed_by or []}
    names = {row.id: row.name for row in conn.execute(select(User.id, User.name).where(User.id.in_(people)))}
    found: dict[str, list[Receipt]] = {}
    for one in drafts.values():
        found.setdefault(alias.of(one.row.household), []).append(_receipt(one, here, names))
    return found


def _receipt(one: _Draft, here: set[str], names: Mapping[str, str]) -> Receipt:
    row, drawn = one.row, _drawn(one.row)
    return Receipt(
        row.date, row.received_as, row.received_by, row.received_relation, row.method,
        row.proofs[0].get("as") if row.proofs else None, drawn if drawn in here else None,
        [names[each] for each in row.handed_by or [] if each in names], (row.witness or {}).get("name", ""),
        one.lines,
    )  # fmt: skip


def _drawn(row: Row[Any]) -> str | None:
    """The picture of a signature or a thumbprint."""
    drawn = (one.get("sha256") for one in row.proofs or [] if one.get("as") in ("signature", "thumbprint"))
    return next((each for each in drawn if each), None)
