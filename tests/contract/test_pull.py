"""POST pull: order, pages, cursors, epochs, grants, and the digest of what was pulled (docs/protocol.md 2, 3)."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from tests.contract.bodies import SALT, deliver, household, register
from tests.contract.conftest import COUNTY, TOWN, Office
from tests.support.client import Device, Document, clock, digest, hlc, new_id, now_ms, stream_digest


def numbers(ops: list[Document], stream: str) -> list[int]:
    return [op["n"] for op in ops if op["stream"] == stream]


def test_the_answer_has_every_member(device: Device) -> None:
    page = device.pull()
    assert set(page) >= {"epoch", "grants", "server_time", "through", "head", "ops", "cursors", "more"}
    assert page["epoch"] == device.epoch
    assert (page["through"], page["head"]) == (0, "0" * 64)
    assert page["server_time"].endswith("Z")
    assert set(page["cursors"]) == set(page["grants"])


def test_a_stream_that_cursors_does_not_name_starts_at_zero(device: Device, other: Device, town: str) -> None:
    register(other, town)
    other.push()
    cursors = device.here()
    ops, _ = device.pull_all({name: n for name, n in cursors.items() if name != town})
    assert [(op["stream"], op["n"]) for op in ops] == [(town, 1)]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_are_gapless_and_rising(device: Device, other: Device, town: str, limit: int) -> None:
    start = device.here()
    for _ in range(8):
        register(other, town)
    other.push()
    cursors, seen = start, []
    while True:
        page = device.pull(cursors, limit=limit)
        assert len(page["ops"]) <= limit
        assert all(op["n"] <= page["cursors"][op["stream"]] for op in page["ops"])
        seen += numbers(page["ops"], town)
        assert all(page["cursors"].get(name, 0) >= n for name, n in cursors.items())
        cursors = page["cursors"]
        if not page["more"]:
            break
    assert seen == list(range(1, 9))
    assert device.pull(cursors)["ops"] == []


def test_own_ops_are_left_out_and_the_cursor_passes_over_them(device: Device, other: Device, town: str) -> None:
    start = device.here()
    register(device, town)
    register(device, town)
    device.push()
    register(other, town)
    other.push()
    register(device, town)
    device.push()
    ops, cursors = device.pull_all(start, limit=1)
    assert [(op["device"], op["n"]) for op in ops if op["stream"] == town] == [(other.id, 3)]
    assert cursors[town] == 4
    ops, _ = other.pull_all({**start, town: 0}, limit=2)
    assert numbers(ops, town) == [1, 2, 4]


def test_only_own_ops_move_the_cursor_too(device: Device, town: str) -> None:
    start = device.here()
    for _ in range(5):
        register(device, town)
    device.push()
    ops, cursors = device.pull_all(start, limit=1)
    assert (ops, cursors[town]) == ([], 5)


def test_once_a_cursor_was_answered_nothing_comes_below_it(device: Device, other: Device, town: str) -> None:
    """What is let go later is numbered then, not where it would have stood."""
    house = new_id()
    deliver(device, town, house)
    device.push()
    register(other, town)
    other.push()
    reader_cursors = other.here()
    other.say(
        town, "household.closed", {"reason": "other", "date": "2020-12-30", "salt": SALT}, other.log[0]["subject"]
    )
    other.say(town, "household.registered", household(town), house)
    other.push()
    ops, _ = other.pull_all(reader_cursors)
    assert min(numbers(ops, town)) > reader_cursors[town]


@pytest.mark.parametrize("epoch", [None, "absent", "0192f3a0-0000-7000-8000-0000000000ff", "not an epoch"])
def test_another_epoch_or_none_starts_everything_at_zero(
    device: Device, other: Device, town: str, epoch: str | None
) -> None:
    register(other, town)
    other.push()
    cursors = device.here()
    document = {"cursors": cursors, "limit": 5000} | ({} if epoch == "absent" else {"epoch": epoch})
    page = device.line.ask("pull", document, token=device.token)
    assert page["epoch"] == device.epoch
    assert (page["ops"][0]["stream"], page["ops"][0]["n"]) == ("org", 1)
    assert device.pull(cursors)["ops"] == []


def test_cursors_of_what_is_not_granted_are_ignored(office: Office, device: Device, town: str) -> None:
    register(device, town)
    device.push()
    stranger = office.laptop(office.idle_team)
    foreign = {town: 0, TOWN: 0, "office": 0, "no-such-stream": 3, f"team-{office.county_team}": 0}
    ops, cursors = stranger.pull_all(foreign)
    granted = {"org", f"team-{office.idle_team}"}
    assert set(stranger.pull(foreign)["grants"]) == granted
    assert set(cursors) == granted
    assert {op["stream"] for op in ops} <= granted


def test_grants_of_a_team_with_a_town(office: Office) -> None:
    device = office.laptop(office.town_team)
    assert set(device.grants) == set(device.pull()["grants"]) == {"org", f"team-{office.town_team}", TOWN}


def test_grants_of_a_team_with_a_county(office: Office, device: Device, town: str) -> None:
    """A county is never listed itself, only its towns that exist; a neighbour's town is not among them."""
    register(device, town)
    device.push()
    grants = set(device.pull()["grants"])
    assert grants >= {"org", f"team-{office.county_team}", town}
    towns = {name for name in grants if name.isdigit()}
    assert all(len(name) == 9 and name.startswith(COUNTY) for name in towns)


def test_the_people_of_a_team_reach_that_team_alone(office: Office) -> None:
    login = f"user-{new_id()}"
    of_team = ("--login", login, "--name", "邓若谷", "--role", "volunteer", "--team", office.town_team)
    user = office.centre.command("central", "user", "add", *of_team, "--password-stdin", stdin="a long password\n")
    one, stranger = office.laptop(office.town_team), office.laptop(office.idle_team)
    said = [op for op in one.pull_all()[0] if op["kind"] == "user.defined" and op["subject"] == user["user"]]
    assert [(op["stream"], op["body"]["login"]) for op in said] == [(f"team-{office.town_team}", login)]
    assert "long password" not in str(said)
    assert login not in str(stranger.pull_all()[0])


def test_ops_arrive_as_they_were_said(device: Device, other: Device, town: str) -> None:
    start = other.here()
    house = register(device, town)
    deliver(device, town, house)
    device.push()
    ops, _ = other.pull_all(start)
    assert [digest(op) for op in ops if op["stream"] == town] == [digest(op) for op in device.log]


def test_digest_of_what_was_pulled_is_the_centres(office: Office, device: Device, other: Device, town: str) -> None:
    """Two replicas that hold the same numbered ops have the same digest: own ops, wrong clocks, releases and all."""
    house = new_id()
    deliver(device, town, house)
    register(device, town, at=hlc(now_ms() + 86_400_000))
    device.say(town, "cow.milked", {})
    device.push()
    other.say(town, "household.registered", household(town), house)
    register(other, town)
    other.push()
    newcomer = office.laptop()
    said = office.centre.command("digest")
    for reader in (device, other, newcomer):
        lines: dict[str, list[tuple[str, int, str, str]]] = defaultdict(list)
        for op in reader.pull_all(limit=500)[0]:
            lines[op["stream"]].append((op["device"], op["seq"], digest(op), clock(op)))
        kept_out = {told["seq"] for told in reader.push()["quarantined"]} if reader.log else set()
        for op in reader.log:
            if op["seq"] not in kept_out:
                merged = reader.restamped.get(op["seq"], op["hlc"])
                lines[op["stream"]].append((reader.id, op["seq"], digest(op), merged))
        assert len(lines[town]) == 5
        assert {stream: stream_digest(held) for stream, held in lines.items()}.items() <= said.items()


def test_what_the_centre_says_has_numbers_and_clocks_that_rise(device: Device) -> None:
    ops = [op for op in device.pull_all(limit=5000)[0] if op["stream"] == "org"]
    assert numbers(ops, "org") == list(range(1, len(ops) + 1))
    assert ops[-1]["device"] == device.server["device"]
    assert all(clock(one) < clock(two) for one, two in pairwise(ops))
