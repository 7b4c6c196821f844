"""The independent client computes what docs/protocol-vectors.json says: both are read from the page alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.client import (
    TRAVELLING,
    ZERO,
    canonical,
    chain,
    check_answer,
    check_receipt,
    digest,
    public_of,
    sign,
    stream_digest,
    verify,
)

PATH = Path(__file__).parents[2] / "docs" / "protocol-vectors.json"
DEVICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SERVER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


def test_canonical_bytes_digests_and_chain(vectors: dict[str, Any]) -> None:
    head = ZERO
    for each in vectors["ops"]:
        assert canonical(each["op"]).decode() == each["canonical"]
        assert digest(each["op"]) == each["digest"]
        head = chain(head, each["digest"])
        assert head == each["hash"]


def test_push_carries_the_same_ops_and_is_signed(vectors: dict[str, Any]) -> None:
    push = vectors["push"]
    assert push["ops"] == [{name: each["op"][name] for name in TRAVELLING} for each in vectors["ops"]]
    assert push["head"] == vectors["ops"][-1]["hash"]
    text = f"aidvisit-push-1:{push['device']}:3:{push['head']}"
    assert sign(DEVICE_KEY, text) == push["sig"]
    assert public_of(DEVICE_KEY) == vectors["device_public_key"]
    verify(vectors["device_public_key"], text, push["sig"])


def test_receipt_is_the_servers(vectors: dict[str, Any]) -> None:
    assert public_of(SERVER_KEY) == vectors["server_public_key"]
    check_receipt(vectors["server_public_key"], vectors["receipt"])
    with pytest.raises(InvalidSignature):
        check_receipt(vectors["server_public_key"], vectors["receipt"] | {"through": 4})


def test_an_answer_is_the_servers(vectors: dict[str, Any]) -> None:
    answer = vectors["answer"]
    check_answer(vectors["server_public_key"], answer["nonce"], answer["body"].encode(), answer["signature"])
    assert sign(SERVER_KEY, answer["text"]) == answer["signature"]
    with pytest.raises(InvalidSignature):
        check_answer(vectors["server_public_key"], "A" * 16, answer["body"].encode(), answer["signature"])


def test_stream_digest(vectors: dict[str, Any]) -> None:
    ops = [(each["op"]["device"], each["op"]["seq"], each["digest"], each["op"]["hlc"]) for each in vectors["ops"]]
    assert stream_digest(reversed(ops)) == vectors["stream_digest"]["hex"]
