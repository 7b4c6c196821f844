"""Bundles: the same as by line, any number of times."""

from __future__ import annotations

import io
from datetime import timedelta
from hashlib import sha256

import pytest
import sqlalchemy as sa

from sync import blobs, bundle, bundle_field, log, quarantine, server, tables
from sync.op import uuid7
from tests.support.stick import answered, carried, everything, exported, imported, lines, photo, plain, sealed, signed
from tests.support.toy import Centre, Laptop, connected, expect_problem, memory
from tests.support.toy_house import OTHER_TOWN, TOWN

TEAM = uuid7()


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, TEAM)


def later(*nodes: Laptop | Centre, minutes: int = 1) -> None:
    for node in nodes:
        node.clock += timedelta(minutes=minutes)


# --- there and back ------------------------------------------------------------------------------------------


def test_what_was_never_sent_over_a_line_is_acknowledged(centre: Centre, laptop: Laptop) -> None:
    for i in range(3):
        laptop.thing(name=str(i))
    taken, answer = imported(centre, exported(laptop))
    assert (taken.received, taken.through, taken.held, taken.stopped) == (3, 3, 0, None)
    learned = answered(laptop, answer)
    state = laptop.state()
    assert (learned.through, state.waiting) == (3, 0)
    assert state.receipt is not None
    assert state.receipt["through"] == 3
    assert laptop.digest(TOWN) == centre.digest(TOWN)


def test_the_answer_brings_what_others_recorded_since(centre: Centre, laptop: Laptop) -> None:
    other = connected(centre, TEAM)
    mine = laptop.thing(name="mine")
    thing = other.thing(name="theirs")
    other.sync()
    learned = carried(laptop, centre)
    assert learned.pulled >= 1
    assert thing.op.subject in laptop.states()
    assert mine.op.subject in centre.states()
    assert laptop.digest(TOWN) == centre.digest(TOWN)
    assert laptop.states() == {s: state for s, state in centre.states().items() if s in laptop.states()}


def test_a_laptop_that_has_nothing_to_send_still_asks(centre: Centre, laptop: Laptop) -> None:
    centre.thing(name="of the office")
    assert carried(laptop, centre).pulled == 1


def test_photos_come_along_and_are_not_sent_again(centre: Centre, laptop: Laptop) -> None:
    name = photo(laptop, b"\xff\xd8 a photo \n with lines \n" * 500)
    data = exported(laptop)
    taken, answer = imported(centre, data)
    assert (taken.blobs, taken.strange_blobs) == (1, 0)
    with centre.begin() as conn:
        assert blobs.get(conn, name) == ("image/jpeg", b"\xff\xd8 a photo \n with lines \n" * 500)
    answered(laptop, answer)
    assert b"a photo" not in plain(centre, exported(laptop))


def test_photos_that_do_not_fit_come_with_the_next_bundle(
    centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {photo(laptop, bytes([i]) * 100) for i in range(5)}
    monkeypatch.setattr("sync.bundle_field.ROOM", 250)
    file = io.BytesIO()
    with laptop.begin() as conn:
        done = bundle_field.export(conn, file)
    assert (done.ops, done.blobs, done.left) == (5, 2, 3)
    for _ in range(3):
        carried(laptop, centre)
    with centre.begin() as conn:
        assert blobs.held(conn, names) == names


def test_a_blob_that_no_op_of_the_device_names_is_not_kept(centre: Centre, laptop: Laptop) -> None:
    content = plain(centre, exported(laptop)) + bundle.blob_part(bundle.Blob(sha256(b"x").hexdigest(), b"x"))
    taken, _ = imported(centre, sealed(centre, content))
    assert (taken.blobs, taken.strange_blobs) == (0, 1)
    with centre.begin() as conn:
        assert blobs.get(conn, sha256(b"x").hexdigest()) is None


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_a_blob_of_any_size_travels(centre: Centre, laptop: Laptop, size: int) -> None:
    data = (b"\n{}\x00" * (size // 4 + 1))[:size]
    name = photo(laptop, data)
    taken, _ = imported(centre, exported(laptop))
    assert taken.blobs == (1 if size else 0)  # of nothing there is nothing to send
    if size:
        with centre.begin() as conn:
            assert blobs.get(conn, name) == ("image/jpeg", data)


# --- any number of times, in any order -------------------------------------------------------------------------


def test_importing_twice_changes_nothing(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    data = exported(laptop)
    _, answer = imported(centre, data)
    before = {name: rows for name, rows in everything(centre).items() if name != "sync_device"}
    taken, again = imported(centre, data)
    assert taken.received == 0
    assert before == {name: rows for name, rows in everything(centre).items() if name != "sync_device"}
    answered(laptop, answer)
    before = everything(laptop)
    answered(laptop, answer)
    answered(laptop, again)
    assert everything(laptop) == before


def test_after_the_same_ops_came_over_the_line(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    data = exported(laptop)
    laptop.thing(name="y")
    laptop.sync()
    taken, answer = imported(centre, data)
    assert (taken.received, taken.through) == (0, 2)
    before = everything(laptop)["op"]
    assert answered(laptop, answer).through == 2
    assert everything(laptop)["op"] == before
    assert laptop.state().waiting == 0


def test_an_older_answer_after_a_newer_one(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    _, first = imported(centre, exported(laptop))
    later(centre, laptop)
    laptop.thing(name="y")
    centre.grant(laptop.device, OTHER_TOWN)
    centre.thing(OTHER_TOWN, name="z")
    _, second = imported(centre, exported(laptop))
    answered(laptop, second)
    before = everything(laptop)
    learned = answered(laptop, first)
    assert learned.older
    assert learned.through == 2
    assert everything(laptop) == before


def test_an_older_answer_brings_no_stream_back_that_was_withdrawn(centre: Centre, laptop: Laptop) -> None:
    centre.thing(name="secret")
    _, answer = imported(centre, exported(laptop))
    later(centre, laptop)
    centre.grant(laptop.device, OTHER_TOWN)
    laptop.sync()
    assert answered(laptop, answer).older
    with laptop.begin() as conn:
        assert TOWN not in log.recall(conn, "grants")
        assert conn.execute(sa.select(tables.op).where(tables.op.c.stream == TOWN)).all() == []


def test_a_withdrawn_grant_comes_with_the_answer(centre: Centre, laptop: Laptop) -> None:
    thing = centre.thing(name="secret")
    laptop.sync()
    later(centre, laptop)
    centre.grant(laptop.device, OTHER_TOWN)
    new = centre.thing(OTHER_TOWN, name="new")
    carried(laptop, centre)
    assert thing.op.subject not in laptop.states()
    assert new.op.subject in laptop.states()


def test_a_page_counts_only_where_the_cursor_has_reached_its_start(centre: Centre, laptop: Laptop) -> None:
    centre.thing(name="first")
    behind = Laptop(memory(laptop.engine), clock=laptop.clock)
    laptop.sync()
    later(centre, laptop, behind)
    second = centre.thing(name="second")
    _, answer = imported(centre, exported(laptop))
    answered(behind, answer)  # the same laptop, restored from a copy of before the first
    assert second.op.subject not in behind.states()
    carried(behind, centre)
    assert second.op.subject in behind.states()
    assert behind.digest(TOWN) == centre.digest(TOWN)


def test_many_pages(centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.bundle_central.PAGE", 3)
    things = [centre.thing(name=str(i)).op.subject for i in range(10)]
    assert carried(laptop, centre).pulled == 10
    assert set(things) <= set(laptop.states())
    assert laptop.digest(TOWN) == centre.digest(TOWN)


def test_an_answer_that_grows_too_large_goes_on_with_the_next(
    centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.bundle_central.PAGE", 2)
    monkeypatch.setattr("sync.bundle_central.HELD", 1)
    for i in range(4):
        centre.thing(name=str(i))
    assert [carried(laptop, centre).pulled for _ in range(3)] == [2, 2, 0]


def test_pages_without_a_start_count_from_their_first_op(centre: Centre, laptop: Laptop) -> None:
    """As another centre may make them: from the protocol's page alone."""
    centre.thing(name="x")
    _, answer = imported(centre, exported(laptop))
    assert answer is not None
    header, *rest = lines(laptop, answer)
    for document in rest:
        for ours in ("start", "from", "last", "blobs"):
            document.pop(ours, None)
    assert answered(laptop, signed(centre, laptop, header, rest)).pulled == 1


def test_what_is_held_is_said_and_its_release_heard(centre: Centre, laptop: Laptop) -> None:
    gift = laptop.record(TOWN, "gift.recorded", {"thing": uuid7(), "item": "rice", "quantity": 1})
    data = exported(laptop)
    taken, answer = imported(centre, data)
    assert taken.held == 1
    answered(laptop, answer)
    assert laptop.entry(laptop.device, gift.op.seq).problem is not None
    later(centre, laptop)
    with centre.begin() as conn:
        quarantine.release(conn, centre.app, laptop.device, gift.op.seq, "seen", uuid7(), centre.now())
    laptop.sync()
    assert laptop.entry(laptop.device, gift.op.seq).problem is None
    answered(laptop, answer)  # which says that it is held
    assert laptop.entry(laptop.device, gift.op.seq).problem is None


def test_a_revoked_device_is_quarantined_and_told(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    with centre.begin() as conn:
        server.revoke(conn, laptop.device)
    centre.thing(name="not for it")
    taken, answer = imported(centre, exported(laptop))
    assert taken.revoked
    assert taken.held == 1
    assert taken.through == 1
    assert [(entry.problem or {})["type"].rpartition(":")[2] for entry in centre.held()] == ["device-revoked"]
    assert [document.get("type") for document in lines(laptop, answer or b"")[1:]] == [
        "urn:aidvisit:problem:device-revoked"
    ]
    with expect_problem("device-revoked") as caught:
        answered(laptop, answer)
    assert caught[0].verified


def test_a_gap_stops_and_the_answer_mends_it(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    with laptop.begin() as conn:
        log.remember(conn, acked=1)  # the centre was restored from before
    laptop.thing(name="y")
    taken, answer = imported(centre, exported(laptop))
    assert taken.stopped is not None
    assert taken.stopped.name == "gap"
    assert taken.received == 0
    learned = answered(laptop, answer)
    assert learned.stopped is not None
    assert learned.stopped.name == "gap"
    assert laptop.state().waiting == 2
    carried(laptop, centre)
    assert laptop.state().waiting == 0


def test_a_fork_stops_and_is_told(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="both")
    copy = Laptop(memory(laptop.engine), clock=laptop.clock)
    copy.thing(name="on the copy")
    laptop.thing(name="on the laptop")
    carried(laptop, centre)
    taken, answer = imported(centre, exported(copy))
    assert taken.stopped is not None
    assert taken.stopped.name == "fork"
    assert taken.received == 0
    before = everything(copy)["op"]
    with expect_problem("fork"):
        answered(copy, answer)
    assert everything(copy)["op"] == before


def test_what_came_before_a_stop_stands(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="1")
    header, first = lines(centre, exported(laptop))
    with laptop.begin() as conn:
        log.remember(conn, acked=2)
    laptop.thing(name="2")
    laptop.thing(name="3")
    third = lines(centre, exported(laptop))[1]
    taken, _ = imported(centre, sealed(centre, [header, first, third]))
    assert (taken.received, taken.through) == (1, 1)
    assert taken.stopped is not None
    assert taken.stopped.members["through"] == 1


# --- a centre that was restored ----------------------------------------------------------------------------------


def test_a_restored_centre_gets_everything_back_with_the_second_bundle(centre: Centre, laptop: Laptop) -> None:
    old = memory(centre.engine)
    laptop.thing(name="lost")
    carried(laptop, centre)
    assert laptop.state().waiting == 0
    restored = Centre(old, clock=centre.clock + timedelta(hours=1))
    with restored.begin() as conn:
        server.new_epoch(conn, restored.now())
    laptop.clock = restored.clock
    carried(laptop, restored)
    assert laptop.state().waiting == 1
    later(restored, laptop)
    carried(laptop, restored)
    assert laptop.state().waiting == 0
    assert laptop.digest(TOWN) == restored.digest(TOWN)


def test_an_answer_of_before_the_restore_is_refused(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    _, answer = imported(centre, exported(laptop))
    later(centre, laptop)
    with centre.begin() as conn:
        server.new_epoch(conn, centre.now())
    laptop.sync()
    before = everything(laptop)
    with expect_problem("bundle-outdated"):
        answered(laptop, answer)
    assert everything(laptop) == before
