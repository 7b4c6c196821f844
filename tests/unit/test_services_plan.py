"""Planning: rules and hand, who locks and who approves, what is divided among laptops, what overlaps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aidvisit.domain.allotment import Rule
from aidvisit.domain.rights import Scope
from aidvisit.errors import Problem
from aidvisit.services import account, household, pair, plan, stock, trip
from aidvisit.store.database import reading
from aidvisit.store.queries import plan as queries
from aidvisit.store.queries.plan import Plan
from sync import log
from sync.op import uuid7
from tests.support.homes import PASSWORD, VILLAGE, Centre, centre

DAY = "2026-03-29"
RULES = [Rule("rice", 1, "dibao"), Rule("oil", 1, "dibao"), Rule("rice", 2, "dibao", 4)]


class Planner:
    """A village with three households and a trip there."""

    def __init__(self, home: Centre) -> None:
        self.home = home
        self.other = account.add_user(
            actor=home.device, login="pan", name="潘", role="office", team=home.team, password=PASSWORD
        )
        self.ids = [
            self.household("甲", "一队", 2, "dibao"),
            self.household("乙", "一队", 5, "dibao"),
            self.household("丙", "二队", 1),
        ]
        self.trip = self.planned("三月")

    def household(self, name: str, group: str, size: int, *categories: str) -> str:
        body: dict[str, Any] = {"kind": "household", "head": {"name": name}, "division": VILLAGE, "group": group}
        body |= {"size": size, "categories": [{"code": code} for code in categories]}
        identity = uuid7()
        household.register(actor=self.home.user, household=identity, body=body)
        return identity

    def planned(self, title: str, starts: str = DAY, ends: str = DAY) -> str:
        identity = uuid7()
        trip.plan(
            actor=self.home.user, trip=identity, title=title, starts=starts, ends=ends, team=self.home.team,
            divisions=[VILLAGE],
        )  # fmt: skip
        return identity

    def set(self, *lines: tuple[str, str, int], trip: str = "") -> int:
        return plan.change(actor=self.home.user, trip=trip or self.trip, lines=lines, today=DAY)

    def now(self) -> Plan:
        with reading() as conn:
            found = queries.plan(conn, self.trip, DAY)
        assert found is not None
        return found

    def lines(self) -> dict[str, dict[str, int]]:
        return {one.name: dict(one.allotted) for one in self.now().households}


@pytest.fixture
def planner(tmp_path: Path) -> Iterator[Planner]:
    with centre(tmp_path) as home:
        yield Planner(home)


def said() -> int:
    with reading() as conn:
        return log.state(conn).last_seq


def test_rules_give_each_household_what_it_may_have(planner: Planner) -> None:
    lines = plan.by_rules(trip=planner.trip, rules=RULES, replace=False, today=DAY)
    assert planner.set(*lines) == 4
    assert planner.lines() == {"甲": {"rice": 1, "oil": 1}, "乙": {"rice": 2, "oil": 1}}
    assert plan.by_rules(trip=planner.trip, rules=RULES, replace=True, today=DAY) == []
    assert plan.rules(planner.trip) == RULES


def test_what_was_set_by_hand_stays_unless_it_is_to_go(planner: Planner) -> None:
    first, _, third = planner.ids
    planner.set((first, "rice", 3), (third, "rice", 1), (third, "nuts", 1))
    kept = plan.by_rules(trip=planner.trip, rules=RULES, replace=False, today=DAY)
    assert (first, "rice", 1) not in kept
    planner.set(*plan.by_rules(trip=planner.trip, rules=RULES, replace=True, today=DAY))
    assert planner.lines() == {"甲": {"rice": 1, "oil": 1}, "乙": {"rice": 2, "oil": 1}, "丙": {"nuts": 1}}


def test_what_does_not_differ_is_not_said_again(planner: Planner) -> None:
    planner.set((planner.ids[0], "rice", 1))
    before = said()
    assert planner.set((planner.ids[0], "rice", 1), (planner.ids[1], "oil", 0)) == 0
    assert said() == before


def test_a_line_of_merged_households_is_set_for_all_of_them(planner: Planner) -> None:
    first, second, _ = planner.ids
    planner.set((first, "rice", 1), (second, "rice", 1))
    pair.merge(actor=planner.other, household=second, into=first, reason="同一户")
    assert planner.lines() == {"甲": {"rice": 2}}
    planner.set((first, "rice", 1))
    assert planner.lines() == {"甲": {"rice": 1}}


def test_sums_stand_beside_what_the_warehouse_has(planner: Planner) -> None:
    planner.set((planner.ids[0], "rice", 2), (planner.ids[1], "rice", 1))
    stock.load(actor=planner.home.user, trip=planner.planned("别的"), date=DAY, lines={"rice": 5})
    (item,) = planner.now().items
    assert (item.item, item.allotted, item.households, item.in_stock, item.missing) == ("rice", 3, 2, -5, 8)
    stock.load(actor=planner.home.user, trip=planner.trip, date=DAY, lines={"rice": 2})
    (item,) = planner.now().items
    assert (item.in_stock, item.taken, item.missing) == (-7, 2, 8)


def test_what_the_truck_has_is_not_missing(planner: Planner) -> None:
    planner.set((planner.ids[0], "rice", 2), (planner.ids[1], "rice", 1))
    rice = [{"item": "rice", "quantity": 2}]
    stock.receive(actor=planner.home.user, from_="donor:ai", to=stock.MAIN, date=DAY, lines=rice)
    stock.load(actor=planner.home.user, trip=planner.trip, date=DAY, lines={"rice": 2})
    (item,) = planner.now().items
    assert (item.in_stock, item.taken, item.missing) == (0, 2, 1)


def test_who_locks_does_not_approve(planner: Planner) -> None:
    with pytest.raises(Problem, match="nothing-allotted"):
        plan.lock(actor=planner.home.user, trip=planner.trip, today=DAY)
    planner.set((planner.ids[0], "rice", 1))
    with pytest.raises(Problem, match="not-locked"):
        plan.approve(actor=planner.other, trip=planner.trip, today=DAY)
    plan.lock(actor=planner.home.user, trip=planner.trip, today=DAY)
    with pytest.raises(Problem, match="own-lock"):
        plan.approve(actor=planner.home.user, trip=planner.trip, today=DAY)
    plan.approve(actor=planner.other, trip=planner.trip, today=DAY, note="同意")
    now = planner.now()
    assert now.approval.stands
    assert [(step.kind, step.name, step.note) for step in now.steps[1:]] == [
        ("trip.locked", "罗春和", None),
        ("trip.approved", "潘", "同意"),
    ]


def test_a_change_after_the_approval_asks_for_another(planner: Planner) -> None:
    laptop = uuid7()
    planner.set((planner.ids[0], "rice", 1))
    plan.lock(actor=planner.home.user, trip=planner.trip, today=DAY)
    plan.approve(actor=planner.other, trip=planner.trip, today=DAY)
    planner.set((planner.ids[1], "rice", 1), (planner.ids[1], "oil", 1))
    assert planner.now().approval.changed == 2
    with pytest.raises(Problem, match="not-approved") as refused:
        plan.release(actor=planner.home.device, trip=planner.trip, devices={laptop: []}, today=DAY)
    assert refused.value.members["changed"] == 2
    plan.approve(actor=planner.other, trip=planner.trip, today=DAY)
    plan.release(actor=planner.home.device, trip=planner.trip, devices={laptop: []}, today=DAY)
    assert planner.now().trip.status == "released"
    assert planner.now().releases == {laptop: []}


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({}, ["至少选一台"]),
        ({"a": ["一队"]}, ["二队没有分给"]),
        ({"a": [], "b": ["一队"]}, ["一队分给了两台以上"]),
        ({"a": ["一队"], "b": ["一队", "二队"]}, ["一队分给了两台以上"]),
    ],
)
def test_every_household_is_on_one_laptop(planner: Planner, groups: dict[str, list[str]], words: list[str]) -> None:
    planner.set((planner.ids[0], "rice", 1), (planner.ids[2], "rice", 1))
    plan.lock(actor=planner.home.user, trip=planner.trip, today=DAY)
    plan.approve(actor=planner.other, trip=planner.trip, today=DAY)
    laptops = {"a": uuid7(), "b": uuid7()}
    devices = {laptops[key]: each for key, each in groups.items()}
    before = said()
    with pytest.raises(Problem, match="invalid-form") as refused:
        plan.release(actor=planner.home.device, trip=planner.trip, devices=devices, today=DAY)
    told = refused.value.members["errors"]["devices"]
    assert len(told) == len(words)
    assert all(word in sentence for word, sentence in zip(words, told, strict=True))
    assert said() == before


@pytest.mark.parametrize(("starts", "ends", "meets"), [(DAY, "2026-04-02", 1), ("2026-03-30", "2026-04-02", 0)])
def test_the_same_item_on_the_same_days_is_an_overlap(planner: Planner, starts: str, ends: str, meets: int) -> None:
    first, second, _ = planner.ids
    planner.set((first, "rice", 1), (second, "rice", 1))
    other = planner.planned("四月", starts, ends)
    planner.set((first, "rice", 2), (second, "oil", 1), trip=other)
    found = [overlap for one in planner.now().households for overlap in one.overlaps]
    assert [(one.household, one.item, one.title, one.quantity) for one in found] == [(first, "rice", "四月", 2)][:meets]


def test_a_plan_is_changed_by_who_has_seen_it(planner: Planner) -> None:
    seen = plan.in_view(planner.trip, ["title", "note"])
    plan.update(actor=planner.home.user, trip=planner.trip, values={"title": "清明"}, seen=seen, today=DAY)
    assert planner.now().trip.title == "清明"
    with pytest.raises(Problem, match="changed-meanwhile"):
        plan.update(
            actor=planner.other, trip=planner.trip, values={"title": "端午", "note": None}, seen=seen, today=DAY
        )
    before = said()
    plan.update(actor=planner.other, trip=planner.trip, values={"title": "清明"}, today=DAY)
    assert said() == before, "what stays as it was is not said again"


def test_a_trip_of_others_is_as_if_it_did_not_exist(planner: Planner) -> None:
    with pytest.raises(Problem, match="unknown-trip"):
        plan.lock(actor=planner.other, trip=planner.trip, today=DAY, scope=Scope(("99",), frozenset({uuid7()})))


def test_age_counts_as_a_category(planner: Planner) -> None:
    old = planner.household("丁", "二队", 1)
    household.update(actor=planner.home.user, household=old, set_={"head.born": "1940-05-01"})
    lines = plan.by_rules(trip=planner.trip, rules=[Rule("rice", 1, "elder_80")], replace=False, today=DAY)
    assert lines == [(old, "rice", 1)]
