"""Grants that come and go: what others wrote there goes, the own log stays, and comes back with the grant."""

from __future__ import annotations

import json

import pytest

from sync import log
from sync.op import uuid7
from tests.support.toy import Centre, Laptop, connected, memory
from tests.support.toy_house import OTHER_TOWN, TOWN
from tests.unit.test_sync_copies import same

TEAM = uuid7()


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, TEAM)


def test_of_a_stream_that_is_withdrawn_others_ops_go_and_own_ones_leave_the_tables(
    centre: Centre, laptop: Laptop
) -> None:
    other = connected(centre, TEAM)
    theirs, own = other.thing(name="theirs"), laptop.thing(name="own")
    other.sync(), laptop.sync()
    waiting = laptop.edit(theirs, name="not sent yet")
    centre.grant(laptop.device, OTHER_TOWN)
    laptop.sync()
    assert {theirs.op.subject, own.op.subject} & set(laptop.states()) == set()
    with laptop.begin() as conn:
        assert log.find(conn, theirs.op.device, theirs.op.seq) is None
        assert log.find(conn, own.op.device, own.op.seq) is not None
    held = centre.held()
    assert [entry.name for entry in held] == [waiting.name], "an edit to what went away is held, not lost"
    assert laptop.state().quarantined == 1
    laptop.edit(own, name="from an old page")
    assert own.op.subject not in laptop.states()
    other.sync()
    same(centre, laptop, other)
    centre.grant(laptop.device, TOWN)
    laptop.sync(), laptop.sync(), other.sync()
    assert {theirs.op.subject, own.op.subject} <= set(laptop.states())
    assert laptop.state().quarantined == 0
    same(centre, laptop, other)


def test_what_is_recorded_while_a_stream_is_withdrawn_waits_for_the_grant_and_the_upgrade(
    centre: Centre, laptop: Laptop
) -> None:
    thing = laptop.thing(name="x")
    laptop.sync()
    centre.grant(laptop.device, OTHER_TOWN)
    laptop.sync()
    laptop.record(TOWN, "future.recorded", {"a": 1}, thing.op.subject)
    laptop.edit(thing, name="y")
    laptop.sync()
    centre.grant(laptop.device, TOWN)
    laptop.sync(), laptop.sync()
    assert json.loads(laptop.states()[thing.op.subject])["fields"]["name"][0] == "y"
    same(centre, laptop)


def test_a_box_of_ones_own_is_granted_by_planning_it(centre: Centre, laptop: Laptop) -> None:
    box = uuid7()
    laptop.record(f"trip-{box}", "box.planned", {}, box)
    laptop.record(f"trip-{box}", "note.recorded", {})
    laptop.sync(), laptop.sync()
    assert f"trip-{box}" in laptop.recall("grants")
    assert centre.held() == []
    same(centre, laptop)


def test_a_stream_granted_later_starts_at_its_beginning(centre: Centre, laptop: Laptop) -> None:
    things = [centre.thing(OTHER_TOWN) for _ in range(3)]
    laptop.sync()
    centre.grant(laptop.device, TOWN, OTHER_TOWN)
    laptop.sync()
    assert {t.op.subject for t in things} <= set(laptop.states())
    same(centre, laptop)
