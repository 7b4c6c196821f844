"""What an answer to a sync says besides: what the protocol and safety need, and nothing else."""

from __future__ import annotations

import pytest

from tests.contract.conftest import one_database
from tests.support.client import Device, encode

NEEDED = {"content-type", "content-length", "date", "x-content-type-options"}


@pytest.mark.parametrize("name", ["push", "pull"])
@one_database
def test_an_answer_says_no_more_than_it_must(device: Device, name: str) -> None:
    answer = device.line.send(name, b"{}", token=device.token, accept="gzip")
    assert {each.lower() for each in answer.headers} - {"content-encoding"} == NEEDED


@one_database
def test_a_connection_is_kept(device: Device) -> None:
    assert "connection" not in {each.lower() for each in device.line.send("pull", encode({}), token="A" * 43).headers}
