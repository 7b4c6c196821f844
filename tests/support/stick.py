"""Bundles between toy nodes, carried by hand: in memory, and opened as only the one who has the key can."""

from __future__ import annotations

import io
import json
from hashlib import sha256
from typing import Any

import pyrage
import zstandard
from pyrage.x25519 import Recipient

from sync import age, blobs, bundle_central, bundle_field, log
from sync.bundle_central import Taken
from sync.bundle_field import Learned
from sync.identity import KeyPair
from tests.support.toy import Centre, Laptop, Node
from tests.support.toy_house import TOWN


def exported(laptop: Laptop) -> bytes:
    file = io.BytesIO()
    with laptop.begin() as conn:
        bundle_field.export(conn, file)
    return file.getvalue()


def imported(centre: Centre, data: bytes) -> tuple[Taken, bytes | None]:
    """What became of it, and the answer (None: there is no recipient)."""
    taken = bundle_central.take(centre.begin, centre.app, io.BytesIO(data), centre.now())
    file = io.BytesIO()
    made = bundle_central.answer(centre.begin, centre.app, taken, file, centre.now())
    return taken, file.getvalue() if made else None


def answered(laptop: Laptop, data: bytes | None) -> Learned:
    assert data is not None
    return bundle_field.take(laptop.begin, laptop.app, io.BytesIO(data), laptop.now())


def carried(laptop: Laptop, centre: Centre) -> Learned:
    """There and back."""
    return answered(laptop, imported(centre, exported(laptop))[1])


def plain(node: Node, data: bytes) -> bytes:
    """What a bundle for a node holds."""
    with node.begin() as conn:
        identity = age.identity(conn)
    assert identity is not None
    return zstandard.ZstdDecompressor().decompressobj().decompress(pyrage.decrypt(data, [identity]))


def lines(node: Node, data: bytes) -> list[dict[str, Any]]:
    return [json.loads(text) for text in plain(node, data).splitlines()]


def sealed(node: Node, content: bytes | list[dict[str, Any]]) -> bytes:
    """A bundle for a node, as anybody who knows its recipient can make one."""
    if isinstance(content, list):
        content = b"".join(json.dumps(document, ensure_ascii=False).encode() + b"\n" for document in content)
    with node.begin() as conn:
        recipient = age.recipient(conn)
    assert recipient is not None
    return pyrage.encrypt(zstandard.compress(content), [Recipient.from_str(recipient)])


def everything(node: Node) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table: what must be the same where nothing was changed."""
    with node.begin() as conn:
        return {
            name: sorted(map(repr, conn.exec_driver_sql(f'SELECT * FROM "{name}"').all()))
            for name in sorted(log.metadata.tables)
        }


def signed(centre: Centre, laptop: Laptop, header: dict[str, Any], rest: list[dict[str, Any]]) -> bytes:
    """An answer as a centre makes it."""
    text = b"".join(json.dumps(document).encode() + b"\n" for document in rest)
    named = sha256(text).hexdigest()
    key = KeyPair.from_private(centre.recall("private_key"))
    sig = key.sign(f"aidvisit-answer-1:{header['device']}:{named}")
    return sealed(laptop, json.dumps(header | {"sha256": named, "sig": sig}).encode() + b"\n" + text)


# --- held, released, revoked, gap, fork ------------------------------------------------------------------------


def photo(laptop: Laptop, data: bytes) -> str:
    """An op that names a photo, and the photo."""
    name = sha256(data).hexdigest()
    laptop.record(TOWN, "note.recorded", {"proofs": [{"sha256": name, "media_type": "image/jpeg"}]})
    with laptop.begin() as conn:
        blobs.put(conn, name, "image/jpeg", data)
    return name
