"""Bundles: nothing of a file that is not whole, or not for here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from sync import bundle, bundle_field, log, tables
from sync.op import uuid7
from sync.problem import Problem
from tests.support.stick import answered, everything, exported, imported, lines, photo, plain, sealed, signed
from tests.support.toy import Centre, Laptop, connected, expect_problem, memory

TEAM = uuid7()


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, TEAM)


REFUSED = {"bundle-damaged", "bundle-not-ours"}


def refused(read: Callable[[bytes], object], data: bytes) -> str:
    with pytest.raises(Problem) as caught:
        read(data)
    return caught.value.name


def test_every_byte_that_is_altered_or_cut_away_refuses_the_whole_file(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    data = exported(laptop)
    before = everything(centre)
    for i in range(len(data)):
        altered = data[:i] + bytes([data[i] ^ (1 << i % 8)]) + data[i + 1 :]
        assert refused(lambda one: imported(centre, one), altered) in REFUSED, i
        assert refused(lambda one: imported(centre, one), data[:i]) in REFUSED, i
    assert refused(lambda one: imported(centre, one), data + b"\x00") in REFUSED
    assert everything(centre) == before
    _, answer = imported(centre, data)
    assert answer is not None
    before = everything(laptop)
    for i in range(len(answer)):
        altered = answer[:i] + bytes([answer[i] ^ (1 << i % 8)]) + answer[i + 1 :]
        assert refused(lambda one: answered(laptop, one), altered) in REFUSED, i
        assert refused(lambda one: answered(laptop, one), answer[:i]) in REFUSED, i
    assert everything(laptop) == before


def test_what_is_for_somebody_else_is_refused(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    data = exported(laptop)
    foreign = Centre(memory()).set_up()
    assert refused(lambda one: imported(foreign, one), data) == "bundle-not-ours"
    other = connected(centre, TEAM)
    answer = imported(centre, data)[1] or b""
    assert refused(lambda one: answered(other, one), answer) == "bundle-not-ours"
    assert refused(lambda one: imported(centre, one), answer) == "bundle-not-ours"  # the wrong way round
    assert refused(lambda one: answered(laptop, one), data) == "bundle-not-ours"


def test_another_centre_that_knows_the_recipient_is_not_believed(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(name="x")
    _, answer = imported(centre, exported(laptop))
    header, *rest = lines(laptop, answer or b"")
    foreign = Centre(memory()).set_up()
    assert refused(lambda one: answered(laptop, one), signed(foreign, laptop, header, rest)) == "bundle-not-ours"


@pytest.mark.parametrize("member", ["version", "device", "epoch", "sha256", "sig"])
def test_an_altered_header_of_an_answer(centre: Centre, laptop: Laptop, member: str) -> None:
    laptop.thing(name="x")
    _, answer = imported(centre, exported(laptop))
    header, *rest = lines(laptop, answer or b"")
    before = everything(laptop)
    for value in (None, 99, "x", uuid7(), "0" * 64):
        if member == "version" and isinstance(value, str):
            continue
        text = plain(laptop, answer or b"").partition(b"\n")[2]
        forged = sealed(laptop, json.dumps(header | {member: value}).encode() + b"\n" + text)
        assert refused(lambda one: answered(laptop, one), forged)
    assert everything(laptop) == before
    assert rest


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda header, push: [header | {"device": uuid7()}, push], "bundle-unknown-device"),
        (lambda header, push: [header | {"version": 2}, push], "bundle-newer"),
        (lambda header, push: [{k: v for k, v in header.items() if k != "version"}, push], "bundle-damaged"),
        (lambda header, push: [header, push | {"device": uuid7()}], "bundle-damaged"),
        (lambda header, push: [header, push, push | {"sig": push["sig"][:-4] + "AAAA"}], "bad-signature"),
        (lambda header, push: [header, push | {"head": "0" * 64}], "chain-broken"),
        (lambda header, push: [header, push | {"ops": push["ops"][:-1]}], "chain-broken"),
        (lambda header, push: [header, push, {"device": push["device"]}], "malformed"),
        (lambda header, push: [header, push, {"blob": "0" * 64, "bytes": 1}], "bundle-damaged"),
        (lambda header, push: [header, push, {"blob": "0" * 64, "bytes": 6 * 2**20}], "bundle-damaged"),
        (lambda header, push: [header, push, {"blob": "0" * 64, "bytes": -1}], "bundle-damaged"),
        (lambda header, push: [header, push, {"blob": 7}], "bundle-damaged"),
    ],
)
def test_one_wrong_line_refuses_all(centre: Centre, laptop: Laptop, change: Any, name: str) -> None:
    laptop.thing(name="x")
    laptop.thing(name="y")
    header, push = lines(centre, exported(laptop))
    before = everything(centre)
    assert refused(lambda one: imported(centre, one), sealed(centre, change(header, push))) == name
    assert everything(centre) == before


def test_a_blob_with_another_hash_refuses_all(centre: Centre, laptop: Laptop) -> None:
    photo(laptop, b"a photo")
    content = plain(centre, exported(laptop))
    before = everything(centre)
    assert refused(lambda one: imported(centre, one), sealed(centre, content.replace(b"a photo", b"another"))) == (
        "bundle-damaged"
    )
    assert refused(lambda one: imported(centre, one), sealed(centre, content[:-3])) == "bundle-damaged"
    assert everything(centre) == before


@pytest.mark.parametrize("content", [b"", b"\n", b"[]\n", b"null", b"{", b"\xff\n", b"x" * 100])
def test_what_is_no_bundle_inside(centre: Centre, laptop: Laptop, content: bytes) -> None:
    assert refused(lambda one: imported(centre, one), sealed(centre, content)) in {"bundle-damaged", "malformed"}
    assert refused(lambda one: answered(laptop, one), sealed(laptop, content)) in {"bundle-damaged", "malformed"}


@pytest.mark.parametrize("byte", [b"\x00", b"\n"])
def test_a_bomb_is_defused(centre: Centre, laptop: Laptop, byte: bytes) -> None:
    content = byte * 300_000_000
    header = json.dumps({"version": 1, "device": laptop.device, "epoch": None, "cursors": {}}).encode() + b"\n"
    data = sealed(centre, header + content)
    assert len(data) < 100_000
    assert refused(lambda one: imported(centre, one), data) in {"bundle-damaged", "malformed"}


def test_a_file_that_is_too_long_is_not_read(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_FILE", 1000)
    assert refused(lambda one: imported(centre, one), b"x" * 1001) == "bundle-too-large"


def test_what_holds_too_much_is_refused(centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop.thing(name="x")
    data = exported(laptop)
    monkeypatch.setattr(bundle, "MAX_INFLATED", 300)
    assert refused(lambda one: imported(centre, one), data) == "bundle-too-large"


def test_without_the_centres_recipient_nothing_is_exported(laptop: Laptop) -> None:
    with laptop.begin() as conn:
        log.remember(conn, server=log.recall(conn, "server") | {"age_recipient": None})
    with expect_problem("bundle-no-recipient"):
        exported(laptop)


def test_a_laptop_that_told_no_recipient_has_no_answer(centre: Centre, laptop: Laptop) -> None:
    with centre.begin() as conn:
        conn.execute(sa.update(tables.device).values(age_recipient=None))
    laptop.thing(name="x")
    taken, answer = imported(centre, exported(laptop))
    assert taken.received == 1
    assert answer is None


def test_what_the_disk_says_is_raised_as_it_is(centre: Centre, laptop: Laptop) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    laptop.thing(name="x")
    with laptop.begin() as conn, pytest.raises(OSError, match="No space left"):
        bundle_field.export(conn, Full())
