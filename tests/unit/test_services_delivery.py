"""Deliver, visit, load and count: what is saved, what is asked about first, and what a double click does."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aidvisit.domain import place
from aidvisit.errors import Problem
from aidvisit.services import delivery, household, stock, trip, visit
from aidvisit.services.import_ import import_sheet
from aidvisit.store import ledger
from aidvisit.store.database import reading
from aidvisit.store.queries import delivery as deliveries
from aidvisit.store.queries.reconcile import reconcile
from aidvisit.store.queries.stock import on_place
from aidvisit.store.queries.trip import ListedHousehold, today
from sync import blobs, log
from sync.op import uuid7
from tests.support.homes import SAMPLE, VILLAGE, Centre, centre

DAY = "2020-12-30"
SIGNATURE = b"\x89PNG made up"
NAME = sha256(SIGNATURE).hexdigest()


class Day:
    """The sample's trip, loaded and ready, with ways to deliver on it."""

    def __init__(self, home: Centre) -> None:
        self.home = home
        done = import_sheet(SAMPLE, actor=home.user)
        assert done.trip is not None
        self.trip: str = done.trip["id"]
        stock.load(actor=home.user, trip=self.trip, date=DAY, lines={"rice": 43, "oil": 35, "nuts": 34})

    def households(self) -> list[ListedHousehold]:
        with reading() as conn:
            return today(conn, self.trip).households

    def form(self, **changes: Any) -> dict[str, Any]:
        first = self.households()[0]
        return {
            "actor": self.home.user,
            "delivery": uuid7(),
            "household": first.id,
            "trip": self.trip,
            "date": DAY,
            "lines": {"rice": 1, "oil": 1, "nuts": 1},
            "received_by": {"as": "head", "name": first.name},
            "proofs": [{"as": "signature", "sha256": NAME, "bytes": len(SIGNATURE), "media_type": "image/png"}],
            "blobs": [(NAME, "image/png", SIGNATURE)],
        } | changes

    def on_truck(self) -> dict[str, int]:
        with reading() as conn:
            return on_place(conn, place.truck(self.trip))


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    with centre(tmp_path) as home:
        yield Day(home)


def ops() -> int:
    with reading() as conn:
        return log.state(conn).last_seq


def test_a_delivery_leaves_the_truck_with_its_signature(day: Day) -> None:
    entry = delivery.record_delivery(**day.form(handed_by=[day.home.user], witness={"name": "廖满仓"}, note=" 好 "))
    assert entry.op.body["note"] == "好"
    assert "overrides" not in entry.op.body
    assert day.on_truck() == {"rice": 42, "oil": 34, "nuts": 33}
    with reading() as conn:
        assert blobs.get(conn, NAME) == ("image/png", SIGNATURE)
    assert day.households()[0].state == "done"


def test_a_double_click_saves_once(day: Day) -> None:
    form = day.form(note="一次 ")
    first = delivery.record_delivery(**form)
    before = ops()
    assert delivery.record_delivery(**form).name == first.name
    assert ops() == before
    with pytest.raises(Problem):
        delivery.record_delivery(**(form | {"lines": {"rice": 2}}))


def test_a_form_that_is_not_right_says_where(day: Day) -> None:
    before = ops()
    wrong = {
        "lines": day.form(lines={"rice": 0}),
        "received_by.name": day.form(received_by={"as": "head", "name": " "}),
        "received_by.relation": day.form(received_by={"as": "proxy", "name": "女儿"}),
        "proofs": day.form(proofs=[{"as": "none"}]),
        "date": day.form(date="30.12.2020"),
        "received_by.id_last4": day.form(received_by={"as": "head", "name": "甲", "id_last4": "12"}),
    }
    for path, form in wrong.items():
        with pytest.raises(Problem, match="invalid-form") as refused:
            delivery.record_delivery(**form)
        assert path in refused.value.members["errors"]
    assert ops() == before


def test_what_is_odd_needs_a_reason(day: Day) -> None:
    delivery.record_delivery(**day.form())
    again = day.form(lines={"rice": 60})
    before = ops()
    with pytest.raises(Problem, match="needs-reason") as asked:
        delivery.record_delivery(**again)
    rules = [warning["rule"] for warning in asked.value.members["warnings"]]
    assert rules == ["repeat-interval", "over-allocation", "over-stock"]
    with pytest.raises(Problem, match="needs-reason"):
        delivery.record_delivery(**again, reasons={"repeat-interval": "断粮", "over-stock": " "})
    assert ops() == before
    entry = delivery.record_delivery(**again, reasons=dict.fromkeys(rules, " 断粮 "))
    assert entry.op.body["overrides"] == [{"rule": rule, "reason": "断粮"} for rule in rules]


def test_a_void_brings_the_goods_back(day: Day) -> None:
    form = day.form()
    delivery.record_delivery(**form)
    delivery.void(actor=day.home.user, household=form["household"], delivery=form["delivery"], reason="录错户")
    assert day.on_truck() == {"rice": 43, "oil": 35, "nuts": 34}
    with pytest.raises(Problem, match="invalid-form"):
        delivery.void(actor=day.home.user, household=form["household"], delivery=form["delivery"], reason="")


def test_a_correction_stands_instead_of_what_it_corrects(day: Day) -> None:
    """Neither the goods that it gives back nor the allotment that it uses count against it."""
    form = day.form(lines={"rice": 1, "oil": 1, "nuts": 1})
    delivery.record_delivery(**form)
    right = day.form(household=form["household"], lines={"rice": 1, "oil": 1}, replaces=form["delivery"])
    delivery.record_delivery(**right)
    assert day.on_truck() == {"rice": 42, "oil": 34, "nuts": 34}
    with reading() as conn:
        old = deliveries.delivery(conn, form["household"], form["delivery"])
        new = deliveries.delivery(conn, form["household"], right["delivery"])
        assert ledger.verify(conn) == []
    assert old is not None
    assert new is not None
    assert (old.counts, old.replaced, new.counts) == (False, True, True)
    assert [line.item for line in old.lines] == ["rice", "oil", "nuts"], "both lines stay visible"


def test_what_nobody_delivered_is_not_taken_back(day: Day) -> None:
    first, second = day.households()[:2]
    form = day.form()
    delivery.record_delivery(**form)
    for where, identity in ((first.id, uuid7()), (second.id, form["delivery"])):
        with pytest.raises(Problem, match="unknown-delivery"):
            delivery.void(actor=day.home.user, household=where, delivery=identity, reason="x")


def test_who_was_away_stays_owed(day: Day) -> None:
    first = day.households()[0]
    form = {"actor": day.home.user, "visit": uuid7(), "household": first.id, "trip": day.trip, "date": DAY}
    for _ in range(2):
        entry = visit.record_visit(**form, outcome="not-home", purposes=["distribution"])
    assert entry.op.body["by"] == [day.home.user]
    with reading() as conn:
        seen = today(conn, day.trip)
    assert [household.id for household in seen.away] == [first.id]
    assert seen.next is not None
    assert seen.next.id == day.households()[1].id
    with pytest.raises(Problem, match="unknown-household"):
        visit.record_visit(**(form | {"household": uuid7()}), outcome="met", purposes=[])


def test_the_books_balance_and_a_missing_bag_shows(day: Day) -> None:
    delivery.record_delivery(**day.form())
    goods = {"actor": day.home.user, "trip": day.trip, "date": DAY}
    stock.report_loss(**goods, lines={"oil": 1}, reason="摔破")
    stock.return_(**goods, lines={"rice": 41, "oil": 33, "nuts": 33}, slip="TK-1")
    stock.count(**goods, counted={"rice": 0, "oil": 0, "nuts": 0})
    with reading() as conn:
        rows = {row.item: row for row in reconcile(conn, day.trip).items}
        assert ledger.verify(conn) == []
    assert {item: row.difference for item, row in rows.items()} == {"rice": 1, "oil": 0, "nuts": 0}


def test_an_allotment_of_any_size_fits(day: Day) -> None:
    """At most 200 lines an op: 500 lines are three ops of one transaction."""
    first = day.households()[0].id
    lines = [(first, f"item_{number}", 1) for number in range(500)]
    assert len(trip.allocate(actor=day.home.user, trip=day.trip, lines=lines)) == 3


def test_a_household_is_registered_edited_and_closed(day: Day) -> None:
    actor, new = day.home.user, uuid7()
    body = {"kind": "household", "head": {"name": "莫德厚"}, "division": VILLAGE, "categories": [], "size": 2}
    registered = household.register(actor=actor, household=new, body=body)
    edited = household.update(actor=actor, household=new, set_={"size": 3}, add={"categories": [{"code": "dibao"}]})
    assert edited.op.body["base"] == {"size": [registered.name]}
    household.close(actor=actor, household=new, reason="moved", date=DAY, to="佛山")
    with pytest.raises(Problem, match="needs-reason") as asked:
        delivery.record_delivery(**day.form(household=new, trip=None))
    assert [warning["rule"] for warning in asked.value.members["warnings"]] == ["household-closed"]
    with pytest.raises(Problem, match="unknown-household"):
        household.update(actor=actor, household=uuid7(), set_={"size": 3})
