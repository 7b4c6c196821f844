"""What deliveries raise: possible duplicates, more than the allotment says, and what experience asks about.

Each finder looks at some deliveries and at what stands around them by an index (their household, their trip, their
laptop's day, whoever else has the same picture): never at all that there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select

from aidvisit.domain.inbox import PROXY_HOUSEHOLDS, Stand, at_once, too_fast
from aidvisit.store.inbox import Found
from aidvisit.store.queries.alias import Aliases, aliases
from aidvisit.store.queries.duplicate import duplicates
from aidvisit.store.queries.trip import ZONE, recorded_at
from aidvisit.store.tables import Allocation, Delivery, DeliveryLine, Household
from sync import tables
from sync.rows import among

BEYOND = ("outside-allocation", "over-allocation")
PICTURES = {"signature": "signature", "photo": "photo", "thumbprint": "signature"}
"""How a picture proves → the kind of question; a photo of a signed sheet (`paper`) stands for many."""


@dataclass(frozen=True, slots=True)
class _Around:
    """What every finder has at hand. `since`: by delivery, when the centre had it."""

    conn: Connection
    alias: Aliases
    since: Mapping[str, str]
    now: str
    divisions: dict[str, str]

    def found(self, kind: str, key: str, rows: Sequence[Any], **about: Any) -> Found:
        """An item about these deliveries, in order; it waits since the last of them came."""
        ids = [row.id for row in rows]
        since = max((self.since[one] for one in ids if one in self.since), default=self.now)
        home = self.alias.of(rows[0].household)
        division = self.divisions.get(home) or self.divisions.get(rows[0].household)
        return Found(kind, key, since, {"deliveries": ids, **about}, division, None, rows[-1].trip)


def questions(conn: Connection, since: Mapping[str, str], now: str) -> list[Found]:
    """All that these deliveries have a part in. `since`: by delivery, when the centre had it (ISO 8601, UTC)."""
    rows = list(conn.execute(_deliveries().where(among(conn, Delivery.id, since))))
    alias = aliases(conn)
    around = _Around(conn, alias, since, now, {})
    found: list[Found] = []
    for finder in (_duplicates, _outside, _pictures, _proxies, _days):
        found += finder(around, rows)
    return found


def _deliveries() -> Select[Any]:
    return select(
        Delivery.id, Delivery.household, Delivery.trip, Delivery.date, Delivery.device, Delivery.order_key,
        Delivery.received_as, Delivery.received_by, Delivery.received_id_last4, Delivery.proofs, Delivery.at,
        Delivery.overrides, Delivery.counts,
    )  # fmt: skip


def _places(around: _Around, rows: Sequence[Any]) -> None:
    """Learn where the households of these deliveries are."""
    wanted = {one for row in rows for one in (row.household, around.alias.of(row.household))} - around.divisions.keys()
    query = select(Household.id, Household.division).where(among(around.conn, Household.id, wanted))
    around.divisions.update({row.id: row.division for row in around.conn.execute(query)})


def _duplicates(around: _Around, rows: Sequence[Any]) -> Iterator[Found]:
    pairs = duplicates(around.conn, households={around.alias.of(row.household) for row in rows})
    ids = {side.delivery for pair in pairs for side in (pair.first, pair.second)}
    held = {row.id: row for row in around.conn.execute(_deliveries().where(among(around.conn, Delivery.id, ids)))}
    _places(around, list(held.values()))
    for pair in pairs:
        sides = [held[pair.first.delivery], held[pair.second.delivery]]
        key = "/".join([pair.item, *sorted(row.id for row in sides)])
        yield around.found("duplicate", key, sides, item=pair.item, days=pair.days_apart, repeat=pair.repeat_days)


def _outside(around: _Around, rows: Sequence[Any]) -> Iterator[Found]:
    """On a trip, and of an item that its allotment does not name for the household; or somebody gave a reason."""
    mine = {row.id: row for row in rows if row.trip and row.counts}
    _places(around, list(mine.values()))
    lines = select(DeliveryLine.delivery, DeliveryLine.item).where(
        among(around.conn, DeliveryLine.delivery, mine), DeliveryLine.counts
    )
    trips = {row.trip for row in mine.values()}
    homes = around.alias.spread(row.household for row in mine.values())
    planned = select(Allocation.trip, Allocation.household, Allocation.item).where(
        among(around.conn, Allocation.household, homes), among(around.conn, Allocation.trip, trips),
        Allocation.quantity > 0,
    )  # fmt: skip
    allotted = {(row.trip, around.alias.of(row.household), row.item) for row in around.conn.execute(planned)}
    beyond = defaultdict(set)
    for line in around.conn.execute(lines):
        row = mine[line.delivery]
        if (row.trip, around.alias.of(row.household), line.item) not in allotted:
            beyond[row.id].add(line.item)
    for identity, row in mine.items():
        said = any(one.get("rule") in BEYOND for one in row.overrides)
        if said or beyond[identity]:
            yield around.found("outside", identity, [row], items=sorted(beyond[identity]))


def _pictures(around: _Around, rows: Sequence[Any]) -> Iterator[Found]:
    """One signature under several households or names, a photo in several deliveries."""
    asked = {(kind, digest) for row in rows for kind, digest in _digests(row)}
    named, op = tables.blob_name.c, tables.op.c
    query = (
        _deliveries()
        .add_columns(named.sha256)
        .join(tables.op, and_(op.subject == Delivery.id, op.kind == "delivery.recorded"))
        .join(tables.blob_name, and_(named.device == op.device, named.seq == op.seq))
        .where(among(around.conn, named.sha256, {digest for _kind, digest in asked}), Delivery.counts)
        .order_by(Delivery.order_key)
    )
    using: dict[tuple[str, str], dict[str, Row[Any]]] = defaultdict(dict)
    for row in around.conn.execute(query):
        for kind, digest in _digests(row):
            if digest == row.sha256:
                using[kind, digest][row.id] = row
    for kind, digest in sorted(asked):
        same = list(using[kind, digest].values())
        who = {(around.alias.of(row.household), row.received_by) for row in same}
        if len(who if kind == "signature" else same) > 1:
            _places(around, same)
            yield around.found(kind, digest, same)


def _digests(row: Any) -> Iterator[tuple[str, str]]:
    for proof in row.proofs:
        if proof.get("as") in PICTURES and proof.get("sha256"):
            yield PICTURES[proof["as"]], proof["sha256"]


def _proxies(around: _Around, rows: Sequence[Any]) -> Iterator[Found]:
    """One and the same person signed for many households on a trip."""
    trips = {row.trip for row in rows if row.trip and row.received_as == "proxy"}
    query = _deliveries().where(
        among(around.conn, Delivery.trip, trips), Delivery.received_as == "proxy", Delivery.counts
    )
    signed: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for row in around.conn.execute(query.order_by(Delivery.order_key)):
        signed[row.trip, row.received_by, row.received_id_last4 or ""].append(row)
    for key, same in sorted(signed.items()):
        if len({around.alias.of(row.household) for row in same}) >= PROXY_HOUSEHOLDS:
            _places(around, same)
            yield around.found("proxy", sha256("/".join(key).encode()).hexdigest(), same)


def _days(around: _Around, rows: Sequence[Any]) -> Iterator[Found]:
    """What a laptop recorded on a day, on the day itself: faster than a car, or a whole village at once."""
    days = {(row.device, row.date) for row in rows}
    if not days:
        return
    query = _deliveries().where(
        among(around.conn, Delivery.device, {device for device, _date in days}),
        among(around.conn, Delivery.date, {date for _device, date in days}),
        Delivery.counts,
    )
    held: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in around.conn.execute(query.order_by(Delivery.order_key)):
        if (row.device, row.date) in days and _there(row):
            held[row.device, row.date].append(row)
    for (device, date), day in sorted(held.items()):
        yield from _speed(around, day)
        yield from _villages(around, f"{device}/{date}", day)


def _there(row: Any) -> bool:
    """Recorded where it was given: not typed in from a sheet, nor on a later day."""
    on_paper = any(proof.get("as") == "paper" for proof in row.proofs)
    return not on_paper and recorded_at(row.order_key).astimezone(ZONE).date().isoformat() == row.date


def _speed(around: _Around, day: Sequence[Any]) -> Iterator[Found]:
    placed = [row for row in day if row.at]
    for before, row in pairwise(placed):
        if too_fast(_stand(before), _stand(row)):
            _places(around, [before, row])
            yield around.found("speed", f"{before.id}/{row.id}", [before, row])


def _stand(row: Any) -> Stand:
    return Stand(recorded_at(row.order_key), row.at["lat"], row.at["lon"], row.at.get("accuracy_m", 0))


def _villages(around: _Around, key: str, day: Sequence[Any]) -> Iterator[Found]:
    _places(around, day)
    by_village: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in day:
        home = around.alias.of(row.household)
        by_village[around.divisions.get(home, "")].setdefault(home, row)
    for village, homes in sorted(by_village.items()):
        rows = list(homes.values())
        most = at_once([recorded_at(row.order_key) for row in rows])
        if village and most is not None:
            yield around.found("village", f"{key}/{village}", rows[slice(*most)])
