"""One request and its answer over HTTP, with every way that a line can fail told apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import requests
import urllib3
import zstandard

from sync import tls
from sync.op import loads
from sync.problem import MEDIA_TYPE, Problem
from sync.proof import NONCE, SIGNATURE, Proof, answered_text, new_nonce
from sync.wire import PATHS, unpack

TIMEOUT = (10, 60)  # seconds to connect, and between two bytes
MAX_ANSWER = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A decoded answer; `date` is the server's clock. `verified`: signed by the server that was enrolled with."""

    document: dict[str, Any]
    date: datetime | None
    proof: Proof | None = None
    verified: bool = False


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


class HttpTransport:
    """Requests over one kept connection. `verify`: True, or the path of a private CA."""

    def __init__(self, url: str, *, verify: bool | str = True) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.verify = verify
        # A proxy or a password from the environment has no business on this line.
        self._session.trust_env = False

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Accept": f"application/json, {MEDIA_TYPE}"}
        headers["Accept-Encoding"] = "zstd, gzip"
        headers[NONCE] = nonce = new_nonce()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if len(data) > 400:
            data = zstandard.ZstdCompressor(level=3).compress(data)
            headers["Content-Encoding"] = "zstd"
        try:
            with self._session.post(
                self.url + PATHS.get(name, name),
                data=data,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            ) as response:
                # Packed as it came: whether urllib3 unpacks zstd hangs on a package that nobody here asks for.
                packed = response.raw.read(MAX_ANSWER + 1, decode_content=False)
        except (OSError, urllib3.exceptions.HTTPError) as error:  # every RequestException is an OSError
            raise self._why(error) from error
        return self._read(response, packed, nonce)

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
        return Problem("server-unreachable", str(type(error).__name__), url=self.url)

    def _read(self, response: requests.Response, packed: bytes, nonce: str) -> Reply:
        media_type = response.headers.get("Content-Type", "").split(";")[0].strip()
        if media_type not in ("application/json", MEDIA_TYPE):
            if response.status_code >= 500:
                raise Problem("server-error", http_status=response.status_code)
            raise Problem("hotel-wifi", url=self.url)
        try:
            data = unpack(packed, response.headers.get("Content-Encoding"), MAX_ANSWER)
            document = loads(data)
        except Problem as error:
            raise Problem("hotel-wifi", str(error), url=self.url) from error
        if not isinstance(document, dict):
            raise Problem("hotel-wifi", url=self.url)
        proof = Proof(answered_text(nonce, data), response.headers.get(SIGNATURE))
        if response.status_code >= 400 or media_type == MEDIA_TYPE:
            refusal = _refusal(document, response)
            refusal.proof = proof
            raise refusal
        return Reply(document, _date(response.headers.get("Date")), proof)


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
