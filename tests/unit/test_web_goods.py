"""The goods of a trip by page: more than the truck has is asked about, a count says whether it balances."""

from __future__ import annotations

from typing import Any

import pytest

from aidvisit.errors import Problem
from aidvisit.services import stock
from aidvisit.store.database import reading
from aidvisit.store.queries.stock import on_place
from sync import log
from sync.op import uuid7
from tests.support.pages import DAY, Pages, words
from tests.unit.test_paper_day import Paper
from tests.unit.test_services_stock import Keeper, keeper

__all__ = ["keeper"]


class Truck:
    """The goods page of the laptop's trip: 43 bags, 35 bottles, 34 packs."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.trip = pages, Paper(pages).trip
        self.path = f"/trips/{self.trip}/stock"

    def move(self, what: str, **fields: Any) -> Any:
        return self.pages.post(self.path, {"what": what, "date": DAY, "place": stock.MAIN, "move": uuid7(), **fields})

    def has(self, item: str) -> int:
        with self.pages.app.app_context(), reading() as conn:
            return on_place(conn, f"truck:{self.trip}").get(item, 0)

    def newest(self) -> dict[str, Any]:
        with self.pages.app.app_context(), reading() as conn:
            return [entry.op.body for entry in log.iterate(conn) if entry.op.kind == "stock.moved"][-1]


@pytest.fixture
def truck(there: Pages) -> Truck:
    return Truck(there)


@pytest.mark.parametrize(("what", "more"), [("return", {}), ("loss", {"reason": "摔破了"})])
def test_more_than_the_truck_has_goes_off_with_a_reason(truck: Truck, what: str, more: dict[str, str]) -> None:
    sent = {"quantity.rice": "430", "quantity.oil": "1", "slip": "手写 7", "move": uuid7(), **more}
    answer = truck.move(what, **sent)
    assert answer.status_code == 422
    page = words(answer)
    assert "大米多于车上的数:车上 43 袋,填了 430" in page
    assert "食用油多于" not in page
    assert truck.has("rice") == 43
    assert sent["move"] in answer.text
    assert 'value="430"' in answer.text
    assert truck.move(what, **sent, over="出库单少记了").status_code == 303
    assert truck.has("rice") == 43 - 430
    assert "出库单少记了" in truck.newest()["reason"]
    assert truck.move(what, **sent, over="出库单少记了").status_code == 303
    assert truck.has("rice") == 43 - 430


def test_a_transfer_asks_as_well_and_one_that_fits_does_not(keeper: Keeper) -> None:
    other = keeper.planned("四月")
    stock.load(**keeper.mine, lines={"rice": 5})
    with pytest.raises(Problem, match="needs-reason"):
        stock.transfer(**keeper.mine, to=other, lines={"rice": 6})
    stock.transfer(**keeper.mine, to=other, lines={"rice": 5})
    assert keeper.at(f"truck:{other}") == {"rice": 5}
    stock.transfer(**keeper.mine, to=other, lines={"rice": 1}, over="少记一袋")
    assert keeper.at(f"truck:{other}") == {"rice": 6}


def test_where_nothing_was_loaded_by_the_books_nothing_is_asked(keeper: Keeper) -> None:
    stock.return_(**keeper.mine, lines={"rice": 2})
    assert keeper.at(stock.MAIN) == {"rice": 2}


def test_a_count_says_that_it_balances_and_what_is_left_to_count(truck: Truck) -> None:
    answer = truck.move("count", **{"quantity.rice": "43"})
    page = words(truck.pages.get(answer.location))
    assert "数到的都和账上一样" in page
    assert "还没有数的:食用油、坚果" in page
    answer = truck.move("count", **{"quantity.rice": "43", "quantity.oil": "33", "quantity.nuts": "34"})
    page = words(truck.pages.get(answer.location))
    assert "数到的都和账上一样" not in page
    assert "食用油少 2 桶" in page


def test_a_slip_number_that_was_typed_stays_after_a_refusal(truck: Truck) -> None:
    assert 'value="手写 7"' in truck.move("return", **{"quantity.rice": "x", "slip": "手写 7"}).text
