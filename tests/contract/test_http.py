"""What holds for every request: packing, limits, tokens, the shape of a refusal (docs/protocol.md section 3)."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

import pytest
import zstandard

from tests.contract.bodies import household, register
from tests.contract.conftest import Office, one_database
from tests.support.client import Device, Document, Line, Refused, encode, new_id, pack

MAX_BYTES = 4 * 1024 * 1024
MIB_OF_ZEROS = bytes(1024 * 1024)


@pytest.mark.parametrize("packing", [None, "gzip", "zstd", "identity"])
@one_database
def test_requests_may_be_packed(device: Device, town: str, packing: str | None) -> None:
    for _ in range(5):
        register(device, town)
    assert device.push(packing=packing)["through"] == 5
    assert device.line.ask("pull", {}, token=device.token, packing=packing)["through"] == 5


@pytest.mark.parametrize(
    ("accept", "allowed"),
    [
        ("zstd", {"zstd"}),
        ("gzip", {"gzip"}),
        ("zstd, gzip", {"zstd", "gzip"}),
        ("gzip;q=0.5, br", {"gzip", None}),
        ("identity", {None}),
        ("", {None}),
        ("br, deflate", {None}),
        ("gzip;q=0, zstd;q=0.0", {None}),
    ],
)
@one_database
def test_answers_are_packed_as_accepted(device: Device, accept: str, allowed: set[str | None]) -> None:
    answer = device.line.send("pull", encode({"limit": 100}), token=device.token, accept=accept)
    assert answer.headers.get("Content-Encoding") in allowed
    assert len(answer.document["ops"]) == 100
    if allowed != {None}:
        assert len(answer.raw) < len(answer.data) / 2 or None in allowed


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("harm", ["damaged", "cut short", "not packed"])
@one_database
def test_damaged_packing_is_a_problem(device: Device, town: str, packing: str, harm: str) -> None:
    register(device, town)
    data = encode(device.request())
    if harm != "not packed":
        packed = pack(data, packing)
        data = packed[:-9] if harm == "cut short" else b"\x00\xff" + packed[2:]
    refused(device, 422, "malformed", data, headers={"Content-Encoding": packing})


@one_database
def test_packing_that_nobody_speaks_is_a_problem(device: Device, town: str) -> None:
    register(device, town)
    with pytest.raises(Refused) as caught:
        device.push(headers={"Content-Encoding": "br"})
    assert 400 <= caught.value.status < 500
    assert device.pull()["through"] == 0


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("name", ["push", "pull", "enrol"])
@one_database
def test_a_bomb_does_not_go_off(office: Office, device: Device, packing: str, name: str) -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31) if packing == "gzip" else zstandard.ZstdCompressor().compressobj()
    bomb = b"".join(packer.compress(MIB_OF_ZEROS) for _ in range(100)) + packer.flush()
    assert len(bomb) < MAX_BYTES
    before, started = peak_mib(office), time.monotonic()
    refused(device, 413, "too-large", bomb, name=name, headers={"Content-Encoding": packing})
    assert time.monotonic() - started < 5
    assert peak_mib(office) - before < 40


def peak_mib(office: Office) -> int:
    """The most memory that the server ever held; 0 where the system does not tell."""
    assert office.centre.process is not None
    status = Path(f"/proc/{office.centre.process.pid}/status")
    if not status.exists():
        return 0
    return int(next(each for each in status.read_text().splitlines() if each.startswith("VmHWM")).split()[1]) // 1024


@pytest.mark.parametrize("packing", [None, "zstd"])
@one_database
def test_four_mebibytes_are_the_limit(device: Device, town: str, packing: str | None) -> None:
    register(device, town)
    document = device.request()
    room = MAX_BYTES - len(encode({**document, "padding": ""}))
    problem = refused(device, 413, "too-large", encode({**document, "padding": "x" * (room + 1)}), packing=packing)
    assert (problem.document["max_ops"], problem.document["max_bytes"]) == (1000, MAX_BYTES)
    assert device.send(encode({**document, "padding": "x" * room}), packing=packing)["through"] == 1


@one_database
def test_a_body_far_too_long_is_too_large(device: Device) -> None:
    refused(device, 413, "too-large", b" " * (2 * MAX_BYTES - 1))
    assert device.line.send("push", b" " * (5 * MAX_BYTES), token=device.token).status == 413


def test_a_thousand_ops_are_the_limit(office: Office) -> None:
    device = office.laptop(office.idle_team)
    for _ in range(1001):
        device.say("office", "access.recorded", {"what": "export"})
    problem = refused(device, 413, "too-large", encode(device.request()))
    assert (problem.document["max_ops"], problem.document["max_bytes"]) == (1000, MAX_BYTES)
    assert device.push(1, 1000)["through"] == 1000
    assert device.push(1001)["through"] == 1001


@pytest.mark.parametrize("name", ["push", "pull"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer " + "A" * 43},
        {"Authorization": "Bearer é".encode("latin-1").decode("latin-1")},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
    ],
)
@one_database
def test_no_or_a_wrong_token(device: Device, name: str, headers: Document) -> None:
    with pytest.raises(Refused) as caught:
        device.line.ask(name, device.request() if name == "push" else {}, headers=headers)
    assert (caught.value.status, caught.value.name) == (401, "unauthorized")


def test_the_device_must_be_the_tokens(device: Device, other: Device, town: str) -> None:
    register(other, town)
    with pytest.raises(Refused) as caught:
        device.line.ask("push", other.request(), token=device.token)
    assert (caught.value.status, caught.value.name) == (401, "unauthorized")
    assert other.pull()["through"] == 0


@pytest.mark.parametrize("name", ["push", "pull"])
def test_a_revoked_device_gets_and_gives_nothing(office: Office, device: Device, town: str, name: str) -> None:
    register(device, town)
    office.centre.sql("UPDATE sync_device SET revoked = :yes WHERE id = :id", yes=True, id=device.id)
    refused(device, 403, "device-revoked", device.request() if name == "push" else {}, name=name)


def test_the_token_comes_before_everything_else(line: Line) -> None:
    for data in (b"{", b" " * (MAX_BYTES + 1)):
        with pytest.raises(Refused) as caught:
            line.ask("push", data, token="A" * 43)
        assert caught.value.name == "unauthorized"


@one_database
def test_size_comes_before_form(device: Device) -> None:
    refused(device, 413, "too-large", b"{" * (MAX_BYTES + 1))
    nothing = {"device": device.id, "from": 1, "prev": "?", "ops": [{}] * 1001, "head": "?", "sig": "?"}
    refused(device, 413, "too-large", nothing)


def test_members_that_nobody_knows_are_ignored(device: Device, town: str) -> None:
    register(device, town)
    assert device.send({**device.request(), "later": {"any": [1.5, None]}})["through"] == 1
    status = {"version": "9.9", "waiting": 0, "blobs_waiting": 0, "disk_free_bytes": 1, "clock": "?", "later": [1]}
    assert device.pull(status=status, later={"x": 1})["through"] == 1


@pytest.mark.parametrize(
    "document",
    [
        {"limit": 0},
        {"limit": 5001},
        {"limit": -1},
        {"limit": True},
        {"limit": "100"},
        {"limit": 1.0},
        {"cursors": []},
        {"cursors": {"org": -1}},
        {"cursors": {"org": "1"}},
        {"cursors": {"org": None}},
        {"cursors": {"org": 2**63}},
        [],
        "pull",
    ],
)
@one_database
def test_a_pull_that_is_not_well_formed(device: Device, document: object) -> None:
    with pytest.raises(Refused) as caught:
        device.line.ask("pull", document, token=device.token)
    assert (caught.value.status, caught.value.name) == (422, "malformed")
    assert caught.value.document["detail"]


@pytest.mark.parametrize("limit", [1, 5000])
def test_limits_of_a_page(device: Device, limit: int) -> None:
    assert 1 <= len(device.pull(limit=limit)["ops"]) <= limit


def test_a_database_that_is_held_by_somebody_is_unavailable(office: Office, device: Device, town: str) -> None:
    """Not an error of the laptop: it is told to come again, and nothing is half done."""
    register(device, town, at=None)
    device.say(town, "household.registered", household(town), new_id())
    with office.centre.connected() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT 1 FROM sync_device WHERE id = '{device.id}' FOR UPDATE")
        problem = refused(device, 503, "unavailable", device.request())
        connection.rollback()
    assert int(problem.headers["Retry-After"]) > 0
    assert device.pull()["through"] == 0
    assert device.push()["through"] == 2


def refused(device: Device, status: int, problem: str, sent: object, *, name: str = "push", **how: object) -> Refused:
    with pytest.raises(Refused) as caught:
        device.line.ask(name, sent, token=device.token, **how)
    assert (caught.value.status, caught.value.name) == (status, problem)
    return caught.value
