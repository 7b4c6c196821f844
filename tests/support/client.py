"""A device written from docs/protocol.md alone: it shares no code with either end of the project.

Every answer is checked on its way in: `Date`, media type, shape of a problem, signature of a receipt.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import rfc8785
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ZERO = "0" * 64
URN = "urn:aidvisit:problem:"
FIELDS = ("device", "seq", "stream", "hlc", "actor", "kind", "v", "subject", "body")
TRAVELLING = FIELDS[2:]
PULLED = {"stream", "n", "device", "seq", "hlc", "actor", "kind", "v", "subject", "body"}

Document = dict[str, Any]


# --- bytes, hashes, signatures -------------------------------------------------------------------------------


def canonical(op: Document) -> bytes:
    return rfc8785.dumps({name: op[name] for name in FIELDS})


def digest(op: Document) -> str:
    return hashlib.sha256(canonical(op)).hexdigest()


def chain(before: str, of_op: str) -> str:
    return hashlib.sha256(bytes.fromhex(before) + bytes.fromhex(of_op)).hexdigest()


def stream_digest(lines: Iterable[tuple[str, int, str, str]]) -> str:
    """Of (device, seq, digest, merge clock) of every numbered op of a stream."""
    text = sorted(f"{device}/{seq} {of_op} {clock}\n" for device, seq, of_op, clock in lines)
    return hashlib.sha256("".join(text).encode()).hexdigest()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(key: Ed25519PrivateKey, text: str) -> str:
    return b64(key.sign(text.encode("ascii")))


def verify(public_key: str, text: str, signature: str) -> None:
    """Raises: InvalidSignature."""
    Ed25519PublicKey.from_public_bytes(unb64(public_key)).verify(unb64(signature), text.encode("ascii"))


def new_id() -> str:
    """A UUID v7."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 7 << 76 | 2 << 62))


def hlc(ms: float, counter: int = 0) -> str:
    moment = datetime.fromtimestamp(int(ms) // 1000, UTC)
    return f"{moment:%Y%m%dT%H%M%S}{int(ms) % 1000:03d}Z-{counter:04x}"


def now_ms() -> int:
    return int(time.time() * 1000)


# --- HTTP ----------------------------------------------------------------------------------------------------


class Refused(Exception):  # noqa: N818 (the protocol speaks of problems)
    """An answer that is a problem: its `name`, `status`, members and headers."""

    def __init__(self, status: int, document: Document, headers: Any) -> None:
        self.name = str(document["type"]).removeprefix(URN)
        self.status, self.document, self.headers = status, document, headers
        super().__init__(f"{status} {self.name}: {document.get('detail')}")


@dataclass
class Answer:
    """An answer as it came: `raw` still packed."""

    status: int
    headers: Any
    raw: bytes

    @property
    def data(self) -> bytes:
        return unpack(self.raw, self.headers.get("Content-Encoding"))

    @property
    def document(self) -> Document:
        found = json.loads(self.data.decode("utf-8"))
        assert isinstance(found, dict)
        return found


def unpack(data: bytes, encoding: str | None) -> bytes:
    match encoding:
        case None | "identity":
            return data
        case "gzip":
            return gzip.decompress(data)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
        case _:
            raise AssertionError(f"answered as {encoding}, which was not asked for")


def pack(data: bytes, encoding: str | None) -> bytes:
    match encoding:
        case "gzip":
            return gzip.compress(data)
        case "zstd":
            return zstandard.ZstdCompressor().compress(data)
    return data


def encode(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8")


class Line:
    """One kept connection to a centre."""

    def __init__(self, url: str) -> None:
        self.url = url + "/sync/v1/"
        self._session = requests.Session()
        self._session.trust_env = False

    def send(
        self, name: str, data: bytes, *, token: str | None = None, packing: str | None = None, accept: str = "gzip",
        headers: dict[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """POST bytes and return whatever comes, problems too."""
        all_headers = {"Content-Type": "application/json", "Accept-Encoding": accept}
        if token is not None:
            all_headers["Authorization"] = f"Bearer {token}"
        if packing is not None:
            all_headers["Content-Encoding"] = packing
        body = pack(data, packing)
        url = self.url + name
        with self._session.post(url, body, headers=all_headers | (headers or {}), timeout=60, stream=True) as response:
            raw = response.raw.read(decode_content=False)
        answer = Answer(response.status_code, response.headers, raw)
        drift = parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)
        assert abs(drift.total_seconds()) < 60, "every answer carries Date"
        return answer

    def ask(self, name: str, document: Any, **how: Any) -> Document:
        """POST a document (or bytes) and return the document that comes. Raises: Refused."""
        answer = self.send(name, document if isinstance(document, bytes) else encode(document), **how)
        media_type = answer.headers["Content-Type"].split(";")[0]
        if answer.status >= 400:
            found = answer.document
            assert media_type == "application/problem+json", "RFC 9457"
            assert found["type"].startswith(URN)
            assert found.get("status", answer.status) == answer.status
            raise Refused(answer.status, found, answer.headers)
        assert media_type == "application/json"
        return answer.document

    def close(self) -> None:
        self._session.close()


# --- a device ------------------------------------------------------------------------------------------------


@dataclass
class Device:
    """A laptop: its log, its keys, what it was told. `log[seq - 1]` is op `seq`, `hashes[seq]` its hash."""

    line: Line
    key: Ed25519PrivateKey
    id: str
    token: str
    server: Document
    epoch: str
    grants: list[str]
    log: list[Document] = field(default_factory=list)
    hashes: list[str] = field(default_factory=lambda: [ZERO])
    restamped: dict[int, str] = field(default_factory=dict)
    user: str = field(default_factory=new_id)

    def say(
        self, stream: str, kind: str, body: Document, subject: str | None = None, *, at: str | None = None, v: int = 1
    ) -> Document:
        """Author an op: it is in the log, not sent. `at`: its HLC, else the next tick."""
        op = {
            "device": self.id, "seq": len(self.log) + 1, "stream": stream, "hlc": at or self._tick(),
            "actor": self.user, "kind": kind, "v": v, "subject": subject or new_id(), "body": body,
        }  # fmt: skip
        self.log.append(op)
        self.hashes.append(chain(self.hashes[-1], digest(op)))
        return op

    def _tick(self) -> str:
        latest = max([op["hlc"] for op in self.log] + list(self.restamped.values()), default="")
        now = hlc(now_ms())
        return now if now > latest else f"{latest[:-4]}{int(latest[-4:], 16) + 1:04x}"

    def request(self, first: int = 1, last: int | None = None) -> Document:
        """The push of ops first … last (all that follow when absent), signed."""
        last = len(self.log) if last is None else last
        ops = [{name: op[name] for name in TRAVELLING} for op in self.log[first - 1 : last]]
        return self.signed({"from": first, "prev": self.hashes[first - 1], "ops": ops, "head": self.hashes[last]})

    def signed(self, document: Document) -> Document:
        """`document` with `device`, and signed over its own head and last seq."""
        last = document["from"] + len(document["ops"]) - 1
        text = f"aidvisit-push-1:{self.id}:{last}:{document['head']}"
        return {"device": self.id, **document, "sig": sign(self.key, text)}

    def push(self, first: int = 1, last: int | None = None, **how: Any) -> Document:
        return self.send(self.request(first, last), **how)

    def send(self, document: Any, **how: Any) -> Document:
        """Push a document and check what is signed in the answer. Raises: Refused, InvalidSignature."""
        answer = self.line.ask("push", document, token=self.token, **how)
        through, head, receipt = answer["through"], answer["head"], answer["receipt"]
        assert head == self.hashes[through]
        assert (receipt["device"], receipt["through"], receipt["head"]) == (self.id, through, head)
        check_receipt(self.server["public_key"], receipt)
        self.restamped |= {told["seq"]: told["merge_hlc"] for told in answer["restamped"]}
        return answer

    def pull(self, cursors: Document | None = None, **members: Any) -> Document:
        """One page. Without `cursors` it is asked from 0; `epoch` is the one given at enrolment unless said."""
        document = {"epoch": self.epoch, "cursors": cursors or {}, **members}
        answer = self.line.ask("pull", document, token=self.token)
        for op in answer["ops"]:
            assert set(op) - {"merge_hlc"} == PULLED
            assert op["device"] != self.id, "the asking device's own ops are left out"
        return answer

    def pull_all(self, cursors: Document | None = None, **members: Any) -> tuple[list[Document], Document]:
        """All pages: (ops, cursors at the end)."""
        ops: list[Document] = []
        while True:
            page = self.pull(cursors, **members)
            ops += page["ops"]
            assert not page["more"] or page["cursors"] != cursors, "a page moves on"
            cursors = page["cursors"]
            if not page["more"]:
                return ops, page["cursors"]

    def here(self) -> Document:
        """Cursors that stand at the end of everything: what is pulled with them is new."""
        return self.pull_all(limit=5000)[1]


def check_receipt(public_key: str, receipt: Document) -> None:
    """Raises: InvalidSignature."""
    parts = ("device", "through", "head", "at")
    verify(public_key, ":".join(["aidvisit-receipt-1", *(str(receipt[part]) for part in parts)]), receipt["sig"])


def check_answer(public_key: str, nonce: str, body: bytes, signature: str) -> None:
    """Of a request that carried `nonce`; `body` unpacked. Raises: InvalidSignature."""
    verify(public_key, f"aidvisit-answered-1:{nonce}:{hashlib.sha256(body).hexdigest()}", signature)


def public_of(key: Ed25519PrivateKey) -> str:
    return b64(key.public_key().public_bytes_raw())


def enrol(
    line: Line, code: str | None = None, *, name: str = "车 1", key: Ed25519PrivateKey | None = None, **how: Any
) -> Device:
    """A new device by a code, or by `token` of the same laptop's earlier one. Raises: Refused."""
    key = key or Ed25519PrivateKey.generate()
    document = {"name": name, "public_key": public_of(key)} | ({} if code is None else {"code": code})
    answer = line.ask("enrol", document, **how)
    found = (answer[member] for member in ("device", "token", "server", "epoch", "grants"))
    return Device(line, key, *found)


def clock(op: Document) -> str:
    """The merge clock of an op that was pulled."""
    return str(op.get("merge_hlc") or op["hlc"])
