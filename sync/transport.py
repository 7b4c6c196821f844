"""One request and its answer over HTTP, with every way that a line can fail told apart."""

from __future__ import annotations

import io
import json
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import SKIP_HEADER

from sync import dictionary, tls
from sync.op import loads, malformed
from sync.problem import MEDIA_TYPE, Problem
from sync.proof import NONCE, SIGNATURE, Proof, answered_text, new_nonce
from sync.wire import PATHS, pack, unpack

TIMEOUT = (20, 150)
"""Seconds to connect, and to hand over a piece; and for an answer to begin: what was handed over last may still be in
the modem's memory. Of a line that is dead the system tells sooner."""
PIECE = 4096  # bytes
SILENCE_S = 75  # without a sign from the other side, while something is under way or asked for
KEPT_S = 100  # a connection; proxies and modems forget it after two minutes
LOOK_S, HANGS_UP_WITHIN_S = 3.0, 0.7
MAX_ANSWER = 16 * 1024 * 1024
CODINGS = ("zstd", "gzip", "")
"""What a request is packed with, from what every server should read to what every server reads."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A decoded answer; `date` is the server's clock. `verified`: signed by the server that was enrolled with.

    `sent`, `received`: bytes of the bodies as they travelled; `seconds`: from the first one to the last.
    """

    document: dict[str, Any]
    date: datetime | None
    proof: Proof | None = None
    verified: bool = False
    sent: int = 0
    received: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class BlobReply:
    """What was answered about a blob: to PATCH how much of it is there now, to GET its bytes."""

    offset: int
    data: bytes
    date: datetime | None = None
    proof: Proof | None = None


class Transport(Protocol):
    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        """POST one document to `enrol`, `push` or `pull`, or to another path of that server.

        Raises: Problem, the server's own or `server-unreachable`, `tls-failed`, `ca-unreadable`, `hotel-wifi`,
            `server-error`.
        """

    def blob(
        self, name: str, token: str | None, piece: bytes | None = None, offset: int = 0, length: int = 0
    ) -> BlobReply:
        """PATCH a `piece` of a blob of `length` bytes from `offset` on; without one GET it.

        Raises: Problem, as `call`.
        """


@runtime_checkable
class Lean(Protocol):
    """A Transport that can also ask without a proof of who answers: 142 bytes less."""

    def lean(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        """As `call`; the answer, or the Problem, comes without `proof`."""


@runtime_checkable
class Packing(Protocol):
    """A Transport that packs with a dictionary; `dictionary`: the newest that the server has too, 0 for none."""

    dictionary: int


class HttpTransport:
    """Requests over one kept connection. `verify`: True, or the path of a private CA.

    Says no more than it must: a header costs as much as a delivery.
    """

    def __init__(self, url: str, *, verify: bool | str = True) -> None:
        self.url = url.rstrip("/")
        self.dictionary = 0
        self._rung, self._kept, self._used = 0, False, 0.0
        self._session = requests.Session()
        self._session.verify = verify
        # A proxy or a password from the environment has no business on this line.
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.headers["User-Agent"] = SKIP_HEADER
        self._adapter = _Adapter()
        self._session.mount("https://", self._adapter)
        self._session.mount("http://", self._adapter)

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        return self._call(name, document, token, new_nonce())

    def lean(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        return self._call(name, document, token, None)

    def _call(self, name: str, document: dict[str, Any], token: str | None, nonce: str | None) -> Reply:
        if name == "pull":
            document = {**document, "dictionary": dictionary.NEWEST}
        data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        while True:
            packed, encoding = pack(data, CODINGS[self._rung], self.dictionary, thorough=True)
            try:
                reply = self._once(name, packed, encoding, token, nonce)
            except Problem as problem:
                # Not well formed, or this packing is not read there: an older server came back from a backup.
                if problem.name != "malformed" or encoding is None:
                    if problem.name == "malformed":
                        self._rung = 0  # it was not the packing
                    raise
                self._pack_less()
                continue
            if name == "pull":
                self.dictionary = dictionary.common(reply.document.get("dictionary"))
            return reply

    def _pack_less(self) -> None:
        if self.dictionary:
            self.dictionary = 0
        else:
            self._rung += 1

    def _once(self, name: str, packed: bytes, encoding: str | None, token: str | None, nonce: str | None) -> Reply:
        headers = {"Content-Type": "application/json"}
        # Who was asked with a dictionary answers with it.
        headers["Accept-Encoding"] = SKIP_HEADER if self.dictionary else "zstd, gzip"
        if encoding:
            headers["Content-Encoding"] = encoding
        if nonce:
            headers[NONCE] = nonce
        if token:
            headers["Authorization"] = f"Bearer {token}"
        started = time.monotonic()
        try:
            response, answer = self._exchange(name, packed, headers)
        except (OSError, urllib3.exceptions.HTTPError) as error:  # every RequestException is an OSError
            raise self._why(error) from error
        seconds = time.monotonic() - started
        reply = self._read(response, answer, nonce)
        return replace(reply, sent=len(packed), received=len(answer), seconds=seconds)

    def _exchange(self, name: str, data: bytes, headers: dict[str, str]) -> tuple[requests.Response, bytes]:
        """One request. Where the kept connection turns out to be gone, once more on a new one: at once."""
        if time.monotonic() - self._used > KEPT_S:
            self._adapter.poolmanager.clear()  # on the way somebody has forgotten it, and would swallow what is sent
        kept, self._kept = self._kept and name in PATHS, False
        try:
            found = self._post(name, data, headers)
        except (requests.ConnectionError, urllib3.exceptions.ProtocolError):
            if not kept:
                raise
            found = self._post(name, data, headers)
        self._kept, self._used = True, time.monotonic()
        return found

    def _post(self, name: str, data: bytes, headers: dict[str, str]) -> tuple[requests.Response, bytes]:
        with self._session.post(
            self.url + PATHS.get(name, name),
            data=io.BytesIO(data),  # handed over in pieces: a timeout is for each of them, not for the whole
            headers=headers,
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as response:
            self._adapter.context.keep_session()
            # Packed as it came: whether urllib3 unpacks zstd hangs on a package that nobody here asks for.
            return response, response.raw.read(MAX_ANSWER + 1, decode_content=False)

    def is_there(self) -> bool:
        """Whether the server can be connected to; nothing is asked of it.

        What hangs up at once is a switch or a tunnel whose other end is away.
        """
        where = urlsplit(self.url)
        port = where.port or (443 if where.scheme == "https" else 80)
        try:
            with socket.create_connection((where.hostname or "", port), LOOK_S) as probe:
                hung_up, _, _ = select.select([probe], [], [], HANGS_UP_WITHIN_S)
                return not hung_up or probe.recv(1) != b""
        except OSError:
            return False

    def blob(
        self, name: str, token: str | None, piece: bytes | None = None, offset: int = 0, length: int = 0
    ) -> BlobReply:
        nonce = new_nonce()
        headers = {"Authorization": f"Bearer {token}", NONCE: nonce, "Accept-Encoding": "identity"}
        if piece is not None:
            headers |= {"Content-Type": "application/octet-stream"}
            headers |= {"Upload-Offset": str(offset), "Upload-Length": str(length)}
        try:
            with self._session.request(
                "GET" if piece is None else "PATCH",
                self.url + PATHS["blobs"] + name,
                data=piece,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            ) as response:
                data = response.raw.read(MAX_ANSWER + 1, decode_content=False)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise self._why(error) from error
        said = response.headers.get("Upload-Offset", "")
        if piece is None and response.status_code == 200:
            reached = len(data)
        elif piece is not None and response.status_code == 204 and said.isascii() and said.isdigit():
            reached = int(said)
        else:
            self._read(response, data, nonce)  # a refusal is raised there, and so is a page of a hotel
            raise Problem("server-error", http_status=response.status_code)
        proof = Proof(answered_text(nonce, data), response.headers.get(SIGNATURE))
        return BlobReply(reached, data, _date(response.headers.get("Date")), proof)

    def _why(self, error: BaseException) -> Problem:
        authority = self._session.verify
        if isinstance(authority, str) and not tls.is_authority(authority):
            return Problem("ca-unreadable", path=authority)
        reason = tls.reason(error, datetime.now().astimezone())
        if reason is not None:
            return Problem("tls-failed", url=self.url, reason=reason)
        # What requests wraps went wrong before the answer began.
        cut = isinstance(error, urllib3.exceptions.HTTPError)
        return Problem("server-unreachable", str(type(error).__name__), url=self.url, **({"cut": True} if cut else {}))

    def _read(self, response: requests.Response, packed: bytes, nonce: str | None) -> Reply:
        media_type = response.headers.get("Content-Type", "").split(";")[0].strip()
        if media_type not in ("application/json", MEDIA_TYPE):
            if response.status_code >= 500:
                raise Problem("server-error", http_status=response.status_code)
            if response.status_code == 415:
                raise malformed("the server does not read how the request is packed")
            raise Problem("hotel-wifi", url=self.url)
        try:
            data = unpack(packed, response.headers.get("Content-Encoding"), MAX_ANSWER)
            document = loads(data)
        except Problem as error:
            raise Problem("hotel-wifi", str(error), url=self.url) from error
        if not isinstance(document, dict):
            raise Problem("hotel-wifi", url=self.url)
        proof = Proof(answered_text(nonce, data), response.headers.get(SIGNATURE)) if nonce else None
        if response.status_code >= 400 or media_type == MEDIA_TYPE:
            refusal = _refusal(document, response)
            refusal.proof = proof
            raise refusal
        return Reply(document, _date(response.headers.get("Date")), proof)


class _Adapter(HTTPAdapter):
    """Connections that notice a dead line, and that need no whole handshake to come back."""

    def __init__(self) -> None:
        self.context = tls.Resuming.make()
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **how: Any) -> None:
        how |= {"ssl_context": self.context, "socket_options": list(_socket_options()), "blocksize": PIECE}
        super().init_poolmanager(connections, maxsize, block, **how)


def _socket_options() -> Iterator[tuple[int, int, int]]:
    """As far as this system knows them; Windows gives up a dead connection by itself after some 20 s."""
    yield socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    yield socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    wanted = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": SILENCE_S * 1000}
    for name, value in wanted.items():
        if (option := getattr(socket, name, None)) is not None:
            yield socket.IPPROTO_TCP, option, value


def _refusal(document: dict[str, Any], response: requests.Response) -> Problem:
    wait = response.headers.get("Retry-After", "")
    if wait.isdigit():
        document.setdefault("retry_after", int(wait))
    return Problem.from_dict({"status": response.status_code, **document})


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC) if header else None
    except ValueError:
        return None
