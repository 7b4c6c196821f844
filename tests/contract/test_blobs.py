"""Photos and signatures over the line (docs/protocol.md section 3, blobs)."""

from __future__ import annotations

import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sync import quarantine
from tests.contract.bodies import delivery, register
from tests.contract.conftest import Office, one_database
from tests.support.client import Device, check_answer, enrol, new_id, pack

MAX_BLOB = 5 * 1024 * 1024


@dataclass
class Blob:
    """Bytes with their name, and the device that has an op which names them."""

    device: Device
    data: bytes

    @property
    def name(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def ask(self, method: str, data: bytes = b"", by: Device | None = None, **headers: str) -> requests.Response:
        asking = by or self.device
        url = f"{asking.line.url}blobs/{self.name}"
        shown = {"Authorization": f"Bearer {asking.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return requests.request(method, url, data=data, headers=shown, timeout=60)

    def head(self, by: Device | None = None) -> tuple[int, str | None, str | None]:
        found = self.ask("HEAD", by=by)
        return found.status_code, found.headers.get("Upload-Offset"), found.headers.get("Upload-Complete")

    def patch(self, start: int, end: int | None = None, by: Device | None = None, **more: str) -> requests.Response:
        headers = {"Upload_Offset": str(start), "Upload_Length": str(len(self.data))} | more
        return self.ask("PATCH", self.data[start:end], by, **headers)


def named(device: Device, town: str, size: int = 1000, **proof: Any) -> Blob:
    """A blob that an op of the device names, pushed."""
    made = Blob(device, secrets.token_bytes(size))
    said = {"as": "photo", "sha256": made.name, "bytes": size, "media_type": "image/jpeg"} | proof
    first = len(device.log) + 1
    device.say(town, "delivery.recorded", delivery(register(device, town), proofs=[said]))
    assert device.push(first)["quarantined"] == []
    return made


def problem_of(answer: requests.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    return answer.status_code, str(answer.json()["type"]).removeprefix("urn:aidvisit:problem:")


def test_an_upload_in_pieces(device: Device, other: Device, town: str) -> None:
    blob = named(device, town)
    assert blob.head() == (200, "0", None)
    for start, end in ((0, 300), (300, 301), (301, 999)):
        answer = blob.patch(start, end)
        assert (answer.status_code, answer.headers["Upload-Offset"], answer.content) == (204, str(end), b"")
        assert blob.head() == (200, str(end), None)
        assert problem_of(blob.ask("GET", by=other)) == (404, "not-found")
    assert blob.patch(999).headers["Upload-Offset"] == "1000"
    assert blob.head() == blob.head(other) == (200, "1000", "?1")
    got = blob.ask("GET", by=other)
    assert (got.status_code, got.content, got.headers["Content-Type"]) == (200, blob.data, "image/jpeg")


def test_a_wrong_offset_is_told_the_right_one(device: Device, town: str) -> None:
    blob = named(device, town)
    blob.patch(0, 400)
    for start, end in ((0, 400), (0, None), (399, 500), (401, 500), (1000, None)):
        answer = blob.patch(start, end)
        assert problem_of(answer) == (409, "offset-mismatch")
        assert answer.headers["Upload-Offset"] == "400"
        assert answer.json()["offset"] == 400
    assert blob.patch(400).status_code == 204
    again = blob.patch(400)
    assert (problem_of(again), again.headers["Upload-Offset"]) == ((409, "offset-mismatch"), "1000")
    assert blob.patch(1000).status_code == 204
    assert blob.ask("GET").content == blob.data


def test_what_has_another_hash_is_thrown_away(device: Device, town: str) -> None:
    blob = named(device, town)
    assert blob.patch(0, 400).status_code == 204
    wrong = bytes(600)
    headers = {"Upload_Offset": "400", "Upload_Length": "1000"}
    assert problem_of(blob.ask("PATCH", wrong, **headers)) == (422, "hash-mismatch")
    assert blob.head() == (200, "0", None)
    assert blob.patch(0).status_code == 204
    assert blob.head() == (200, "1000", "?1")


def test_what_no_op_names_is_not_found(office: Office, device: Device, other: Device, town: str) -> None:
    nobody = Blob(device, secrets.token_bytes(10))
    stranger = office.laptop(office.idle_team)
    mine = named(device, town)
    for method in ("HEAD", "GET"):
        assert nobody.ask(method).status_code == 404
        assert mine.ask(method, by=stranger).status_code == 404
    assert problem_of(nobody.patch(0)) == (404, "not-found")
    assert problem_of(mine.patch(0, by=other)) == (404, "not-found"), "an op of another device is none of this one"
    assert problem_of(mine.patch(0, by=stranger)) == (404, "not-found")
    assert mine.head(other) == (200, "0", None)
    mine.patch(0)
    assert mine.ask("GET", by=stranger).status_code == 404
    for odd in ("x", "0" * 63, mine.name.upper()):
        url = f"{device.line.url}blobs/{odd}"
        found = requests.get(url, headers={"Authorization": f"Bearer {device.token}"}, timeout=60)
        assert found.status_code == 404


def test_an_op_in_quarantine_names_it_for_its_own_device_alone(office: Office, town: str) -> None:
    held, reader = office.laptop(), office.laptop()
    blob = Blob(held, secrets.token_bytes(50))
    proof = {"as": "photo", "sha256": blob.name, "media_type": "image/jpeg"}
    held.say(town, "delivery.recorded", delivery(new_id(), proofs=[proof]))
    assert len(held.push()["quarantined"]) == 1
    assert blob.head(reader)[0] == 404
    assert blob.patch(0).status_code == 204
    assert blob.head() == (200, "50", "?1")
    assert blob.ask("GET", by=reader).status_code == 404
    assert office.decide(quarantine.release, held.id, 1)
    assert blob.ask("GET", by=reader).content == blob.data


def test_the_token_comes_first(office: Office, device: Device, town: str) -> None:
    blob = named(device, town)
    for method in ("HEAD", "GET", "PATCH"):
        answer = requests.request(method, f"{device.line.url}blobs/{blob.name}", timeout=60)
        assert answer.status_code == 401
        wrong = blob.ask(method, Authorization="Bearer wrong")
        assert wrong.status_code == 401
    office.centre.sql("UPDATE sync_device SET revoked = :yes WHERE id = :id", yes=True, id=device.id)
    for method in ("HEAD", "GET", "PATCH"):
        assert blob.ask(method).status_code == 403
    assert problem_of(blob.patch(0)) == (403, "device-revoked")


@one_database
def test_ranges(device: Device, town: str) -> None:
    blob = named(device, town)
    blob.patch(0)
    for asked, part in (("0-99", slice(0, 100)), ("900-", slice(900, None)), ("-10", slice(-10, None)),
                        ("990-5000", slice(990, None))):  # fmt: skip
        answer = blob.ask("GET", Range=f"bytes={asked}")
        assert (answer.status_code, answer.content) == (206, blob.data[part])
        start = range(1000)[part][0]
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(answer.content) - 1}/1000"
    beyond = blob.ask("GET", Range="bytes=1000-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, "bytes */1000")
    for whole in ("bytes=0-1,5-6", "lines=1-2", "nonsense"):
        answer = blob.ask("GET", Range=whole)
        assert (answer.status_code, answer.content) == (200, blob.data)


@one_database
@pytest.mark.parametrize("headers", [
    {}, {"Upload_Offset": "0"}, {"Upload_Length": "10"}, {"Upload_Offset": "-1", "Upload_Length": "10"},
    {"Upload_Offset": "x", "Upload_Length": "10"}, {"Upload_Offset": "0", "Upload_Length": "9"},
    {"Upload_Offset": "١", "Upload_Length": "10"},
])  # fmt: skip
def test_what_makes_no_sense_is_malformed(device: Device, town: str, headers: dict[str, str]) -> None:
    blob = named(device, town, 10)
    encoded = {name: value.encode() for name, value in headers.items()}
    assert problem_of(blob.ask("PATCH", blob.data, **encoded)) == (422, "malformed")  # type: ignore[arg-type]
    assert blob.head() == (200, "0", None)


@one_database
def test_five_mebibytes_and_no_more(device: Device, town: str) -> None:
    largest = named(device, town, MAX_BLOB)
    assert largest.patch(0).headers["Upload-Offset"] == str(MAX_BLOB)
    above = named(device, town, MAX_BLOB + 1)
    answer = above.patch(0, 100)
    assert (problem_of(answer), answer.json()["max_bytes"]) == ((413, "too-large"), MAX_BLOB)
    lying = {"Upload_Offset": "0", "Upload_Length": str(MAX_BLOB)}
    assert problem_of(above.ask("PATCH", above.data, **lying)) == (413, "too-large")
    assert above.head() == (200, "0", None)


@one_database
@pytest.mark.parametrize("packing", ["zstd", "gzip"])
def test_pieces_may_be_packed(device: Device, town: str, packing: str) -> None:
    blob = named(device, town)
    headers = {"Upload_Offset": "0", "Upload_Length": "1000", "Content_Encoding": packing}
    assert blob.ask("PATCH", pack(blob.data, packing), **headers).headers["Upload-Offset"] == "1000"


@one_database
def test_two_lengths_begin_anew(device: Device, town: str) -> None:
    """Whichever was wrong: nobody is stuck with it."""
    blob = named(device, town)
    assert blob.patch(0, 100, Upload_Length="2000").status_code == 204
    assert problem_of(blob.patch(100, 200)) == (409, "offset-mismatch")
    assert blob.patch(0).status_code == 204
    assert blob.head() == (200, "1000", "?1")


@one_database
def test_answers_are_signed(device: Device, town: str) -> None:
    blob, nonce = named(device, town), "AAAAAAAAAAAAAAAA"
    answers = [
        blob.patch(0, 500, Aidvisit_Nonce=nonce),
        blob.patch(7, 500, Aidvisit_Nonce=nonce),
        blob.ask("HEAD", Aidvisit_Nonce=nonce),
        blob.patch(500, Aidvisit_Nonce=nonce),
        blob.ask("GET", Aidvisit_Nonce=nonce),
        blob.ask("GET", Aidvisit_Nonce=nonce, Range="bytes=0-9"),
    ]
    assert [each.status_code for each in answers] == [204, 409, 200, 204, 200, 206]
    for answer in answers:
        check_answer(device.server["public_key"], nonce, answer.content, answer.headers["Aidvisit-Signature"])


def test_two_laptops_upload_one_blob_at_once(office: Office, device: Device, other: Device, town: str) -> None:
    """The same photo proves two deliveries: each has its own upload, and the first that is whole is enough."""
    blob = named(device, town, 200_000)
    same = Blob(other, blob.data)
    proofs = [{"as": "photo", "sha256": blob.name}]
    other.say(town, "delivery.recorded", delivery(register(other, town), proofs=proofs))
    other.push()
    same.patch(0, 50)
    assert blob.head() == (200, "0", None), "partial uploads are kept per device"

    def upload(one: Blob) -> None:
        offset = int(one.head()[1] or 0)
        while offset < len(one.data):
            answer = one.patch(offset, offset + 20_000)
            assert answer.status_code in (204, 409), answer.text
            offset = int(answer.headers["Upload-Offset"])

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(upload, blob), pool.submit(upload, same)]:
            done.result()
    assert blob.head() == same.head() == (200, "200000", "?1")
    assert blob.ask("GET").content == blob.data
    with office.centre.connected() as conn:
        left = conn.exec_driver_sql(f"SELECT count(*) FROM blob_upload WHERE sha256 = '{blob.name}'").scalar_one()
    assert left <= 1, "what the slower one began is dropped at its next word, or by the sweep"


def test_the_same_patch_twice_at_once(device: Device, town: str) -> None:
    """A laptop that gave up waiting and tried again."""
    blob = named(device, town, 100_000)
    with ThreadPoolExecutor(4) as pool:
        answers = [done.result() for done in [pool.submit(blob.patch, 0) for _ in range(4)]]
    assert sorted(each.status_code for each in answers) == [204, 409, 409, 409]
    assert {each.headers["Upload-Offset"] for each in answers} == {"100000"}
    assert blob.ask("GET").content == blob.data


@one_database
def test_a_device_cannot_fill_the_disk(office: Office, device: Device, town: str) -> None:
    """Eight uploads stand open at most: another one takes the place of the one that rested longest."""
    blobs = [named(device, town, 100) for _ in range(10)]
    for blob in blobs:
        blob.patch(0, 60)
    assert [blob.head()[1] for blob in blobs] == ["0", "0", *["60"] * 8]
    office.centre.sql(
        "UPDATE blob_upload SET touched_at = '2020-01-01T00:00:00+00:00' WHERE device = :id", id=device.id
    )
    another = office.laptop()
    named(another, town, 100).patch(0, 60)
    assert [blob.head()[1] for blob in blobs] == ["0"] * 10


@one_database
def test_a_laptop_that_became_another_device_sends_what_the_earlier_one_named(device: Device, town: str) -> None:
    blob = named(device, town)
    assert blob.patch(0, 500).status_code == 204
    again = enrol(device.line, token=device.token)
    assert blob.head(again) == (200, "0", None)
    assert blob.patch(0, by=again).status_code == 204
    assert blob.head() == (200, "1000", "?1")


@one_database
def test_the_line_is_kept_between_pieces(device: Device, town: str) -> None:
    """A new one costs a round trip, with TLS three, for every piece."""
    blob = named(device, town)
    address = urlsplit(device.line.url)
    line = HTTPConnection(str(address.hostname), address.port, timeout=60)
    headers = {"Authorization": f"Bearer {device.token}", "Upload-Length": "1000"}
    sockets = []
    for start in (0, 500):
        piece = blob.data[start : start + 500]
        line.request("PATCH", f"{address.path}blobs/{blob.name}", piece, headers | {"Upload-Offset": str(start)})
        answer = line.getresponse()
        assert (answer.status, answer.read()) == (204, b"")
        sockets.append(line.sock)
    assert sockets[0] is sockets[1] is not None
    line.close()
