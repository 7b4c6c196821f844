"""What goes over the line: packing without bombs, documents with their members, problems that survive the trip."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import Any

import pytest
import zstandard

from sync.op import loads
from sync.problem import CATALOGUE, URN, Problem
from sync.wire import MAX_BYTES, MAX_OPS, PullRequest, PushRequest, load, pack, travelling_op, unpack
from tests.support.toy import expect_problem

TEXT = json.dumps({"ops": ["一队"] * 400}, ensure_ascii=False).encode()
PACKERS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "GZIP", " zstd "])
def test_what_is_packed_is_unpacked(encoding: str) -> None:
    assert unpack(PACKERS[encoding.strip().lower()](TEXT), encoding) == TEXT


@pytest.mark.parametrize("encoding", [None, "", "identity"])
def test_plain_is_plain(encoding: str | None) -> None:
    assert unpack(TEXT, encoding) == TEXT


def test_zstd_of_unknown_length_is_unpacked() -> None:
    stream = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    assert unpack(stream.compress(TEXT) + stream.flush(), "zstd") == TEXT


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, zstd", "x" * 1000])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    with expect_problem("malformed"):
        unpack(TEXT, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_exactly_the_limit_fits_and_one_byte_more_does_not(encoding: str) -> None:
    assert len(unpack(PACKERS[encoding](bytes(5000)), encoding, limit=5000)) == 5000
    with expect_problem("too-large"):
        unpack(PACKERS[encoding](bytes(5001)), encoding, limit=5000)
    with expect_problem("too-large"):
        unpack(bytes(5001), None, limit=5000)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_does_not_go_off(encoding: str) -> None:
    bomb = PACKERS[encoding](bytes(300 * 1024 * 1024))
    tracemalloc.start()
    with expect_problem("too-large"):
        unpack(bomb, encoding)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * MAX_BYTES


def test_a_zstd_window_as_large_as_the_machine_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with expect_problem("malformed"):
        unpack(stream.compress(TEXT) + stream.flush(), "zstd")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_cut_stream_is_refused_wherever_it_is_cut(encoding: str) -> None:
    packed = PACKERS[encoding](TEXT)
    for length in {0, 1, 5, len(packed) // 2, len(packed) - 1}:
        with expect_problem("malformed"):
            unpack(packed[:length], encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_damage_is_refused(encoding: str) -> None:
    with expect_problem("malformed"):
        unpack(b"this is not packed at all", encoding)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("zstd, gzip", "zstd"),
        ("gzip", "gzip"),
        ("gzip;q=0.5", "gzip"),
        ("GZIP ; q=1.0", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("zstd;q=0.0, br", None),
        ("", None),
        (None, None),
    ],
)
def test_an_answer_is_packed_as_the_asker_accepts(accepted: str | None, encoding: str | None) -> None:
    data, chosen = pack(TEXT, accepted)
    assert chosen == encoding
    assert unpack(data, chosen) == TEXT
    assert encoding is None or len(data) < len(TEXT)


def test_a_small_answer_stays_plain() -> None:
    assert pack(b"{}", "zstd, gzip") == (b"{}", None)


# --- documents -----------------------------------------------------------------------------------------------

PUSH = {
    "device": "0192f3a0-0000-7000-8000-000000000001", "from": 1, "prev": "0" * 64, "ops": [{}], "head": "a" * 64,
    "sig": "x",
}  # fmt: skip
ITEM = {
    "stream": "org", "hlc": "20201230T013000000Z-0000", "actor": "a", "kind": "k", "v": 1, "subject": "s", "body": {},
}  # fmt: skip


def test_members_that_are_not_known_are_ignored() -> None:
    assert "later" not in load(PushRequest, PUSH | {"later": {"deep": 0.5}})
    assert load(PullRequest, {"later": 1})["limit"] == 1000


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("device", "x"), ("device", None), ("from", 0), ("from", -1), ("from", True), ("from", "1"), ("from", 1.0),
        ("from", 2**53), ("prev", "0" * 63), ("prev", "A" * 64), ("prev", "0" * 64 + "\n"), ("ops", []), ("ops", {}),
        ("ops", ["op"]), ("ops", None), ("head", 1), ("sig", None), ("sig", 5),
    ],
)  # fmt: skip
def test_a_push_with_a_wrong_member_is_malformed(member: str, value: Any) -> None:
    load(PushRequest, PUSH)
    with expect_problem("malformed"):
        load(PushRequest, PUSH | {member: value})
    with expect_problem("malformed"):
        load(PushRequest, {name: kept for name, kept in PUSH.items() if name != member})


@pytest.mark.parametrize(
    "document",
    [
        {"cursors": {"org": -1}}, {"cursors": {"org": "1"}}, {"cursors": {"org": True}}, {"cursors": []},
        {"cursors": {"org": 1.5}}, {"limit": 0}, {"limit": 5001}, {"limit": "5"}, {"limit": None}, {"epoch": 5},
        {"status": "fine"}, [], "text", None, 5,
    ],
)  # fmt: skip
def test_a_pull_with_a_wrong_member_is_malformed(document: Any) -> None:
    with expect_problem("malformed"):
        load(PullRequest, document)


def test_exactly_the_seven_fields_travel() -> None:
    device = PUSH["device"]
    assert travelling_op(str(device), 7, ITEM).name == f"{device}/7"  # type: ignore[union-attr]
    for item in (ITEM | {"device": device}, ITEM | {"seq": 7}, ITEM | {"\ud800": 1}, {}, {"stream": "org"}):
        with expect_problem("malformed") as caught:
            travelling_op(str(device), 7, item)
        caught[0].detail.encode()


def test_what_was_erased_travels_as_its_digest() -> None:
    assert travelling_op("d", 7, {"erased": "ab" * 32}) == "ab" * 32
    for digest in ("AB" * 32, "ab" * 31, None, 1, "ab" * 32 + "\n"):
        with expect_problem("malformed"):
            travelling_op("d", 7, {"erased": digest})
    with expect_problem("malformed"):
        travelling_op("d", 7, {"erased": "ab" * 32, "hlc": "x"})


# --- problems ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_problem_survives_the_trip(name: str) -> None:
    sent = Problem(name, "why it is so", seq=77, through=5, retry_after=9, max_ops=MAX_OPS)
    arrived = Problem.from_dict(loads(json.dumps(sent.to_dict()).encode()))
    assert (arrived.name, arrived.detail, arrived.members) == (name, "why it is so", sent.members)
    assert arrived.status == sent.status == sent.to_dict()["status"]
    assert sent.to_dict()["type"] == URN + name
    assert arrived.retry_after == 9


@pytest.mark.parametrize("name", sorted(CATALOGUE))
@pytest.mark.parametrize("language", ["zh", "zh_Hans_CN", "en"])
def test_every_problem_has_words_also_when_members_are_missing(name: str, language: str) -> None:
    words = Problem(name).words(language)
    assert len(words) > 5
    assert "{" not in words


def test_members_of_any_name_are_carried() -> None:
    document = {"type": URN + "fork", "name": "laptop", "self": 1, "seq": 3, "kind": "x", "detail": None}
    assert Problem.from_dict(document).members["seq"] == 3


@pytest.mark.parametrize(
    "document", [{}, {"type": None}, {"type": URN + "from-the-future", "status": 418}, {"type": 5}]
)
def test_a_problem_that_this_version_does_not_know_is_the_servers(document: dict[str, Any]) -> None:
    problem = Problem.from_dict(document)
    assert problem.name == "server-error"
    assert problem.kind.retry


def test_a_problem_of_an_unknown_name_is_a_bug_and_stays_one() -> None:
    with pytest.raises(KeyError):
        Problem("no-such-problem")


def test_words_and_statuses_are_those_of_the_table() -> None:
    table = {
        "unauthorized": 401, "device-revoked": 403, "too-large": 413, "malformed": 422, "chain-broken": 422,
        "bad-signature": 422, "fork": 409, "gap": 409, "too-many-requests": 429, "unavailable": 503,
        "enrolment-code-invalid": 403, "too-many-attempts": 429,
    }  # fmt: skip
    assert {name: CATALOGUE[name].status for name in table} == table
