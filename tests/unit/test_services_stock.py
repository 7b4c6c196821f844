"""Goods: received, loaded with a numbered slip, moved on, returned, lost, and counted until it balances."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidvisit.domain import place
from aidvisit.errors import Problem
from aidvisit.services import catalog, delivery, stock, trip
from aidvisit.store.database import reading
from aidvisit.store.queries import goods as queries
from aidvisit.store.queries.goods import TripGoods
from aidvisit.store.queries.stock import lots, on_place
from sync import log
from sync.op import uuid7
from tests.support.homes import VILLAGE, Centre, centre
from tests.unit.test_services_plan import Planner

DAY = "2026-03-29"


class Keeper(Planner):
    """The same village, with a donor and the main warehouse."""

    def __init__(self, home: Centre) -> None:
        super().__init__(home)
        catalog.define("place", {"code": "ai", "name": "爱心企业", "kind": "donor"}, actor=home.device)
        self.mine: dict[str, Any] = {"actor": home.user, "trip": self.trip, "date": DAY}

    def goods(self) -> TripGoods:
        with reading() as conn:
            found = queries.trip_goods(conn, self.trip)
        assert found is not None
        return found

    def row(self, item: str = "rice") -> dict[str, int]:
        row = next(each for each in self.goods().rows if each.item == item)
        names = ("loaded", "gained", "delivered", "returned", "lost", "held", "on_truck", "difference")
        return {name: getattr(row, name) for name in names if getattr(row, name)}

    def at(self, where: str) -> dict[str, int]:
        with reading() as conn:
            return {item: quantity for item, quantity in on_place(conn, where).items() if quantity}


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with centre(tmp_path) as home:
        yield Keeper(home)


def said() -> int:
    with reading() as conn:
        return log.state(conn).last_seq


def test_what_a_donor_gave_is_in_the_warehouse_with_its_lot_and_value(keeper: Keeper) -> None:
    lines = [{"item": "rice", "quantity": 50, "lot": "2026-1", "expires": "2026-12-31", "value_fen": 3500}]
    entry = stock.receive(actor=keeper.home.user, from_="donor:ai", to=stock.MAIN, date=DAY, lines=lines)
    assert entry.op.stream == "org"
    assert entry.op.body["lines"] == lines
    assert re.fullmatch(r"RK20260329-[0-9a-f]{4}-01", entry.op.body["slip"])
    stock.load(**keeper.mine, lines={"rice": 20})
    assert keeper.at(stock.MAIN) == {"rice": 30}
    with reading() as conn:
        (main,) = [each for each in queries.stores(conn) if each.place == stock.MAIN]
    assert [(line.name, line.quantity) for line in main.lines] == [("大米", 30)]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"lines": []}, "lines"),
        ({"to": "donor:ai"}, "to"),
        ({"date": "29.3."}, "date"),
        ({"from_": "somewhere"}, "from"),
    ],
)
def test_a_receipt_that_is_not_right_says_where(keeper: Keeper, changed: dict[str, Any], field: str) -> None:
    form = {"from_": "donor:ai", "to": stock.MAIN, "date": DAY, "lines": [{"item": "rice", "quantity": 1}]} | changed
    before = said()
    with pytest.raises(Problem, match="invalid-form") as refused:
        stock.receive(actor=keeper.home.user, **form)
    assert field in refused.value.members["errors"]
    assert said() == before


def test_slips_are_numbered_by_day_and_kind(keeper: Keeper) -> None:
    slips = [
        stock.load(**keeper.mine, lines={"rice": 1}).op.body["slip"],
        stock.load(**keeper.mine, lines={"rice": 1}).op.body["slip"],
        stock.return_(**keeper.mine, lines={"rice": 1}).op.body["slip"],
        stock.load(**{**keeper.mine, "date": "2026-03-30"}, lines={"rice": 1}).op.body["slip"],
        stock.load(**keeper.mine, lines={"rice": 1}, slip="自编 7").op.body["slip"],
    ]
    device = keeper.home.device[-4:]
    assert slips == [
        f"CK20260329-{device}-01", f"CK20260329-{device}-02", f"TK20260329-{device}-01", f"CK20260330-{device}-01",
        "自编 7",
    ]  # fmt: skip


def test_a_double_click_loads_once(keeper: Keeper) -> None:
    form = uuid7()
    first = stock.load(**keeper.mine, lines={"rice": 5}, move=form)
    before = said()
    assert stock.load(**keeper.mine, lines={"rice": 5}, move=form).name == first.name
    assert said() == before
    with pytest.raises(Problem):
        stock.load(**keeper.mine, lines={"rice": 6}, move=form)
    assert keeper.row() == {"loaded": 5, "on_truck": 5}


def test_the_balance_holds_through_a_whole_day(keeper: Keeper) -> None:
    """loaded + gained = delivered + returned + lost + held + on the truck."""
    other = keeper.planned("另一车")
    stock.load(**keeper.mine, lines={"rice": 20})
    stock.transfer(**keeper.mine, lines={"rice": 3}, to=other)
    stock.report_loss(**keeper.mine, lines={"rice": 1}, reason="摔破")
    stock.gain(**keeper.mine, lines={"rice": 2}, reason="仓库多装了")
    stock.return_(**keeper.mine, lines={"rice": 4})
    delivery.record_delivery(
        **keeper.mine, delivery=uuid7(), household=keeper.ids[0], lines={"rice": 2},
        received_by={"as": "head", "name": "甲"}, proofs=[{"as": "paper"}], reasons={"outside-allocation": "急用"},
    )  # fmt: skip
    assert keeper.row() == {"loaded": 20, "gained": 2, "delivered": 2, "returned": 7, "lost": 1, "on_truck": 12}
    assert keeper.at(place.truck(other)) == {"rice": 3}
    assert [each.kind for each in keeper.goods().papers] == ["return", "gain", "loss", "transfer", "load"]


def test_a_difference_stays_until_somebody_gives_a_reason(keeper: Keeper) -> None:
    stock.load(**keeper.mine, lines={"rice": 5, "oil": 2})
    stock.count(**keeper.mine, counted={"rice": 4, "oil": 2})
    assert [(row.item, row.difference) for row in keeper.goods().open_differences] == [("rice", 1)]
    why = [{"item": "rice", "difference": 1, "reason": "路上掉了一袋,已报告"}]
    stock.count(**keeper.mine, counted={"rice": 4, "oil": 2}, explained=why)
    assert keeper.goods().open_differences == []
    assert keeper.row()["difference"] == 1, "explained is not gone"


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda form: stock.load(**form, lines={}), "lines"),
        (lambda form: stock.report_loss(**form, lines={"rice": 1}, reason=" "), "reason"),
        (lambda form: stock.gain(**form, lines={"rice": 1}, reason=""), "reason"),
        (lambda form: stock.transfer(**form, lines={"rice": 1}, to=form["trip"]), "to"),
        (lambda form: stock.transfer(**form, lines={"rice": 1}, to="truck"), "to"),
    ],
)
def test_what_is_not_right_is_not_moved(keeper: Keeper, call: Any, field: str) -> None:
    before = said()
    with pytest.raises(Problem, match="invalid-form") as refused:
        call(keeper.mine)
    assert field in refused.value.members["errors"]
    assert said() == before


def test_a_trip_that_is_not_here_has_no_goods(keeper: Keeper) -> None:
    with pytest.raises(Problem, match="unknown-trip"):
        stock.load(**{**keeper.mine, "trip": uuid7()}, lines={"rice": 1})


def test_a_service_is_no_goods(keeper: Keeper) -> None:
    screening = {"code": "screening", "name": "体检", "class": "service", "unit": "次"}
    catalog.define("item", screening, actor=keeper.home.device)
    stock.load(**keeper.mine, lines={"rice": 1})
    trip.allocate(actor=keeper.home.user, trip=keeper.trip, lines=[(keeper.ids[0], "screening", 1)])
    delivery.record_delivery(
        **keeper.mine, delivery=uuid7(), household=keeper.ids[0], lines={"screening": 1},
        received_by={"as": "head", "name": "甲"}, proofs=[{"as": "paper"}],
    )  # fmt: skip
    assert [row.item for row in keeper.goods().rows] == ["rice"]
    assert VILLAGE


def received(keeper: Keeper, **lots: int) -> None:
    lines = [{"item": "rice", "quantity": quantity, "lot": lot} for lot, quantity in lots.items()]
    stock.receive(actor=keeper.home.user, from_="donor:ai", to=stock.MAIN, date=DAY, lines=lines)


def test_the_only_lot_of_a_warehouse_goes_onto_the_truck_with_its_name(keeper: Keeper) -> None:
    received(keeper, A=10)
    form = uuid7()
    first = stock.load(**keeper.mine, lines={"rice": 10}, move=form)
    assert first.op.body["lines"] == [{"item": "rice", "quantity": 10, "lot": "A"}]
    assert stock.load(**keeper.mine, lines={"rice": 10}, move=form).name == first.name
    assert stock.load(**keeper.mine, lines={"rice": 1}).op.body["lines"] == [{"item": "rice", "quantity": 1}]


@pytest.mark.parametrize("there", [{"A": 10, "B": 10}, {"A": 3}, {}])
def test_a_lot_is_not_guessed(keeper: Keeper, there: dict[str, int]) -> None:
    received(keeper, **there) if there else None
    assert stock.load(**keeper.mine, lines={"rice": 5}).op.body["lines"] == [{"item": "rice", "quantity": 5}]


def test_of_several_lots_somebody_says_which(keeper: Keeper) -> None:
    received(keeper, A=10, B=10)
    loaded = stock.load(**keeper.mine, lines={"rice": 5}, lots={"rice": " B "})
    assert loaded.op.body["lines"] == [{"item": "rice", "quantity": 5, "lot": "B"}]
    with reading() as conn:
        assert lots(conn, [stock.MAIN]) == {stock.MAIN: {"rice": {"A": 10, "B": 5}}}
