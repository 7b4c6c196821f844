"""One where for a figure and its entries: a selection as lines of deliveries, of stock and of allotments.

Every figure sums `lines`, and what it opens lists the same lines: so they cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Text,
    and_,
    case,
    false,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    type_coerce,
    union_all,
)

from aidvisit.domain import place as places
from aidvisit.domain.rights import Scope
from aidvisit.domain.selection import SEVERAL, UNKNOWN, Of, Selection
from aidvisit.store.queries import scope as within
from aidvisit.store.queries.alias import aliases, of_one
from aidvisit.store.queries.listing import in_category
from aidvisit.store.tables import (
    Allocation,
    Delivery,
    DeliveryLine,
    FieldDevice,
    Household,
    Item,
    StockLine,
    Trip,
    User,
)
from sync.rows import among

Lines = Select[Any] | CompoundSelect[Any]
"""`date`, `source`, `line`, `item`, `quantity` (less than 0: it went back), `trip`, `household`, `from_place`,
`to_place`, `lot`. `source` and `line` name one of them, and with the date they are their order.
"""

ON, OFF = "on", "off"
_NAMED = ("gain", "household", "loss")
SIDES: Final[dict[str, tuple[tuple[str, tuple[str, ...], bool, int], ...]]] = {
    "loaded": ((ON, _NAMED, False, 1),),
    "gained": ((ON, ("gain",), True, 1), (OFF, ("gain",), True, -1)),
    "handed": ((OFF, ("household",), True, 1), (ON, ("household",), True, -1)),
    "returned": ((OFF, (*_NAMED, "held"), False, 1),),
    "lost": ((OFF, ("loss",), True, 1), (ON, ("loss",), True, -1)),
    "held": ((OFF, ("held",), True, 1),),
    "on-truck": ((ON, (), False, 1), (OFF, (), False, -1)),
}
"""By column: on or off the truck, the kinds of the other place, whether it must be one of them, and how it counts.

Source: domain/balance.py, with which a test compares it.
"""
_TRUCK = len("truck:") + 1
_HOUSEHOLD = len("household:") + 1
TOLD_APART = 5
"""So many characters of a place tell of what kind it is."""
BLIND: Final[dict[str, tuple[str, ...]]] = {
    "allocated": ("donor", "lot", "place", "method"),
    "delivered": (),
    "received": ("household", "category", "method", "division", "tour", "team", "trips_from", "trips_until"),
    **dict.fromkeys(SIDES, ("category", "method")),
}
"""What a column knows nothing of: asked for that, it is 0 rather than a figure that pays no heed to it."""


def lines(
    conn: Connection,
    of: Of,
    selection: Selection,
    scope: Scope,
    today: str,
    *,
    wide: bool = True,
    only: Collection[str] | None = None,
) -> Lines:
    """The lines that a figure sums. Not `wide`: those of deliveries leave their places out, which costs a join.

    `only`: of these trips, which are some of the selection's.
    """
    if any(getattr(selection, name) for name in BLIND[of]):
        return _delivered(conn, Selection(), scope, today, wide=False).where(false())
    if of == "allocated":
        return _allocated(conn, selection, scope, today, only)
    if of == "delivered":
        return _delivered(conn, selection, scope, today, wide=wide, only=only)
    if of == "received":
        return _received(selection, scope)
    parts = [moved(conn, side, selection, scope, only) for side in SIDES[of]]
    return parts[0] if len(parts) == 1 else union_all(*parts)


def kind(column: ColumnElement[Any], *kinds: str) -> ColumnElement[bool]:
    """Places of these kinds: ranges, so that an index serves; the semicolon follows the colon."""
    return or_(false(), *((column >= f"{one}:") & (column < f"{one};") for one in kinds))


# --- what each column is made of ------------------------------------------------------------------------------


def _allocated(conn: Connection, chosen: Selection, scope: Scope, today: str, only: Collection[str] | None) -> Lines:
    line = Allocation
    key = line.trip.expression.concat("/").concat(line.household).concat("/").concat(line.item)
    query = _shape(
        Trip.starts, key, literal(0), line.item, line.quantity, line.trip, line.household, null(), null(), null()
    )
    conditions = [
        line.quantity > 0,
        *_days(Trip.starts.expression, chosen),
        *_items(line.item.expression, chosen),
        *_homes(conn, line.household.expression, chosen, today),
        *of_trips(line.trip.expression, chosen, scope, ""),
        *_only(conn, line.trip.expression, only),
    ]
    return query.join_from(line, Trip, Trip.id == line.trip).where(*conditions)


def _delivered(
    conn: Connection,
    chosen: Selection,
    scope: Scope,
    today: str,
    *,
    wide: bool,
    only: Collection[str] | None = None,
) -> Select[Any]:
    line, head = DeliveryLine, Delivery
    wide = wide or any((chosen.place, chosen.method, chosen.lot, chosen.donor))
    date, source = line.date, line.delivery
    went = literal("household:").concat(line.household)
    origin: Any = head.from_place if wide else null()
    query = _shape(date, source, line.line, line.item, line.quantity, line.trip, line.household, origin, went, line.lot)
    if wide:
        query = query.join_from(head, line, line.delivery == head.id)
    conditions: list[ColumnElement[bool]] = [
        line.counts.expression,
        *_days(date.expression, chosen),
        *_items(line.item.expression, chosen),
        *_homes(conn, line.household.expression, chosen, today),
        *_trips_or_team(chosen),
        *_only(conn, line.trip.expression, only),
    ]
    if wide:
        conditions += [*_place(chosen, head.from_place.expression), *_method(chosen)]
        conditions += _lots(chosen, line.item.expression, line.lot.expression, head.from_place.expression)
    if not scope.everything:
        own = line.trip.in_(select(Trip.id).where(within.trips(scope)))
        conditions.append(or_(within.households(line.household.expression, scope), own))
    return query.where(*conditions)


def moved(
    conn: Connection,
    side: tuple[str, tuple[str, ...], bool, int],
    chosen: Selection,
    scope: Scope,
    only: Collection[str] | None,
) -> Select[Any]:
    way, kinds, these, sign = side
    line = StockLine
    truck, other = (line.to_place, line.from_place) if way == ON else (line.from_place, line.to_place)
    home = case((kind(other.expression, "household"), func.substr(other, _HOUSEHOLD)), else_=null())
    query = _shape(
        line.date, line.source, line.line, line.item, line.quantity * sign, func.substr(truck, _TRUCK), home,
        line.from_place, line.to_place, line.lot,
    ).add_columns(func.substr(other, 1, TOLD_APART).label("other"))  # fmt: skip
    conditions: list[ColumnElement[bool]] = [
        line.from_place != line.to_place,
        *_days(line.date.expression, chosen),
        *_items(line.item.expression, chosen),
        *of_trips(truck.expression, chosen, scope, "truck:"),
        *_only(conn, truck.expression, None if only is None else [places.truck(one) for one in only]),
        *_place(chosen, other.expression),
        *_lots(chosen, line.item.expression, line.lot.expression, line.from_place.expression),
    ]
    if kinds:
        conditions.append(kind(other.expression, *kinds) if these else ~kind(other.expression, *kinds))
    if chosen.household:
        ids = [places.household(one) for one in of_one(conn, chosen.household).all(chosen.household)]
        conditions.append(among(conn, other.expression, ids))
    return query.where(*conditions)


def _received(chosen: Selection, scope: Scope) -> Lines:
    """From donors, less what went back to them. What came to the warehouses is everybody's; a trip's is its team's."""
    line, parts = StockLine, []
    for donor, other, sign in ((line.from_place, line.to_place, 1), (line.to_place, line.from_place, -1)):
        query = _shape(
            line.date, line.source, line.line, line.item, line.quantity * sign, line.trip, null(), line.from_place,
            line.to_place, line.lot,
        )  # fmt: skip
        conditions: list[ColumnElement[bool]] = [
            kind(donor.expression, "donor"),
            ~kind(other.expression, "donor"),
            *_days(line.date.expression, chosen),
            *_items(line.item.expression, chosen),
            *_place(chosen, other.expression),
        ]
        if chosen.donor:
            conditions.append(donor == f"donor:{chosen.donor}")
        if chosen.lot:
            conditions.append(line.lot == chosen.lot)
        if chosen.trip:
            conditions.append(line.trip == chosen.trip)
        if not scope.everything:
            own = line.trip.in_(select(Trip.id).where(within.trips(scope)))
            conditions.append(or_(line.trip.is_(None), own))
        parts.append(query.where(*conditions))
    return union_all(*parts)


def _shape(*columns: Any) -> Select[Any]:
    names = ("date", "source", "line", "item", "quantity", "trip", "household", "from_place", "to_place", "lot")
    return select(*(column.label(name) for column, name in zip(columns, names, strict=True)))


# --- conditions -----------------------------------------------------------------------------------------------


def _days(column: ColumnElement[Any], chosen: Selection) -> Iterator[ColumnElement[bool]]:
    if chosen.from_:
        yield column >= chosen.from_
    if chosen.until:
        yield column <= chosen.until


def _items(column: ColumnElement[Any], chosen: Selection) -> Iterator[ColumnElement[bool]]:
    if chosen.item:
        yield column == chosen.item
    if chosen.class_:
        yield column.in_(select(Item.code).where(Item.item_class == chosen.class_))


def _only(
    conn: Connection, column: ColumnElement[Any], values: Collection[str] | None
) -> Iterator[ColumnElement[bool]]:
    if values is not None:
        yield among(conn, column, values)


def _homes(
    conn: Connection, column: ColumnElement[Any], chosen: Selection, today: str
) -> Iterator[ColumnElement[bool]]:
    if chosen.household:
        yield among(conn, column, of_one(conn, chosen.household).all(chosen.household))
    about: list[ColumnElement[bool]] = []
    if chosen.division:
        about.append(within.under(Household.division.expression, [chosen.division]))
    if chosen.category:
        about.append(in_category(chosen.category, today))
    if about:
        yield _resolved(conn, column, about)


def _resolved(
    conn: Connection, column: ColumnElement[Any], about: Sequence[ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Ids of households of which this is true; of merged ones it is asked of the household that they stand for."""
    alias = aliases(conn)
    alone = column.in_(select(Household.id).where(Household.into.is_(None), *about))
    if not alias.into:
        return alone
    targets = alias.spread(alias.into.values())
    held = select(Household.id).where(among(conn, Household.id, targets))
    known = set(conn.execute(held).scalars())
    true = set(conn.execute(held.where(*about)).scalars())
    merged = [one for one, target in alias.into.items() if (target if target in known else one) in true]
    return or_(alone, among(conn, column, merged)) if merged else alone


def _place(chosen: Selection, column: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
    if chosen.place:
        yield column == chosen.place if ":" in chosen.place else kind(column, chosen.place)


def _method(chosen: Selection) -> Iterator[ColumnElement[bool]]:
    if chosen.method:
        yield Delivery.method == chosen.method


def about_trips(chosen: Selection) -> list[ColumnElement[bool]]:
    """Conditions on trips, but for the one that is named and the team."""
    found: list[ColumnElement[bool]] = []
    if chosen.tour:
        same = select(Trip.tour).where(Trip.id == chosen.tour).scalar_subquery()
        found.append(or_(Trip.id == chosen.tour, Trip.tour == same))
    if chosen.trips_from:
        found.append(Trip.starts >= chosen.trips_from)
    if chosen.trips_until:
        found.append(Trip.starts <= chosen.trips_until)
    return found


def of_trips(column: ColumnElement[Any], chosen: Selection, scope: Scope, prefix: str) -> Iterator[ColumnElement[bool]]:
    """`column` names a trip, with `prefix` its truck. A place asks where the trip goes."""
    about = about_trips(chosen)
    if chosen.team:
        about.append(Trip.team == chosen.team)
    if chosen.division and prefix:
        goes = json.dumps([chosen.division])[1:-2]
        about.append(type_coerce(Trip.divisions, Text).contains(goes, autoescape=True))
    if not scope.everything:
        about.append(within.trips(scope))
    if chosen.trip:
        yield column == f"{prefix}{chosen.trip}"
    elif prefix and not about:
        yield kind(column, "truck")
    if about:
        named: ColumnElement[Any] = literal(prefix).concat(Trip.id) if prefix else Trip.id.expression
        yield column.in_(select(named).where(*about))


def _trips_or_team(chosen: Selection) -> Iterator[ColumnElement[bool]]:
    """Of deliveries: the trip's team, and without a trip that of who recorded it, else of the laptop."""
    line, about = DeliveryLine, about_trips(chosen)
    if chosen.trip:
        yield line.trip == chosen.trip
    if about:
        yield line.trip.in_(select(Trip.id).where(*about))
    if chosen.team:
        people = select(User.id).where(User.team == chosen.team)
        strangers = Delivery.actor.not_in(select(User.id))
        laptops = Delivery.device.in_(select(FieldDevice.id).where(FieldDevice.team == chosen.team))
        alone = select(Delivery.id).where(
            Delivery.trip.is_(None), or_(Delivery.actor.in_(people), and_(strangers, laptops))
        )
        yield or_(line.trip.in_(select(Trip.id).where(Trip.team == chosen.team)), line.delivery.in_(alone))


# --- lots and donors ------------------------------------------------------------------------------------------


def loaded_lots(conn: Connection, trucks: Sequence[str]) -> Select[Any]:
    """(truck, item, lot) of what was loaded onto these, each once."""
    line = StockLine
    query = select(line.to_place, line.item, line.lot).where(among(conn, line.to_place, trucks))
    return query.where(~kind(line.from_place.expression, *_NAMED)).distinct()


def only_lots(*where: ColumnElement[bool]) -> Select[Any]:
    """(`truck`, `item`, `lot`, `several`): the lot of all that was loaded of an item, unless there are several."""
    line = StockLine
    said = func.coalesce(line.lot, "")
    several = func.min(said) != func.max(said)
    lot = case((several, null()), else_=func.max(line.lot))
    one = select(line.to_place.label("truck"), line.item, lot.label("lot"), several.label("several"))
    loaded = (kind(line.to_place.expression, "truck"), ~kind(line.from_place.expression, *_NAMED), *where)
    return one.where(*loaded).group_by(line.to_place, line.item)


def lots_of_donors() -> Select[Any]:
    """(`item`, `lot`, `donor`): where all that was received of a lot came from one donor."""
    line = StockLine
    one = select(line.item, line.lot, func.max(line.from_place).label("donor"))
    one = one.where(kind(line.from_place.expression, "donor"), line.lot.is_not(None))
    return one.group_by(line.item, line.lot).having(func.min(line.from_place) == func.max(line.from_place))


def _lots(
    chosen: Selection, item: ColumnElement[Any], lot: ColumnElement[Any], origin: ColumnElement[Any]
) -> Iterator[ColumnElement[bool]]:
    """Its own lot, else the only one of this item that was loaded onto the truck that it came from."""
    if not chosen.lot and not chosen.donor:
        return
    loaded, given = only_lots().subquery(), lots_of_donors().subquery()
    of_truck, came = select(loaded.c.truck, loaded.c.item), tuple_(func.coalesce(origin, ""), item)
    if chosen.lot == SEVERAL:
        yield and_(lot.is_(None), came.in_(of_truck.where(loaded.c.several)))
    elif chosen.lot == UNKNOWN:
        written = of_truck.where(or_(loaded.c.several, loaded.c.lot.is_not(None)))
        yield and_(lot.is_(None), came.not_in(written))
    elif chosen.lot:
        yield or_(lot == chosen.lot, and_(lot.is_(None), came.in_(of_truck.where(loaded.c.lot == chosen.lot))))
    if chosen.donor:
        one = select(given.c.item, given.c.lot)
        own = one if chosen.donor == UNKNOWN else one.where(given.c.donor == f"donor:{chosen.donor}")
        through = of_truck.where(loaded.c.lot.is_not(None), tuple_(loaded.c.item, loaded.c.lot).in_(own))
        theirs = or_(
            and_(lot.is_not(None), tuple_(item, func.coalesce(lot, "")).in_(own)),
            and_(lot.is_(None), came.in_(through)),
        )
        yield ~theirs if chosen.donor == UNKNOWN else theirs
