"""Wrong clocks: which ops get a merge clock from the server, and which one (docs/protocol.md section 1, "Clock")."""

from __future__ import annotations

from tests.contract.bodies import register
from tests.contract.conftest import Office
from tests.support.client import Device, Document, clock, hlc, now_ms

MINUTE_MS = 60_000
YEAR_MS = 365 * 24 * 60 * MINUTE_MS


def stamps(answer: Document) -> dict[int, str]:
    return {told["seq"]: told["merge_hlc"] for told in answer["restamped"]}


def after(stamp: str) -> str:
    counter = int(stamp[-4:], 16)
    assert counter < 0xFFFF
    return f"{stamp[:-4]}{counter + 1:04x}"


def test_a_clock_a_year_ahead_does_not_win(device: Device, other: Device, town: str) -> None:
    cursors = other.here()
    ahead = hlc(now_ms() + YEAR_MS)
    register(device, town, at=ahead)
    before = now_ms()
    given = stamps(device.push())[1]
    assert hlc(before) < given <= hlc(now_ms(), 0xFFFF)
    op = next(op for op in other.pull_all(cursors)[0] if op["stream"] == town)
    assert (op["hlc"], op["merge_hlc"]) == (ahead, given), "the op itself is kept as it is"


def test_merge_clocks_rise_along_a_log(device: Device, other: Device, town: str) -> None:
    cursors = other.here()
    now = now_ms()
    for ms in (now - YEAR_MS, now + YEAR_MS, now + YEAR_MS, now + 2 * YEAR_MS, now - YEAR_MS, now, now + YEAR_MS):
        register(device, town, at=hlc(ms))
    given = stamps(device.push(1, 3)) | stamps(device.push(4, 7))
    assert set(given) == {2, 3, 4, 5, 6, 7}
    merged = [clock(op) for op in other.pull_all(cursors)[0] if op["stream"] == town]
    assert len(merged) == 7
    assert merged == sorted(set(merged))


def test_a_clock_behind_its_own_previous_op(device: Device, town: str) -> None:
    now = now_ms()
    for ms in (now - 3000, now - 5000, now - 2000):
        register(device, town, at=hlc(ms))
    given = stamps(device.push())
    assert set(given) == {2, 3}, "the third is behind the merge clock that the second got"
    assert hlc(now - 2000) < given[2] < given[3]


def test_the_same_clock_twice_is_not_later(device: Device, town: str) -> None:
    at = hlc(now_ms() - 1000)
    register(device, town, at=at)
    register(device, town, at=at)
    assert set(stamps(device.push())) == {2}


def test_a_clock_of_last_year_stands(device: Device, town: str) -> None:
    for ms in (now_ms() - YEAR_MS, now_ms() - YEAR_MS + 1):
        register(device, town, at=hlc(ms))
    assert stamps(device.push()) == {}


def test_five_minutes_ahead_are_forgiven(device: Device, town: str) -> None:
    register(device, town, at=hlc(now_ms() + 4 * MINUTE_MS))
    assert stamps(device.push()) == {}
    register(device, town, at=hlc(now_ms() + 6 * MINUTE_MS))
    assert set(stamps(device.push())) == {2}


def test_the_tick_is_after_the_latest_of_the_stream(device: Device, other: Device, town: str) -> None:
    """An edit is later than all that its author can have seen, also what came a little early."""
    early = hlc(now_ms() + 4 * MINUTE_MS, 7)
    register(other, town, at=early)
    other.push()
    register(device, town, at=hlc(now_ms() + YEAR_MS))
    assert stamps(device.push()) == {1: after(early)}


def test_the_tick_is_after_the_devices_previous_one(device: Device, town: str) -> None:
    elsewhere = f"{town[:6]}{int(town[6:]) - 400:03d}"
    early = hlc(now_ms() + 4 * MINUTE_MS, 7)
    register(device, town, at=early)
    register(device, elsewhere, at=hlc(now_ms() - YEAR_MS))
    device.push(1, 1)
    assert stamps(device.push(2, 2)) == {2: after(early)}


def test_a_full_counter_raises_the_millisecond(device: Device, town: str) -> None:
    ms = now_ms() + 4 * MINUTE_MS
    register(device, town, at=hlc(ms, 0xFFFF))
    register(device, town, at=hlc(ms, 0xFFFF))
    assert stamps(device.push()) == {2: hlc(ms + 1)}


def test_what_is_kept_out_has_a_merge_clock_too(device: Device, town: str) -> None:
    now = now_ms()
    device.say(town, "cow.milked", {}, at=hlc(now + YEAR_MS))
    register(device, town, at=hlc(now - YEAR_MS))
    given = stamps(device.push())
    assert given[1] < given[2]


def test_the_ends_of_time(device: Device, town: str) -> None:
    register(device, town, at="00010101T000000000Z-0000")
    register(device, town, at="99991231T235959999Z-ffff")
    given = stamps(device.push())
    assert 2 in given
    assert given[2] < hlc(now_ms() + MINUTE_MS)


def test_the_centres_own_ops_are_later_than_what_it_holds(office: Office, device: Device, town: str) -> None:
    """What the centre says of an op comes after it, though the laptop's clock was early."""
    register(device, town, at=hlc(now_ms() + 4 * MINUTE_MS))
    device.push()
    cursors = device.here()
    office.record("org", "device.renamed", device.id, {"name": "车 2"})
    said = [op for op in device.pull_all(cursors)[0] if op["kind"] == "device.renamed"]
    assert clock(said[0]) > device.log[0]["hlc"]
