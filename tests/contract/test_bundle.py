"""Section 4 as somebody else would write it: age, zstd and JSON lines, made and read here without any code of ours."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyrage.x25519 import Identity, Recipient

from tests.contract.bodies import deliver, delivery, register
from tests.contract.conftest import Office
from tests.support.client import Device, Document, check_receipt, public_of, verify


@dataclass
class Carrier:
    """A device with an age key, and a stick."""

    device: Device
    identity: Identity
    stick: Path

    def bundle(self, *documents: Document, **header: Any) -> Path:
        """A file with these push documents."""
        device = self.device
        head = {"version": 1, "device": device.id, "epoch": device.epoch, "cursors": {}, **header}
        text = "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in (head, *documents))
        recipient = Recipient.from_str(device.server["age_recipient"])
        file = self.stick / "up.aidbundle"
        file.write_bytes(pyrage.encrypt(zstandard.compress(text.encode()), [recipient]))
        return file

    def answer(self, file: Path) -> tuple[Document, list[Document]]:
        """(header, documents) of an answer, its signature checked."""
        plain = (
            zstandard.ZstdDecompressor().decompressobj().decompress(pyrage.decrypt(file.read_bytes(), [self.identity]))
        )
        first, _, rest = plain.partition(b"\n")
        header = json.loads(first)
        assert set(header) == {"version", "device", "epoch", "sha256", "sig"}
        assert header["sha256"] == hashlib.sha256(rest).hexdigest()
        text = f"aidvisit-answer-1:{self.device.id}:{header['sha256']}"
        verify(self.device.server["public_key"], text, header["sig"])
        return header, [json.loads(line) for line in rest.splitlines()]


def carrier(office: Office, stick: Path) -> Carrier:
    line, key, identity = office.line(), Ed25519PrivateKey.generate(), Identity.generate()
    request = {
        "code": office.centre.code(office.county_team), "name": "不上网的车", "public_key": public_of(key),
        "age_recipient": str(identity.to_public()),
    }  # fmt: skip
    answer = line.ask("enrol", request)
    found = (answer[member] for member in ("device", "token", "server", "epoch", "grants"))
    return Carrier(Device(line, key, *found), identity, stick)


def imported(office: Office, file: Path) -> tuple[Document, Path]:
    back = file.with_name("back.aidbundle")
    return office.centre.command("bundle", "import", str(file), "--answer", str(back)), back


def pages_of(documents: list[Document]) -> list[Document]:
    return [document for document in documents if "ops" in document]


def test_a_bundle_has_the_effect_of_pushing_its_documents(office: Office, town: str, tmp_path: Path) -> None:
    mine, other = carrier(office, tmp_path), office.laptop()
    device = mine.device
    theirs = register(other, town, "别处的人")
    other.push()
    deliver(device, town, register(device, town))
    deliver(device, town, register(device, town, "另一户"))
    taken, back = imported(office, mine.bundle(device.request(1, 3), device.request(4)))
    assert (taken["received"], taken["through"], taken["held"], taken["stopped"]) == (4, 4, 0, None)

    header, documents = mine.answer(back)
    assert (header["device"], header["epoch"]) == (device.id, device.epoch)
    first, second, *pages = documents
    assert [first["through"], second["through"]] == [3, 4]
    assert second["head"] == device.hashes[4]
    check_receipt(device.server["public_key"], second["receipt"])
    assert pages == pages_of(documents)
    assert not pages[-1]["more"]
    brought = {op["subject"] for page in pages for op in page["ops"]}
    assert theirs in brought
    assert not [op for page in pages for op in page["ops"] if op["device"] == device.id]
    assert device.pull()["through"] == 4
    assert {op["seq"] for op in other.pull_all()[0] if op["device"] == device.id} == {1, 2, 3, 4}


def test_pages_go_on_from_the_cursors_of_the_header(office: Office, town: str, tmp_path: Path) -> None:
    mine, other = carrier(office, tmp_path), office.laptop()
    register(other, town)
    other.push()
    cursors = mine.device.here()
    new = register(other, town, "新来的")
    other.push(2)
    _, documents = mine.answer(imported(office, mine.bundle(cursors=cursors))[1])
    assert {op["subject"] for page in pages_of(documents) for op in page["ops"] if op["stream"] == town} == {new}


def test_what_came_by_both_ways_is_there_once(office: Office, town: str, tmp_path: Path) -> None:
    mine = carrier(office, tmp_path)
    device = mine.device
    deliver(device, town, register(device, town))
    file = mine.bundle(device.request())
    device.push(1, 1)
    assert imported(office, file)[0]["received"] == 1
    assert imported(office, file)[0]["received"] == 0
    assert device.push()["through"] == 2
    assert len([op for op in office.laptop().pull_all()[0] if op["device"] == device.id]) == 2


def test_what_is_held_is_said(office: Office, town: str, tmp_path: Path) -> None:
    mine = carrier(office, tmp_path)
    deliver(mine.device, town, "0192f3a0-0000-7000-8000-00000000dead")
    taken, back = imported(office, mine.bundle(mine.device.request()))
    assert taken["held"] == 1
    answer = mine.answer(back)[1][0]
    assert [item["seq"] for item in answer["quarantined"]] == [1]
    assert answer["quarantined"][0]["problem"]["type"] == "urn:aidvisit:problem:unknown-subject"


@pytest.mark.parametrize("name", ["gap", "fork"])
def test_a_gap_or_fork_stops_there_and_what_came_before_stands(
    office: Office, town: str, tmp_path: Path, name: str
) -> None:
    mine = carrier(office, tmp_path)
    device = mine.device
    for _ in range(3):
        register(device, town)
    last = device.request(3)
    if name == "fork":
        copy = Device(device.line, device.key, device.id, device.token, device.server, device.epoch, device.grants)
        for _ in range(3):
            register(copy, town)
        last = copy.request(3)
    documents = [device.request(1, 1), device.request(2, 2) if name == "fork" else last, last]
    stopped = _refused_in_part(office, mine, *documents)
    assert stopped["type"] == f"urn:aidvisit:problem:{name}"
    _, said = mine.answer(tmp_path / "back.aidbundle")
    assert [document["through"] for document in said if "receipt" in document] == ([1, 2] if name == "fork" else [1])
    assert [document["type"] for document in said if "type" in document] == [f"urn:aidvisit:problem:{name}"]
    assert device.pull()["through"] == (2 if name == "fork" else 1)


def _refused_in_part(office: Office, mine: Carrier, *documents: Document) -> Document:
    """Why not all was taken, as the centre keeps it for this device. The command's exit code is 1."""
    with pytest.raises(AssertionError, match="exit 1"):
        imported(office, mine.bundle(*documents))
    kept: Document = json.loads((office.centre.home / "bundles" / f"{mine.device.id}.json").read_text())["stopped"]
    return kept


def test_a_file_that_is_cut_or_by_somebody_else_changes_nothing(office: Office, town: str, tmp_path: Path) -> None:
    mine, other = carrier(office, tmp_path), office.laptop()
    register(mine.device, town)
    register(other, town)
    file = mine.bundle(mine.device.request(), other.request())
    with pytest.raises(AssertionError, match="bundle-damaged"):
        imported(office, file)
    file = mine.bundle(mine.device.request())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(AssertionError, match="bundle-damaged"):
        imported(office, file)
    assert mine.device.pull()["through"] == 0


def test_a_blob_comes_along(office: Office, town: str, tmp_path: Path) -> None:
    """Framed as docs/protocol.md 7 says."""
    mine = carrier(office, tmp_path)
    device, photo = mine.device, b"\xff\xd8 not much of a photo \n" * 40
    name = hashlib.sha256(photo).hexdigest()
    proof = {"as": "photo", "sha256": name, "bytes": len(photo), "media_type": "image/jpeg"}
    device.say(town, "delivery.recorded", delivery(register(device, town), proofs=[proof]))
    head = {"version": 1, "device": device.id, "epoch": device.epoch, "cursors": {}}
    lines = [head, device.request(), {"blob": name, "bytes": len(photo)}]
    text = b"".join(json.dumps(one).encode() + b"\n" for one in lines) + photo + b"\n"
    file = tmp_path / "photo.aidbundle"
    recipient = Recipient.from_str(device.server["age_recipient"])
    file.write_bytes(pyrage.encrypt(zstandard.compress(text), [recipient]))
    taken, back = imported(office, file)
    assert (taken["blobs"], taken["strange_blobs"]) == (1, 0)
    assert [page["blobs"] for page in mine.answer(back)[1] if "blobs" in page] == [[name]]
