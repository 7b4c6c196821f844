"""Which stream a kind belongs in, who may author it there, and what must be known before it."""

from __future__ import annotations

import pytest

from aidvisit.domain import facts
from aidvisit.domain.facts import KINDS, check, known, only_centre, references
from aidvisit.domain.stream import stream_type, team_stream, town_of, trip_of, trip_stream
from tests.support.facts import (
    EXAMPLES,
    HOUSEHOLD,
    OFFICE,
    ORG,
    OTHER,
    TEAM_STREAM,
    TOWN,
    TRIP,
    TRIP_STREAM,
)

STREAMS = {"org": ORG, "office": OFFICE, "team": TEAM_STREAM, "trip": TRIP_STREAM, "town": TOWN}
HOME = {
    "office": {"access.recorded", "duplicate.settled"},
    "team": {"user.defined", "user.updated"},
    "org": {
        "division.defined",
        "category.defined",
        "item.defined",
        "place.defined",
        "team.defined",
        "team.updated",
        "device.enrolled",
        "device.renamed",
        "device.revoked",
        "stock.moved",
        "stock.counted",
    },
    "trip": {
        "trip.planned",
        "trip.updated",
        "trip.locked",
        "trip.approved",
        "trip.released",
        "trip.closed",
        "trip.reopened",
        "allocation.set",
        "stock.moved",
        "stock.counted",
        "notice.posted",
    },
    "town": {
        "household.registered",
        "household.updated",
        "household.closed",
        "household.reopened",
        "household.merged",
        "household.unmerged",
        "visit.recorded",
        "visit.voided",
        "delivery.recorded",
        "delivery.voided",
        "personal-data.erased",
    },
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_in_the_wrong_type_of_stream_is_named(kind: str) -> None:
    _, subject, body = EXAMPLES[kind]
    for name, stream in STREAMS.items():
        errors = check(kind, 1, stream, subject, body)
        assert ("stream" in errors) == (kind not in HOME[name] and not kind.startswith("op.")), name


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("org", "org"),
        ("office", "office"),
        (TEAM_STREAM, "team"),
        (TRIP_STREAM, "trip"),
        ("441225112", "town"),
        ("44122511", None),
        ("4412251122", None),
        ("441225112\n", None),
        ("٤٤١٢٢٥١١٢", None),
        ("trip-1", None),
        (TRIP_STREAM.upper(), None),
        ("", None),
    ],
)
def test_stream_type(stream: str, expected: str | None) -> None:
    assert stream_type(stream) == expected


def test_names_of_streams() -> None:
    assert trip_stream(TRIP) == TRIP_STREAM
    assert team_stream(TEAM_STREAM[5:]) == TEAM_STREAM
    assert town_of("441225112207") == TOWN
    assert trip_of(TRIP_STREAM) == TRIP
    assert trip_of(TOWN) is None


def test_a_trips_facts_stand_in_its_own_stream_with_it_as_subject() -> None:
    for kind in HOME["trip"] - {"stock.moved", "stock.counted", "notice.posted"}:
        assert set(check(kind, 1, TRIP_STREAM, OTHER, EXAMPLES[kind][2])) == {"subject"}


def test_only_the_centre_defines_what_everybody_shares() -> None:
    centre = {kind for kind in KINDS if KINDS[kind].by == "centre"}
    assert centre == (HOME["org"] - {"stock.moved", "stock.counted"}) | HOME["team"] | {
        "op.released",
        "op.dismissed",
        "trip.released",
        "personal-data.erased",
    }
    assert only_centre("stock.moved", ORG)
    assert not only_centre("stock.moved", TRIP_STREAM)


def test_facts_that_make_their_subject() -> None:
    assert {kind for kind in KINDS if KINDS[kind].creates} == {
        "access.recorded",
        "trip.planned",
        "stock.moved",
        "stock.counted",
        "household.registered",
        "visit.recorded",
        "delivery.recorded",
    }


def test_bodies_with_personal_data_are_those_of_households_visits_and_deliveries() -> None:
    entities = {KINDS[kind].entity for kind in KINDS if KINDS[kind].personal}
    assert entities == {"household", "visit", "delivery"}
    assert all(KINDS[kind].personal for kind in KINDS if KINDS[kind].entity in entities)


EXPECTED = {
    **{kind: [("trip", TRIP)] for kind in HOME["trip"] - {"trip.planned"}},
    **{
        kind: [("household", HOUSEHOLD)]
        for kind in HOME["town"] - {"household.registered", "visit.voided", "delivery.voided"}
    },
    "household.merged": [("household", HOUSEHOLD), ("household", OTHER)],
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_must_be_known_first(kind: str) -> None:
    stream, subject, body = EXAMPLES[kind]
    assert references(kind, stream, subject, body) == EXPECTED.get(kind, [])


def test_goods_moved_elsewhere_require_no_trip() -> None:
    body = EXAMPLES["stock.moved"][2]
    assert references("stock.moved", ORG, OTHER, body) == []
    elsewhere = body | {"to": f"truck:{OTHER}"}
    assert references("stock.moved", TRIP_STREAM, OTHER, elsewhere) == []
    for side in ("gain", "loss"):
        assert references("stock.moved", TRIP_STREAM, OTHER, elsewhere | {"to": f"{side}:{TRIP}"}) == [("trip", TRIP)]


def test_known_kinds_and_versions() -> None:
    assert known("delivery.recorded", 1)
    assert not known("delivery.recorded", 2)
    assert not known("delivery.dreamt", 1)


def test_subjects_of_codes_are_the_same_everywhere() -> None:
    """Written down once: another implementation must come to the same ids."""
    assert facts.division_subject("441225112207") == "8c2c4e5d-0570-5991-b8ab-4445d2701da5"
    subjects = {
        made("main")
        for made in (facts.division_subject, facts.category_subject, facts.item_subject, facts.place_subject)
    }
    assert len(subjects) == 4
