"""Closed periods: figures as they were then, and what has changed them since, fact by fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, or_, select

from aidvisit.domain import mask
from aidvisit.domain.delivery import Recorded, counting
from aidvisit.domain.rights import Scope
from aidvisit.domain.selection import Of, Selection
from aidvisit.store.apply.rows import order_of
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.author import authors
from aidvisit.store.queries.catalog import items, named
from aidvisit.store.queries.closing import arrivals, recorded
from aidvisit.store.queries.figures import balances, totals
from aidvisit.store.queries.selected import lines
from aidvisit.store.tables import Delivery, DeliveryLine, Household, StockMove, Trip
from sync import log
from sync.log import Entry
from sync.rows import among
from sync.tables import op as op_table

COLUMNS: Final[tuple[Of, ...]] = ("received", "loaded", "gained", "delivered", "returned", "lost", "held")
KEY: Final = "closed-period:"

Figures = Mapping[Of, Mapping[str, int]]
"""By column and item."""


@dataclass(frozen=True, slots=True)
class Closed:
    """`at`: when, as the log names it; `scope`: what its figures are of; `worth`: fen a unit by item, at that time."""

    id: str
    from_: str
    until: str
    at: str
    actor: str
    team: str
    scope: Scope
    figures: Figures
    worth: Mapping[str, int]

    @property
    def selection(self) -> Selection:
        return Selection(from_=self.from_, until=self.until)


@dataclass(frozen=True, slots=True)
class Change:
    """What one fact did to the figures after the closing.

    `kind`: the fact's, or `delivery.replaced` when another took its place. `figures`: less than 0 takes away.
    """

    kind: str
    source: str
    date: str
    arrived: str
    recorded: datetime
    by: str
    device_name: str
    household: str | None
    household_name: str
    reason: str | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One item: as it was closed, and as it is now."""

    item: str
    name: str
    unit: str
    closed: Mapping[Of, int]
    now: Mapping[Of, int]
    value_fen: int | None
    """What was delivered was worth at the closing."""


@dataclass(frozen=True, slots=True)
class Period:
    """`unknown`: by column and item, what has changed without a fact of the period: households or teams moved."""

    closed: Closed
    by: str
    rows: list[PeriodRow]
    changes: list[Change]
    unknown: Figures


def closed_periods(conn: Connection, scope: Scope) -> list[Closed]:
    """Those that teams of a scope closed, the latest period first."""
    found = [_read(identity, value) for identity, value in log.recall_all(conn, KEY).items()]
    mine = [one for one in found if scope.team(one.team)]
    return sorted(mine, key=lambda one: (one.from_, one.at), reverse=True)


def figures(conn: Connection, from_: str, until: str, scope: Scope) -> dict[Of, dict[str, int]]:
    asked = Selection(from_=from_, until=until)
    found: dict[Of, dict[str, int]] = {of: {} for of in COLUMNS}
    for of in ("received", "delivered"):
        found[of] = totals(conn, of, asked, scope, today="")
    for item, row in balances(conn, asked, scope).items():
        for of in COLUMNS[1:]:
            if row.get(of):
                found[of][item] = row[of]
    return {of: {item: quantity for item, quantity in sums.items() if quantity} for of, sums in found.items()}


def period(conn: Connection, closed: Closed) -> Period:
    """How a closed period stands now."""
    now = figures(conn, closed.from_, closed.until, closed.scope)
    changes = sorted(_changes(conn, closed), key=lambda one: (one.arrived, one.source), reverse=True)
    known = named(items(conn), {item for part in (now, closed.figures) for row in part.values() for item in row})
    rows = [
        PeriodRow(
            name.code, name.name, name.unit,
            {of: closed.figures.get(of, {}).get(name.code, 0) for of in COLUMNS},
            {of: now[of].get(name.code, 0) for of in COLUMNS},
            _value(closed, name.code, name.unit),
        )
        for name in known
    ]  # fmt: skip
    said: dict[Of, Counter[str]] = {of: Counter() for of in COLUMNS}
    for change in changes:
        for of, sums in change.figures.items():
            said[of].update(sums)
    left = {
        of: {row.item: rest for row in rows if (rest := row.now[of] - row.closed[of] - said[of][row.item])}
        for of in COLUMNS
    }
    by = authors(conn, [closed.actor], []).user(closed.actor)
    return Period(closed, by, rows, changes, {of: sums for of, sums in left.items() if sums})


def _value(closed: Closed, item: str, unit: str) -> int | None:
    given = closed.figures.get("delivered", {}).get(item, 0)
    worth = 1 if unit == "fen" else closed.worth.get(item)
    return None if worth is None else given * worth


# --- what changed ---------------------------------------------------------------------------------------------


def _changes(conn: Connection, closed: Closed) -> list[Change]:
    return [*_moves(conn, closed), *_deliveries(conn, closed)]


def _late(conn: Connection, table: Any, closed: Closed, *where: Any) -> set[str]:
    """Ids of rows about which something has arrived since."""
    op = op_table.c
    query = select(table.id).join(op_table, op.subject == table.id).where(op.received_at > closed.at, *where)
    return set(conn.execute(query).scalars())


def _moves(conn: Connection, closed: Closed) -> list[Change]:
    moved = _late(conn, StockMove, closed, StockMove.date >= closed.from_, StockMove.date <= closed.until)
    effects: dict[str, dict[Of, Counter[str]]] = {}
    for of in COLUMNS if moved else ():
        found = lines(conn, of, closed.selection, closed.scope, "", wide=False).subquery()
        query = select(found.c.source, found.c.item, found.c.quantity).where(among(conn, found.c.source, moved))
        for source, item, quantity in conn.execute(query):
            effects.setdefault(source, {}).setdefault(of, Counter())[item] += int(quantity)
    facts = {one.op.subject: (one, at) for one, at in _since(conn, closed, effects) if one.op.kind == "stock.moved"}
    told = _told(conn, [one for one, _at in facts.values()])
    return [
        _change(one, at, told, "stock.moved", one.op.body["date"], effects[source], None, "")
        for source, (one, at) in facts.items()
    ]


def _since(conn: Connection, closed: Closed, subjects: Iterable[str]) -> list[tuple[Entry, str]]:
    held = log.histories(conn, list(subjects)).values()
    return [(one, at) for history in held for one, at in arrivals(history) if at > closed.at]


def _deliveries(conn: Connection, closed: Closed) -> list[Change]:
    """Those of the period that count now and did not then, or the other way round."""
    inside = (Delivery.date >= closed.from_, Delivery.date <= closed.until)
    of_period = select(Delivery.id).where(*inside)
    touched = _late(conn, Delivery, closed, or_(Delivery.replaces.in_(of_period), and_(*inside)))
    homes = set(conn.execute(select(Delivery.household).where(among(conn, Delivery.id, touched))).scalars())
    rows = {
        row.id: row for row in conn.execute(select(Delivery.__table__).where(among(conn, Delivery.household, homes)))
    }
    histories = log.histories(conn, list(rows))
    before = _counted(rows.values(), histories, closed.at)
    changed = [
        row for row in rows.values()
        if closed.from_ <= row.date <= closed.until and row.counts != before.get(row.id, False)
    ]  # fmt: skip
    amounts = _amounts(conn, [row.id for row in changed], closed.scope)
    causes = {row.id: _cause(row, rows, histories, closed.at) for row in changed if row.id in amounts}
    told = _told(conn, [cause[1] for cause in causes.values()])
    alias = aliases(conn)
    names = _names(conn, {alias.of(row.household) for row in changed}, closed.scope)
    found = []
    for row in changed:
        if row.id in causes:
            kind, fact, at = causes[row.id]
            sign = 1 if row.counts else -1
            sums = {item: sign * quantity for item, quantity in amounts[row.id].items()}
            home = alias.of(row.household)
            found.append(_change(fact, at, told, kind, row.date, {"delivered": sums}, home, names.get(home, "")))
    return found


def _counted(rows: Iterable[Row[Any]], histories: Mapping[str, Sequence[Entry]], until: str) -> dict[str, bool]:
    """What counted by the facts that had arrived."""
    early: dict[str, list[Recorded]] = {}
    for row in rows:
        there = {one.op.kind for one, at in arrivals(histories[row.id]) if at <= until}
        if "delivery.recorded" in there:
            one = Recorded(row.id, order_of(row.order_key), row.replaces, "delivery.voided" in there)
            early.setdefault(row.household, []).append(one)
    return {identity: counts for known in early.values() for identity, counts in counting(known).items()}


def _cause(
    row: Row[Any], rows: Mapping[str, Row[Any]], histories: Mapping[str, Sequence[Entry]], since: str
) -> tuple[str, Entry, str]:
    """The fact that changed whether a delivery counts: about itself, else about one that is joined to it."""
    own = [(at, one) for one, at in arrivals(histories[row.id]) if at > since]
    if own:
        at, fact = max(own, key=lambda pair: (pair[0], pair[1].order))
        return fact.op.kind, fact, at
    others = [
        (at, one)
        for other in rows.values() if other.household == row.household
        for one, at in arrivals(histories[other.id]) if at > since
    ]  # fmt: skip
    at, fact = max(others, key=lambda pair: (pair[1].op.body.get("replaces") == row.id, pair[0], pair[1].order))
    return "delivery.replaced", fact, at


def _amounts(conn: Connection, ids: Collection[str], scope: Scope) -> dict[str, Counter[str]]:
    line = DeliveryLine
    query = select(line.delivery, line.item, line.quantity).where(among(conn, line.delivery, ids))
    if not scope.everything:
        own = line.trip.in_(select(Trip.id).where(within.trips(scope)))
        query = query.where(or_(within.households(line.household.expression, scope), own))
    sums: dict[str, Counter[str]] = {}
    for delivery, item, quantity in conn.execute(query):
        sums.setdefault(delivery, Counter())[item] += quantity
    return sums


def _told(conn: Connection, facts: Collection[Entry]) -> Any:
    return authors(conn, (one.op.actor for one in facts), (one.op.device for one in facts))


def _names(conn: Connection, ids: Iterable[str], scope: Scope) -> dict[str, str]:
    query = select(Household.id, Household.name).where(
        among(conn, Household.id, list(ids)), within.places(Household.division.expression, scope)
    )
    return {row.id: row.name for row in conn.execute(query)}


def _change(
    fact: Entry, at: str, told: Any, kind: str, date: str, effect: Mapping[Of, Any], home: str | None, name: str
) -> Change:
    op = fact.op
    return Change(
        kind, op.subject, date, at, recorded(fact), told.by(op.actor, op.device), told.device(op.device), home, name,
        mask.text(op.body.get("reason")), {of: dict(sums) for of, sums in effect.items()},
    )  # fmt: skip


def _read(identity: str, value: Mapping[str, Any]) -> Closed:
    scope = value["scope"]
    return Closed(
        identity, value["from"], value["until"], value["at"], value["actor"], value["team"],
        Scope(tuple(scope["divisions"]), frozenset(scope["teams"]), scope["everything"]),
        value["figures"], value["worth"],
    )  # fmt: skip
