"""The software as it was: homes that an older version left, and an older centre that says what it said (tests/data)."""

from __future__ import annotations

import gzip
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aidvisit import config
from aidvisit.config import Role, Settings
from sync.identity import KeyPair
from sync.proof import NONCE, SIGNATURE, answered_text
from sync.wire import MAX_BYTES, unpack

RECORDED = Path(__file__).parents[1] / "data" / "protocol"
LISTS = ("quarantined", "restamped", "ops")
VERSIONS = sorted(path.name for path in RECORDED.iterdir() if path.is_dir())


@dataclass(frozen=True, slots=True)
class Older:
    """What one older version left: see tests/data/protocol/record.py."""

    version: str
    code: str
    blob: dict[str, Any]
    traffic: list[dict[str, Any]]

    def home(self, folder: Path, role: Role, **settings: Any) -> Settings:
        """A home of that version, with its database as it was before the laptop's first push."""
        made = config.write(folder / role, role=role, **settings)
        text = gzip.decompress((RECORDED / self.version / f"{role}.sql.gz").read_bytes()).decode()
        database = sqlite3.connect(made.home / "aidvisit.db")
        database.executescript(text)
        database.close()
        return made

    def said(self, path: str) -> list[dict[str, Any]]:
        return [one for one in self.traffic if one["path"] == path]

    def moment(self, one: dict[str, Any]) -> datetime:
        """When an exchange took place, by the centre's clock."""
        return parsedate_to_datetime(one["headers"]["Date"]).astimezone(UTC)


def older(version: str) -> Older:
    kept = json.loads((RECORDED / version / "traffic.json").read_text(encoding="utf-8"))
    return Older(version, kept["code"], kept["blob"], kept["traffic"])


@dataclass
class OlderCentre:
    """Answers each request as it was answered then, in order, by path; signed for the nonce of now.

    `more`: members that a newer one might add to every answer.
    """

    older: Older
    key: KeyPair
    more: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, headers: Any, data: bytes) -> dict[str, Any]:
        if method != "POST":
            self.heard.append((path, method))
            return self.older.blob
        self.heard.append((path, json.loads(unpack(data, headers.get("Content-Encoding"), MAX_BYTES))))
        asked = [one for one in self.older.said(path) if one["status"] < 400 and one["token"] is not None]
        one: dict[str, Any] = asked[sum(path == each for each, _ in self.heard[:-1])]
        if not self.more:
            return one
        document = json.loads(one["answer"]) | self.more
        inner = [document["receipt"]] if "receipt" in document else []
        for said in [*inner, *(each for name in LISTS for each in document.get(name, []))]:
            said |= self.more
        return one | {"answer": json.dumps(document, ensure_ascii=False)}

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its address."""
        centre = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                one = centre.answer(self.command, self.path, self.headers, data)
                body = one["answer"].encode()
                self.send_response_only(one["status"])
                for name, value in one["headers"].items():
                    if name != SIGNATURE:
                        self.send_header(name, value)
                nonce = self.headers.get(NONCE)
                if nonce and SIGNATURE in one["headers"]:
                    self.send_header(SIGNATURE, centre.key.sign(answered_text(nonce, body)))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_POST = do_PATCH = do_HEAD = do_GET = do  # noqa: N815 (named by http.server)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
