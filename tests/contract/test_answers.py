"""Who asks with a nonce learns who answered; who asks without sees no difference (docs/protocol.md section 7)."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature

from tests.contract.bodies import register
from tests.contract.conftest import Office, one_database
from tests.support.client import Answer, Device, Document, b64, check_answer, encode, new_id, public_of
from tests.support.client import Ed25519PrivateKey as Key

NONCE = b64(bytes(range(12)))


def check(device: Device, answer: Answer, nonce: str = NONCE) -> None:
    check_answer(device.server["public_key"], nonce, answer.data, answer.headers["Aidvisit-Signature"])


def ask(device: Device, name: str, document: Document | bytes, nonce: str = NONCE, **how: object) -> Answer:
    data = document if isinstance(document, bytes) else encode(document)
    how.setdefault("token", device.token)
    return device.line.send(name, data, headers={"Aidvisit-Nonce": nonce}, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("accept", ["", "gzip", "zstd"])
def test_answers_are_signed_before_they_are_packed(device: Device, town: str, accept: str) -> None:
    register(device, town)
    for name, document in (("pull", {"limit": 100}), ("push", device.request())):
        answer = ask(device, name, document, accept=accept)
        assert answer.status == 200
        check(device, answer)


def test_an_enrolment_is_signed_by_the_key_that_it_names(office: Office) -> None:
    request = {"name": "n", "public_key": public_of(Key.generate()), "code": office.centre.code(office.county_team)}
    answer = office.line().send("enrol", encode(request), headers={"Aidvisit-Nonce": NONCE})
    assert answer.status == 201
    key = answer.document["server"]["public_key"]
    check_answer(key, NONCE, answer.data, answer.headers["Aidvisit-Signature"])


def test_refusals_are_signed_too(office: Office, device: Device, town: str) -> None:
    register(device, town)
    wrong = {"name": "n", "public_key": public_of(Key.generate()), "code": "00000-00000"}
    stranger = device.request() | {"device": new_id()}
    refusals = [
        (401, ask(device, "pull", {}, token="wrong")),
        (401, ask(device, "push", stranger)),
        (403, ask(device, "enrol", wrong, token=None)),
        (401, ask(device, "elsewhere", {})),
        (413, ask(device, "push", b" " * (5 * 1024 * 1024))),
        (422, ask(device, "push", b"{")),
    ]
    office.centre.sql("UPDATE sync_device SET revoked = :yes WHERE id = :id", yes=True, id=device.id)
    refusals.append((403, ask(device, "pull", {})))
    for status, answer in refusals:
        assert answer.status == status
        check(device, answer)


def test_a_signature_is_for_one_nonce_and_one_answer(device: Device) -> None:
    answer = ask(device, "pull", {})
    with pytest.raises(InvalidSignature):
        check(device, answer, b64(bytes(12)))
    other = ask(device, "pull", {"limit": 1})
    with pytest.raises(InvalidSignature):
        check_answer(device.server["public_key"], NONCE, other.data, answer.headers["Aidvisit-Signature"])


@pytest.mark.parametrize("nonce", ["", "A" * 15, "A" * 17, "A" * 15 + ":", "A" * 15 + "=", "aidvisit-receipt-1:x"])
@one_database
def test_nothing_else_is_signed(device: Device, nonce: str) -> None:
    answer = ask(device, "pull", {}, nonce)
    assert answer.status == 200
    assert "Aidvisit-Signature" not in answer.headers


@one_database
def test_who_asks_without_a_nonce_sees_no_difference(device: Device) -> None:
    plain = device.line.send("pull", encode({}), token=device.token)
    signed = ask(device, "pull", {})
    assert "Aidvisit-Signature" not in plain.headers
    assert set(signed.headers) - set(plain.headers) == {"Aidvisit-Signature"}
    assert set(plain.document) == set(signed.document)


@one_database
def test_what_it_costs(device: Device) -> None:
    """The numbers that docs/protocol.md gives: bytes in each direction of a round trip."""
    up = f"Aidvisit-Nonce: {NONCE}\r\n"
    down = f"Aidvisit-Signature: {ask(device, 'pull', {}).headers['Aidvisit-Signature']}\r\n"
    assert (len(up), len(down)) == (34, 108)
