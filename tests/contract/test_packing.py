"""Clients with a dictionary, with zstd alone, with gzip alone, with nothing: all are served, each in what it reads."""

from __future__ import annotations

import json

import pytest

from sync import dictionary
from sync.wire import unpack
from tests.contract.bodies import register
from tests.contract.conftest import one_database
from tests.support.client import Device, Refused, encode

MIB_OF_ZEROS = bytes(1024 * 1024)


def ask(device: Device, name: str, document: object, *, known: int = 1) -> tuple[str | None, dict[str, object]]:
    """One request in the coding of our own two ends; the answer's coding and document."""
    return send(device, name, dictionary.pack(encode(document), known), known)


def send(device: Device, name: str, data: bytes, known: int) -> tuple[str | None, dict[str, object]]:
    headers = {"Content-Encoding": dictionary.coding(known)}
    answer = device.line.send(name, data, token=device.token, headers=headers, accept="")
    packing = answer.headers.get("Content-Encoding")
    return packing, json.loads(unpack(answer.raw, packing))


@one_database
def test_who_asks_with_a_dictionary_is_answered_with_it(device: Device, town: str) -> None:
    register(device, town)
    packing, answer = ask(device, "push", device.request())
    assert (packing, answer["through"]) == ("aid-1", 1)
    packing, answer = ask(device, "pull", {"dictionary": 1})
    assert (packing, answer["dictionary"]) == ("aid-1", 1)


@pytest.mark.parametrize(("told", "said"), [(1, 1), (99, dictionary.NEWEST), (0, None), (-3, None), ("1", None)])
@one_database
def test_the_newest_that_both_know_is_said(device: Device, told: object, said: int | None) -> None:
    assert device.pull(dictionary=told).get("dictionary") == said


@one_database
def test_who_does_not_ask_hears_nothing_of_it(device: Device) -> None:
    assert "dictionary" not in device.pull()
    answer = device.line.send("pull", encode({"dictionary": 1}), token=device.token, accept="gzip")
    assert answer.headers.get("Content-Encoding") in (None, "gzip")


@one_database
def test_a_dictionary_that_the_server_does_not_have(device: Device, town: str) -> None:
    register(device, town)
    with pytest.raises(Refused) as caught:
        device.line.ask("push", device.request(), token=device.token, headers={"Content-Encoding": "aid-99"})
    assert (caught.value.status, caught.value.name) == (422, "malformed")
    assert device.push()["through"] == 1


@one_database
def test_a_bomb_with_a_dictionary_does_not_go_off(device: Device) -> None:
    packing, problem = send(device, "push", dictionary.pack(MIB_OF_ZEROS * 100, 1), 1)
    assert (packing, problem["type"]) == ("aid-1", "urn:aidvisit:problem:too-large")


@one_database
def test_a_body_that_is_damaged_is_a_problem(device: Device, town: str) -> None:
    register(device, town)
    packed = dictionary.pack(encode(device.request()), 1)
    for harmed in (packed[:-9], b"\xff\xff" + packed[2:], b""):
        _, problem = send(device, "push", harmed, 1)
        assert problem["type"] == "urn:aidvisit:problem:malformed"
    assert device.push()["through"] == 1


@pytest.mark.parametrize("packing", [None, "gzip", "zstd"])
@one_database
def test_a_client_without_a_dictionary_works_as_ever(device: Device, town: str, packing: str | None) -> None:
    for _ in range(9):
        register(device, town)
    data = encode(device.request())
    answer = device.line.send("push", data, token=device.token, packing=packing, accept=packing or "")
    assert answer.document["through"] == 9
    answer = device.line.send("pull", b"{}", token=device.token, accept=packing or "")
    assert answer.headers.get("Content-Encoding") == packing
