"""Goods left with the village committee: one visit and one movement, still owed, and given from there later."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidvisit.demo.signature import signature
from aidvisit.domain import custody as ids
from aidvisit.errors import Problem
from aidvisit.services import custody, delivery, stock, trip
from aidvisit.store import ledger
from aidvisit.store.database import reading
from aidvisit.store.queries import custody as queries
from aidvisit.store.queries.trip import today
from sync import log
from sync.op import is_uuid, uuid7
from tests.support.homes import VILLAGE, centre
from tests.unit.test_services_stock import Keeper

HELD = f"held:{VILLAGE}"


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with centre(tmp_path) as home:
        made = Keeper(home)
        trip.allocate(actor=home.user, trip=made.trip, lines=[(made.ids[0], "rice", 2), (made.ids[0], "oil", 1)])
        stock.load(**made.mine, lines={"rice": 5, "oil": 5})
        yield made


def form(village: Keeper, **changes: Any) -> dict[str, Any]:
    return {
        **village.mine, "visit": uuid7(), "household": village.ids[0], "outcome": "not-home",
        "keeper": {"name": "廖满仓", "relation": "村委委员"}, "lines": {"rice": 2, "oil": 1},
        "proofs": [{"as": "paper"}],
    } | changes  # fmt: skip


def test_it_leaves_the_truck_and_stays_owed(keeper: Keeper) -> None:
    asked = form(keeper)
    move = custody.leave(**asked)
    assert move == ids.movement_of(asked["visit"])
    assert is_uuid(move)
    assert keeper.at(HELD) == {"rice": 2, "oil": 1}
    assert keeper.row() == {"loaded": 5, "held": 2, "on_truck": 3}
    with reading() as conn:
        day = today(conn, keeper.trip)
        assert [(one.id, {q.item: q.quantity for q in one.owed}) for one in day.away] == [
            (keeper.ids[0], {"rice": 2, "oil": 1})
        ]
        (kept,) = queries.of_household(conn, keeper.ids[0])
        (paper,) = [each for each in keeper.goods().papers if each.kind == "custody"]
    assert (kept.place, kept.name, kept.keeper, kept.lines) == (HELD, "民强村民委员会", "廖满仓", {"rice": 2, "oil": 1})
    assert paper.slip is not None
    assert paper.slip.startswith("DC20260329-")


def test_a_double_click_leaves_it_once(keeper: Keeper) -> None:
    asked = form(keeper)
    custody.leave(**asked)
    with reading() as conn:
        before = log.state(conn).last_seq
    assert custody.leave(**asked) == ids.movement_of(asked["visit"])
    with reading() as conn:
        assert log.state(conn).last_seq == before


def test_what_is_given_from_there_is_there_no_more(keeper: Keeper) -> None:
    custody.leave(**form(keeper))
    delivery.record_delivery(
        **keeper.mine, delivery=uuid7(), household=keeper.ids[0], lines={"rice": 2}, from_=HELD,
        received_by={"as": "head", "name": "甲"}, proofs=[{"as": "paper"}],
    )  # fmt: skip
    with reading() as conn:
        (kept,) = queries.of_trip(conn, keeper.trip)[keeper.ids[0]]
        assert ledger.verify(conn) == []
    assert kept.lines == {"oil": 1}
    assert keeper.row() == {"loaded": 5, "held": 2, "on_truck": 3}, "the truck's books stay as they were"
    assert keeper.at(HELD) == {"oil": 1}


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"keeper": {"name": " "}}, "with_name"), ({"lines": {"rice": 0}}, "lines"), ({"proofs": []}, "proof")],
)
def test_nobody_keeps_what_nobody_signed_for(keeper: Keeper, changed: dict[str, Any], field: str) -> None:
    with reading() as conn:
        before = log.state(conn).last_seq
    with pytest.raises(Problem, match="invalid-form") as refused:
        custody.leave(**form(keeper, **changed))
    assert field in refused.value.members["errors"]
    with reading() as conn:
        assert log.state(conn).last_seq == before


def test_its_slip_says_for_whom_and_with_whom(keeper: Keeper) -> None:
    blob = signature(random.Random(1))
    drawn = {"as": "signature", "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}
    move = custody.leave(**form(keeper, proofs=[drawn], blobs=[blob]))
    loaded = stock.load(**keeper.mine, lines={"oil": 1}).op.subject
    with reading() as conn:
        found = queries.left(conn, move, keeper.trip)
        assert queries.left(conn, loaded, keeper.trip) is None
        registered = today(conn, keeper.trip).households[0]
    assert found is not None
    assert (found.household, found.name) == (keeper.ids[0], registered.name)
    assert (found.keeper, found.relation, found.drawn) == ("廖满仓", "村委委员", blob[0])
