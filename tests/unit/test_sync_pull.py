"""Pull: pages that miss nothing, grants, epochs, and what the centre says it holds of a device."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sync import chains, log, quarantine, server, tables
from sync.op import ZERO, uuid7
from tests.support.foreign import Foreign
from tests.support.toy import Centre, expect_problem, memory
from tests.support.toy_house import FAR_TOWN, OTHER_TOWN, TOWN


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def device(centre: Centre) -> Foreign:
    return Foreign.enrolled(centre)


def names(ops: list[dict]) -> list[str]:
    return [f"{op['device']}/{op['seq']}" for op in ops]


def test_an_op_travels_with_its_number_and_its_nine_fields(centre: Centre, device: Foreign) -> None:
    entry = centre.thing(name="陈")
    (op,) = [op for op in device.pull()["ops"] if op["stream"] == TOWN]
    fields = ("device", "seq", "stream", "hlc", "actor", "kind", "v", "subject", "body")
    assert op == {field: getattr(entry.op, field) for field in fields} | {"n": 1}


def test_a_merge_clock_travels_where_there_is_one(centre: Centre, device: Foreign) -> None:
    other = Foreign.enrolled(centre)
    other.thing(hlc="20991230T013000000Z-0000")
    (given,) = other.push()["restamped"]
    (op,) = [op for op in device.pull()["ops"] if op["stream"] == TOWN]
    assert (op["hlc"], op["merge_hlc"]) == ("20991230T013000000Z-0000", given["merge_hlc"])


def test_every_granted_stream_has_its_cursor_and_nothing_else_is_given(centre: Centre, device: Foreign) -> None:
    centre.thing(OTHER_TOWN)
    centre.record("office", "note.recorded", {})
    page = device.pull(cursors={OTHER_TOWN: 5, "office": 0, "no-such-stream": 1})
    assert set(page["cursors"]) == set(page["grants"]) == {"org", f"team-{_team(centre, device)}", TOWN}
    assert {op["stream"] for op in page["ops"]} == {"org"}


def _team(centre: Centre, device: Foreign) -> str:
    return json.loads(centre.states()[device.device])["team"]


def test_a_county_stands_for_its_towns_that_exist(centre: Centre, device: Foreign) -> None:
    centre.thing(TOWN), centre.thing(OTHER_TOWN), centre.thing(FAR_TOWN)
    centre.record("441225", "note.recorded", {})
    centre.grant(device.device, prefixes=["441225"])
    page = device.pull()
    assert {TOWN, OTHER_TOWN} < set(page["grants"])
    assert {op["stream"] for op in page["ops"]} == {"org", TOWN, OTHER_TOWN}
    device.thing(stream="441225999")
    device.thing(stream="4412259")
    device.thing(stream="441225９９９")
    assert [item["seq"] for item in device.push()["quarantined"]] == [2, 3]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_pages_of_any_size_miss_nothing_and_give_nothing_twice(centre: Centre, device: Foreign, limit: int) -> None:
    other = Foreign.enrolled(centre, TOWN, OTHER_TOWN)
    centre.grant(device.device, TOWN, OTHER_TOWN)
    for i in range(12):
        other.thing(stream=(TOWN, OTHER_TOWN)[i % 2], hlc="20201230T013000000Z-0000")
        device.thing(stream=(TOWN, OTHER_TOWN)[i % 2])
    device.push(1, 5), other.push(), device.push(6)
    ops = device.pull_all(limit)
    assert len(names(ops)) == len(set(names(ops)))
    assert {name for name in names(ops) if name.startswith(other.device)} == {
        f"{other.device}/{i + 1}" for i in range(12)
    }
    assert not [op for op in ops if op["device"] == device.device]
    for stream in (TOWN, OTHER_TOWN):
        numbers = [op["n"] for op in ops if op["stream"] == stream]
        assert numbers == sorted(numbers)


def test_a_page_full_of_equal_stamps_is_not_a_loop(centre: Centre, device: Foreign) -> None:
    authors = [Foreign.enrolled(centre) for _ in range(5)]
    for author in authors:
        author.thing(hlc="20201230T013000000Z-0000")
        author.push()
    ops = [op for op in device.pull_all(limit=2) if op["stream"] == TOWN]
    assert [op["n"] for op in ops] == [1, 2, 3, 4, 5]
    assert {op["hlc"] for op in ops} == {"20201230T013000000Z-0000"}


def test_the_cursor_passes_over_own_ops(centre: Centre, device: Foreign) -> None:
    for _ in range(3):
        device.thing()
    device.push()
    page = device.pull(epoch=device.pull()["epoch"], cursors={TOWN: 1})
    assert page["cursors"][TOWN] == 3
    assert not page["more"]


def test_a_big_page_is_cut_by_its_bytes(centre: Centre, device: Foreign) -> None:
    for _ in range(50):
        centre.thing(text="x" * 60_000)
    page = device.pull(limit=5000)
    assert page["more"]
    assert len(json.dumps(page)) < server.PAGE_BYTES + 70_000
    assert len([op for op in device.pull_all(5000) if op["stream"] == TOWN]) == 50


def test_what_has_no_number_is_in_no_pull(centre: Centre, device: Foreign) -> None:
    other = Foreign.enrolled(centre)
    other.op("future.recorded", {})
    other.push()
    assert not [op for op in device.pull_all() if op["stream"] == TOWN]


def test_a_number_that_was_passed_never_gets_an_op_later(centre: Centre, device: Foreign) -> None:
    other = Foreign.enrolled(centre)
    held, thing = other.op("thing.updated", {"set": {"a": 1}}), other.thing()
    other.push()
    first = device.pull()
    centre.thing()
    with centre.begin() as conn:
        quarantine.release(conn, centre.app, other.device, 1, "looked at", uuid7(), centre.now())
    page = device.pull(epoch=first["epoch"], cursors=first["cursors"])
    assert [op["n"] for op in page["ops"] if op["stream"] == TOWN] == [2, 3, 4]
    assert {op["subject"] for op in page["ops"]} >= {held.subject}
    assert thing.subject not in {op["subject"] for op in page["ops"]}


def test_through_and_head_say_what_is_held_of_the_asker(centre: Centre, device: Foreign) -> None:
    assert (device.pull()["through"], device.pull()["head"]) == (0, ZERO)
    device.thing(), device.op("future.recorded", {})
    device.push()
    assert (device.pull()["through"], device.pull()["head"]) == (2, device.hash(2))


@pytest.mark.parametrize("epoch", [None, "", "another"])
def test_asked_with_another_epoch_all_cursors_are_nought(centre: Centre, device: Foreign, epoch: str | None) -> None:
    centre.thing()
    first = device.pull()
    again = device.pull(epoch=epoch, cursors=first["cursors"])
    assert names(again["ops"]) == names(first["ops"])
    assert device.pull(epoch=first["epoch"], cursors=first["cursors"])["ops"] == []


def test_a_cursor_beyond_the_stream_is_not_kept(centre: Centre, device: Foreign) -> None:
    epoch = device.pull()["epoch"]
    assert device.pull(epoch=epoch, cursors={TOWN: 99})["cursors"][TOWN] == 0
    centre.thing()
    assert device.pull(epoch=epoch, cursors={TOWN: 0})["cursors"][TOWN] == 1


def test_a_new_epoch_goes_on_as_another_device_under_the_same_key(centre: Centre, device: Foreign) -> None:
    before = centre.thing()
    with centre.begin() as conn:
        key, epoch = log.recall(conn, "private_key"), log.recall(conn, "epoch")
        assert server.new_epoch(conn, centre.now()) == log.recall(conn, "epoch") != epoch
        assert log.recall(conn, "private_key") == key
    after = centre.thing()
    assert after.op.device != before.op.device
    assert after.op.seq == 1
    assert after.clock > before.clock
    assert [op["device"] for op in device.pull()["ops"] if op["stream"] == TOWN] == [before.op.device, after.op.device]
    with centre.begin() as conn:
        assert chains.verify(conn) == []


def test_what_a_device_says_of_itself_is_kept(centre: Centre, device: Foreign) -> None:
    status = {"version": "1", "waiting": 3, "clock": "陈\ud800", "load": 0.5}
    centre.clock += timedelta(minutes=1)
    device.pull(status=status)
    device.pull()
    with centre.begin() as conn:
        row = conn.execute(tables.device.select().where(tables.device.c.id == device.device)).one()
    assert json.loads(row.status) == status | {"through_then": 0}
    assert row.seen_at == centre.clock.isoformat()


def test_a_status_is_bounded(centre: Centre, device: Foreign) -> None:
    with expect_problem("malformed"):
        device.pull(status={"t": "x" * 5000})


def test_a_token_first_then_the_size(centre: Centre, device: Foreign) -> None:
    with expect_problem("unauthorized"):
        centre.answer("pull", b"x" * 5_000_000, "wrong")
    with expect_problem("too-large"):
        centre.answer("pull", b"x" * 5_000_000, device.token)


def test_a_laptop_of_another_version_is_told_the_centres(centre: Centre, device: Foreign) -> None:
    """And remembers it until they are the same again; who says nothing of itself is told nothing."""

    def asked(**status: str) -> object:
        raw = json.dumps({"cursors": {}, **({"status": status} if status else {})}).encode()
        return server.pull(centre.begin, centre.app, device.token, raw, centre.now(), "2.0").get("version")

    assert asked(version="1.9") == "2.0"
    assert asked(version="2.0") is None
    assert asked(waiting="3") is None
    assert asked() is None
