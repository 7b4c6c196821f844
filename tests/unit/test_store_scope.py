"""What a person answers for, and that every read of the centre keeps to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import Selection
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import account, duplicate, household, overview, reconcile, report, search, trip
from aidvisit.store.queries.scope import scope_of
from sync import log
from sync.op import digest_of
from tests.support.store import (
    LAPTOP,
    NOW,
    TEAM,
    TOWN,
    TRIP,
    VILLAGE,
    allotted,
    centre,
    delivered,
    item,
    op,
    planned,
    registered,
    say,
    uid,
)

HEAD, COUNTY, FAR = uid(801), uid(802), uid(803)
FAR_TOWN, FAR_VILLAGE = "441226101", "441226101201"
NEAR_HOME, FAR_HOME, FAR_TRIP, FAR_LAPTOP = uid(1), uid(2), uid(910), uid(920)


def team(identity: str, level: int, parent: str | None, *divisions: str) -> Fact:
    body: dict[str, Any] = {"name": identity[-3:], "type": "team", "level": level, "divisions": list(divisions)}
    return Fact("org", "team.defined", identity, body | ({"parent": parent} if parent else {}))


def enrolled(device: str, of_team: str) -> Fact:
    return Fact("org", "device.enrolled", device, {"name": device[-3:], "public_key": "A" * 43, "team": of_team})


def released(of_trip: str, *devices: str) -> Fact:
    body = {"devices": [{"device": device} for device in devices]}
    return Fact(f"trip-{of_trip}", "trip.released", of_trip, body)


def far(fact: Fact) -> Fact:
    return Fact(FAR_TOWN, fact.kind, fact.subject, fact.body)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    """Two towns of two counties under one team of a county: a household, a trip, a laptop and a double gift in each."""
    with centre(database_url) as conn:
        say(
            conn,
            team(HEAD, 1, None),
            team(COUNTY, 2, HEAD, "441225"),
            team(TEAM, 3, COUNTY, TOWN),
            team(FAR, 3, COUNTY, FAR_TOWN),
            item("rice", "大米", "袋", repeat_days=30),
            registered(NEAR_HOME, "近处人"),
            far(registered(FAR_HOME, "远处人", division=FAR_VILLAGE)),
            planned(),
            planned(FAR_TRIP, team=FAR, divisions=[FAR_VILLAGE], title="远处"),
            allotted((NEAR_HOME, "rice", 1), (FAR_HOME, "rice", 1)),
            enrolled(LAPTOP, TEAM),
            enrolled(FAR_LAPTOP, FAR),
            *(delivered(uid(20 + n), NEAR_HOME, {"rice": 1}) for n in range(2)),
            *(far(delivered(uid(30 + n), FAR_HOME, {"rice": 5}, trip=FAR_TRIP)) for n in range(2)),
        )
        yield conn


def test_a_team_answers_for_those_below_and_the_head_for_everything(conn: Connection) -> None:
    assert scope_of(conn, HEAD) == EVERYTHING
    assert scope_of(conn, COUNTY) == Scope(("441225", TOWN, FAR_TOWN), frozenset({COUNTY, TEAM, FAR}))
    assert scope_of(conn, TEAM) == Scope((TOWN,), frozenset({TEAM}))
    assert scope_of(conn, uid(999)) == Scope()


@pytest.mark.parametrize("fact", [team(uid(850), 1, None, TOWN), team(uid(850), 1, HEAD), team(uid(850), 2, None)])
def test_only_the_head_bound_to_no_place_answers_for_everything(conn: Connection, fact: Fact) -> None:
    say(conn, fact)
    assert not scope_of(conn, fact.subject).everything


def test_teams_in_a_circle_answer_for_each_other(conn: Connection) -> None:
    one, other = uid(851), uid(852)
    say(conn, team(one, 3, other), team(other, 3, one))
    assert scope_of(conn, one).teams == scope_of(conn, other).teams == {one, other}


def test_a_trip_that_a_laptop_carries_opens_where_it_goes(conn: Connection) -> None:
    before = scope_of(conn, TEAM)
    say(conn, released(FAR_TRIP, LAPTOP))
    after = scope_of(conn, TEAM)
    assert (set(after.divisions) - set(before.divisions), after.teams) == ({FAR_VILLAGE}, before.teams)
    assert {head.id for head in trip.trips(conn, after)} == {TRIP, FAR_TRIP}
    assert household.household(conn, FAR_HOME, after) is not None


@pytest.mark.parametrize(
    ("where", "homes", "trips"),
    [
        (HEAD, {NEAR_HOME, FAR_HOME}, {TRIP, FAR_TRIP}),
        (COUNTY, {NEAR_HOME, FAR_HOME}, {TRIP, FAR_TRIP}),
        (TEAM, {NEAR_HOME}, {TRIP}),
        (FAR, {FAR_HOME}, {FAR_TRIP}),
        (uid(999), set(), set()),
    ],
)
def test_what_is_read_is_of_the_scope(conn: Connection, where: str, homes: set[str], trips: set[str]) -> None:
    scope = scope_of(conn, where)
    both = {NEAR_HOME, FAR_HOME}
    assert {one for one in both if household.household(conn, one, scope)} == homes
    found = search.search(conn, "处人", scope=scope)
    assert ({one.id for one in found.found}, found.searched) == (homes, len(homes))
    assert {head.id for head in trip.trips(conn, scope)} == trips
    assert {one for one in (TRIP, FAR_TRIP) if trip.trip(conn, one, scope)} == trips
    assert {one.household for one in duplicate.duplicates(conn, scope=scope)} == homes
    laptops = {LAPTOP: TEAM, FAR_LAPTOP: FAR}
    mine = {device for device, of_team in laptops.items() if scope.team(of_team)}
    assert {row.id for row in account.device_rows(conn, scope)} == mine
    assert {row.id for row in account.teams(conn, scope)} == {
        one for one in (HEAD, COUNTY, TEAM, FAR) if scope.team(one)
    }


def test_the_overview_counts_what_is_in_the_scope(conn: Connection) -> None:
    for device, town in ((LAPTOP, TOWN), (FAR_LAPTOP, FAR_TOWN)):
        held = op(1, town, "visit.recorded", uid(60), {}, device=device)
        problem = {"type": "urn:aidvisit:problem:unknown-subject"}
        log.insert_entries(conn, [log.new_entry(held, digest_of(held), NOW, problem=problem)])
    near, whole = (overview.overview(conn, scope_of(conn, one)) for one in (TEAM, HEAD))
    assert (near.households, near.quarantined) == (1, 1)
    assert (whole.households, whole.quarantined) == (2, 2)
    own, every = (report.total(conn, Selection(), scope_of(conn, one), today="2020-12-30") for one in (TEAM, HEAD))
    assert (own.households, own.times, sum(own.items.values())) == (1, 2, 2)
    assert (every.households, every.times, sum(every.items.values())) == (2, 4, 12)
    assert [one.trip.id for one in near.trips] == [TRIP]
    assert [row.id for row in near.devices] == [LAPTOP]


def test_a_reconciliation_names_nobody_outside(conn: Connection) -> None:
    """The trip allots something to a household of another county: it counts, but who it is stays there."""
    seen = reconcile.reconcile(conn, TRIP, scope_of(conn, TEAM))
    assert {row.id: row.name for row in seen.households} == {NEAR_HOME: "近处人", FAR_HOME: FAR_HOME[:8]}
    assert {row.name for row in reconcile.reconcile(conn, TRIP).households} == {"近处人", "远处人"}
    with pytest.raises(LookupError):
        reconcile.reconcile(conn, FAR_TRIP, scope_of(conn, TEAM))


def test_a_code_stands_for_what_begins_with_it_and_nothing_else(conn: Connection) -> None:
    for code, inside in (("441225", True), (VILLAGE, True), (TOWN[:8], True), ("441224", False), ("441225113", False)):
        scope = Scope((code,))
        assert bool(search.search(conn, "近处人", scope=scope).found) is inside, code
        assert scope.place(VILLAGE) is inside, code
