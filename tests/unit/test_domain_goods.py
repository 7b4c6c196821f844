"""Places, the balance of a truck, deliveries that count, and repeats."""

from __future__ import annotations

import pytest

from aidvisit.domain import place
from aidvisit.domain.balance import Balance, Movement, balance
from aidvisit.domain.delivery import Recorded, counting, movements
from aidvisit.domain.place import Place
from aidvisit.domain.repeat import Given, Repeat, repeats, too_soon
from tests.support.facts import EXAMPLES, HOUSEHOLD, OTHER, TRIP

TRUCK = place.truck(TRIP)


@pytest.mark.parametrize("text", ["warehouse:main", "held:民强村委", "fund:a:b", TRUCK, place.household(HOUSEHOLD)])
def test_places(text: str) -> None:
    found = place.parse(text)
    assert found is not None
    assert str(found) == text
    assert found == Place(found.kind, text.partition(":")[2])


@pytest.mark.parametrize("text", ["", "main", "warehouse:", "warehouse: main", "truck:main", "cellar:x", "warehouse"])
def test_no_places(text: str) -> None:
    assert place.parse(text) is None


def test_where_everything_on_a_truck_went() -> None:
    moves = [
        Movement("warehouse:main", TRUCK, "rice", 40),
        Movement(place.truck(OTHER), TRUCK, "rice", 3),
        Movement(place.gain(TRIP), TRUCK, "rice", 1),
        Movement(TRUCK, place.household(HOUSEHOLD), "rice", 39),
        Movement(place.household(HOUSEHOLD), TRUCK, "rice", 1),
        Movement(TRUCK, "held:minqiang", "rice", 1),
        Movement(TRUCK, place.loss(TRIP), "rice", 1),
        Movement(TRUCK, "warehouse:main", "rice", 2),
        Movement("donor:wang", "warehouse:main", "rice", 500),
        Movement("held:minqiang", place.household(HOUSEHOLD), "rice", 1),
        Movement(TRUCK, TRUCK, "rice", 7),
        Movement(TRUCK, place.household(HOUSEHOLD), "oil", 1),
    ]
    found = balance(TRIP, moves)
    assert found["rice"] == Balance(loaded=43, gained=1, delivered=38, returned=2, lost=1, held=1)
    assert found["rice"].on_truck == 2
    assert (found["rice"].difference(), found["rice"].difference(1), found["rice"].difference(3)) == (2, 1, -1)
    assert found["oil"].on_truck == -1
    assert set(found) == {"rice", "oil"}


def test_what_a_delivery_moves() -> None:
    body = EXAMPLES["delivery.recorded"][2]
    target = place.household(HOUSEHOLD)
    assert movements(body) == [Movement("held:minqiang", target, "rice", 2)]
    from_truck = {name: value for name, value in body.items() if name != "from"}
    assert movements(from_truck) == [Movement(TRUCK, target, "rice", 2)]
    assert movements({name: value for name, value in from_truck.items() if name != "trip"}) == []


def at(name: str, tick: int, replaces: str | None = None, *, voided: bool = False) -> Recorded:
    return Recorded(name, (f"{tick:04}", "device", tick), replaces, voided)


def counted(*deliveries: Recorded) -> set[str]:
    return {name for name, counts in counting(deliveries).items() if counts}


def test_deliveries_that_nothing_joins_all_count() -> None:
    assert counted(at("a", 1), at("b", 2)) == {"a", "b"}


def test_a_correction_counts_instead_of_what_it_replaces() -> None:
    assert counted(at("a", 1), at("b", 2, "a")) == {"b"}


def test_a_correction_may_come_first_in_order() -> None:
    assert counted(at("a", 2), at("b", 1, "a")) == {"b"}


def test_two_corrections_of_one_delivery_are_one() -> None:
    assert counted(at("a", 1), at("b", 2, "a"), at("c", 3, "a")) == {"c"}
    assert counted(at("b", 2, "a"), at("c", 3, "a")) == {"c"}


def test_when_the_greatest_correction_is_voided_the_other_counts() -> None:
    assert counted(at("a", 1), at("b", 2, "a"), at("c", 3, "a", voided=True)) == {"b"}


def test_voiding_a_correction_does_not_bring_the_replaced_one_back() -> None:
    assert counted(at("a", 1), at("b", 2, "a", voided=True)) == set()


def test_a_chain_of_corrections() -> None:
    assert counted(at("a", 1), at("b", 2, "a"), at("c", 3, "b"), at("d", 4)) == {"c", "d"}


def test_a_delivery_does_not_replace_itself() -> None:
    assert counted(at("a", 1, "a")) == {"a"}


def test_deliveries_that_replace_each_other_cancel_out() -> None:
    assert counted(at("a", 1, "b"), at("b", 2, "a")) == set()


def given(delivery: str, date: str, item: str = "rice", household: str = "h") -> Given:
    return Given(delivery, household, item, date)


def test_less_than_the_interval_is_too_soon() -> None:
    assert too_soon("2020-12-01", "2020-12-30", 30)
    assert not too_soon("2020-12-30", "2020-11-30", 30)
    assert too_soon("2020-12-30", "2020-12-30", 1)
    assert not too_soon("2020-12-30", "2020-12-30", 0)
    assert not too_soon("2020-12-30", "2020-12-30", None)


def test_possible_duplicates() -> None:
    late, early = given("b", "2020-12-30"), given("a", "2020-12-21")
    others = [
        given("c", "2020-11-20"),
        given("d", "2020-12-30", household="other"),
        given("e", "2020-12-30", "oil"),
        given("f", "2020-12-30", "oil"),
    ]
    assert repeats([late, *others, early], {"rice": 30, "oil": None}) == [Repeat(early, late, 9, 30)]


def test_two_lots_in_one_delivery_are_no_repeat() -> None:
    assert repeats([given("a", "2020-12-30"), given("a", "2020-12-30")], {"rice": 30}) == []
