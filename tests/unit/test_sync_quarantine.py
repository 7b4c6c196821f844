"""Quarantine: nothing well formed is dropped, in nobody's way, and released or dismissed in words its author hears."""

from __future__ import annotations

from typing import Any

import pytest

from sync import log, quarantine
from sync.log import Entry
from sync.op import uuid7
from tests.support.toy import Centre, Laptop, connected, memory
from tests.support.toy_house import OTHER_TOWN, TOWN, times_applied

TEAM = uuid7()


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, TEAM)


def reasons(node: Centre | Laptop) -> list[str]:
    with node.begin() as conn:
        return [str((entry.problem or {}).get("type", "")).rpartition(":")[2] for entry in log.quarantined(conn)]


def release(centre: Centre, entry: Entry) -> bool:
    with centre.begin() as conn:
        return quarantine.release(conn, centre.app, entry.op.device, entry.op.seq, "seen", uuid7(), centre.now())


def dismiss(centre: Centre, entry: Entry) -> bool:
    with centre.begin() as conn:
        return quarantine.dismiss(conn, centre.app, entry.op.device, entry.op.seq, "a joke", uuid7(), centre.now())


@pytest.mark.parametrize(
    ("kind", "body", "stream", "reason"),
    [
        ("future.recorded", {"a": 1}, TOWN, "unknown-kind"),
        ("gift.recorded", {"thing": uuid7(), "quantity": 0}, TOWN, "invalid-body"),
        ("gift.recorded", {"thing": uuid7(), "quantity": 1}, TOWN, "unknown-subject"),
        ("thing.updated", {"set": {"a": 1}}, TOWN, "unknown-subject"),
        ("grant.set", {"streams": ["org"]}, "org", "not-allowed"),
        ("op.released", {"device": uuid7(), "seq": 1}, TOWN, "not-allowed"),
        ("op.later", {}, TOWN, "not-allowed"),
        ("thing.registered", {"fields": {}}, OTHER_TOWN, "not-granted"),
        ("future.recorded", {}, OTHER_TOWN, "unknown-kind"),
    ],
)
def test_reasons(centre: Centre, laptop: Laptop, kind: str, body: dict[str, Any], stream: str, reason: str) -> None:
    entry = laptop.record(stream, kind, body)
    shown = laptop.states().get(entry.op.subject)
    after = laptop.thing()
    laptop.sync()
    assert reasons(centre) == reasons(laptop) == [reason]
    assert laptop.state().waiting == 0
    assert centre.entry(after.op.device, after.op.seq).n is not None
    assert entry.op.subject not in centre.states()
    assert laptop.states().get(entry.op.subject) == shown, "its author's device goes on showing it"


def test_a_newer_version_of_a_known_kind_is_unknown(centre: Centre, laptop: Laptop) -> None:
    with laptop.begin() as conn:
        draft = log.Draft(TOWN, laptop.actor, "thing.registered", 2, uuid7(), {"fields": {}})
        log.author(conn, laptop.app, [draft], laptop.now())
    laptop.sync()
    assert reasons(centre) == ["unknown-kind"]


def test_a_subject_that_exists_with_another_body(centre: Centre, laptop: Laptop) -> None:
    there = centre.thing(name="x")
    laptop.record(TOWN, "thing.registered", {"fields": {"name": "y"}}, there.op.subject)
    same = laptop.record(TOWN, "thing.registered", {"fields": {"name": "x"}}, there.op.subject)
    laptop.sync()
    assert reasons(centre) == ["subject-exists"]
    assert centre.entry(same.op.device, same.op.seq).n is not None, "an equal one is stored and numbered"


def test_it_is_released_when_what_it_names_arrives(centre: Centre, laptop: Laptop) -> None:
    other, thing = connected(centre, TEAM), uuid7()
    gift = laptop.record(TOWN, "gift.recorded", {"thing": thing, "quantity": 2})
    edit = laptop.record(TOWN, "thing.updated", {"set": {"name": "y"}}, thing)
    laptop.sync()
    assert reasons(laptop) == ["unknown-subject", "unknown-subject"]
    other.record(TOWN, "thing.registered", {"fields": {"name": "x"}}, thing)
    other.sync()
    assert reasons(centre) == []
    laptop.sync(), other.sync()
    assert reasons(laptop) == []
    assert gift.op.subject in other.states()
    assert edit.op.subject in other.states()
    assert centre.digest(TOWN) == laptop.digest(TOWN) == other.digest(TOWN)
    assert centre.states().items() >= laptop.states().items()
    assert laptop.states() == other.states()


def test_it_is_released_when_the_software_is_upgraded(centre: Centre, laptop: Laptop) -> None:
    entry = laptop.record(TOWN, "future.recorded", {"a": 1})
    laptop.sync()
    centre.app.kinds.add("future.recorded")
    laptop.sync()
    assert reasons(centre) == []
    laptop.sync()
    assert reasons(laptop) == []
    assert centre.entry(entry.op.device, entry.op.seq).n == 1


def test_it_is_released_when_the_grant_is_given(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(OTHER_TOWN)
    laptop.sync()
    assert reasons(centre) == ["not-granted"]
    centre.grant(laptop.device, TOWN, OTHER_TOWN)
    laptop.sync()
    assert reasons(centre) == reasons(laptop) == []
    assert centre.digest(OTHER_TOWN) == laptop.digest(OTHER_TOWN)


def test_a_release_that_was_cut_short_is_taken_up_again(
    centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.thing(OTHER_TOWN)
    laptop.sync()
    centre.grant(laptop.device, TOWN, OTHER_TOWN)

    def power_goes(*_: object) -> bool:
        raise OSError("power")

    monkeypatch.setattr(quarantine, "_release", power_goes)
    with pytest.raises(OSError, match="power"):
        quarantine.settle(centre.begin, centre.app, centre.now())
    monkeypatch.undo()
    assert quarantine.settle(centre.begin, centre.app, centre.now()) == 1


def test_a_chain_of_reasons_goes_away_at_once(centre: Centre, laptop: Laptop) -> None:
    """The household of a town that is not granted yet, its edit and its gift."""
    thing = laptop.thing(OTHER_TOWN, name="x")
    laptop.edit(thing, name="y")
    laptop.record(OTHER_TOWN, "gift.recorded", {"thing": thing.op.subject, "quantity": 1})
    laptop.sync()
    assert len(reasons(centre)) == 3
    centre.grant(laptop.device, OTHER_TOWN)
    assert quarantine.settle(centre.begin, centre.app, centre.now()) == 3
    assert quarantine.settle(centre.begin, centre.app, centre.now()) == 0
    with centre.begin() as conn:
        assert set(times_applied(conn).values()) == {1}


def test_a_person_releases_and_its_author_hears_of_it(centre: Centre, laptop: Laptop) -> None:
    entry = laptop.record(TOWN, "gift.recorded", {"thing": uuid7(), "quantity": 1})
    laptop.sync()
    assert release(centre, entry)
    assert not release(centre, entry), "once"
    assert not dismiss(centre, entry)
    (told,) = [e for e in _in_stream(centre, TOWN) if e.op.kind == "op.released"]
    assert told.op.body == {"device": laptop.device, "seq": 1, "reason": "seen"}
    assert told.op.subject == entry.op.subject
    assert told.clock > centre.entry(laptop.device, 1).clock
    laptop.sync()
    assert laptop.entry(laptop.device, 1).problem is None
    assert laptop.digest(TOWN) == centre.digest(TOWN)


def test_a_person_dismisses_and_it_stays_stored_and_shown(centre: Centre, laptop: Laptop) -> None:
    entry = laptop.record(TOWN, "gift.recorded", {"thing": uuid7(), "quantity": 1})
    laptop.sync()
    assert dismiss(centre, entry)
    assert not dismiss(centre, entry)
    assert not release(centre, entry)
    assert reasons(centre) == []
    laptop.sync()
    kept = laptop.entry(laptop.device, 1)
    assert kept.dismissed
    assert kept.problem is not None
    assert laptop.state().quarantined == 0
    assert centre.entry(laptop.device, 1).op == entry.op
    assert laptop.digest(TOWN) == centre.digest(TOWN)


def test_where_its_author_does_not_read_the_stream_its_team_is_told(centre: Centre, laptop: Laptop) -> None:
    away, office = laptop.thing(OTHER_TOWN), laptop.record("office", "future.recorded", {})
    laptop.sync()
    assert dismiss(centre, away)
    assert dismiss(centre, office)
    assert {e.op.stream for e in _in_stream(centre, f"team-{TEAM}")} == {f"team-{TEAM}"}
    laptop.sync()
    assert laptop.entry(laptop.device, away.op.seq).dismissed
    assert laptop.entry(laptop.device, office.op.seq).dismissed


def test_nothing_is_released_that_is_not_there(centre: Centre, laptop: Laptop) -> None:
    entry = laptop.thing()
    laptop.sync()
    assert not release(centre, entry)
    with centre.begin() as conn:
        assert not quarantine.release(conn, centre.app, uuid7(), 1, "", None, centre.now())
        assert not quarantine.dismiss(conn, centre.app, laptop.device, 99, "", uuid7(), centre.now())


def test_released_ops_keep_their_merge_clock(centre: Centre, laptop: Laptop) -> None:
    """What the author was told of its clock holds after the release: the same state on both."""
    thing = centre.thing(name="first")
    laptop.sync()
    laptop.app.banned.clear()
    centre.app.banned.add(laptop.actor)
    edit = laptop.edit(thing, name="second")
    laptop.sync()
    assert reasons(centre) == ["not-allowed"]
    centre.edit(thing, name="third")
    centre.app.banned.clear()
    laptop.sync(), laptop.sync()
    assert reasons(laptop) == []
    assert centre.entry(laptop.device, edit.op.seq).clock == laptop.entry(laptop.device, edit.op.seq).clock
    assert centre.states()[thing.op.subject] == laptop.states()[thing.op.subject]


def test_a_laptop_keeps_what_it_cannot_read_yet(centre: Centre, laptop: Laptop) -> None:
    centre.app.kinds.add("future.recorded")
    entry = centre.record(TOWN, "future.recorded", {"a": 1})
    laptop.sync()
    assert laptop.entry(entry.op.device, entry.op.seq).op == entry.op
    assert entry.op.subject not in laptop.states()
    assert laptop.digest(TOWN) == centre.digest(TOWN)


def _in_stream(node: Centre, stream: str) -> list[Entry]:
    with node.begin() as conn:
        return list(log.iterate(conn, stream))
