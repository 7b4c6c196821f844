"""Both ends with everybody signed in, put back to what they were after each request that changed something."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.domain.rights import ROLES
from aidvisit.services import lock
from aidvisit.services.pair import FOUND
from aidvisit.services.vault import vault
from aidvisit.store.database import db, reading
from sync import log
from tests.support.examples import Request
from tests.support.homes import PASSWORD
from tests.support.pages import TOKEN
from tests.support.sides import HEAD, Homes, Side

NOBODY = "nobody"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """`response`: as it came; `text`: of the page it leads to; `new`: (kind, actor) of what was recorded meanwhile."""

    response: TestResponse
    text: str
    new: list[tuple[str, str]]

    @property
    def status(self) -> int:
        return self.response.status_code

    def words(self, *said: str) -> str:
        """What it tells, whatever ids and words it was asked with."""
        text = self.text
        for one in sorted(said, key=len, reverse=True):
            text = text.replace(one, "…")
        return UUID.sub("…", re.sub(r'name="csrf_token" value="[^"]*"', "", text))


class Place:
    """One end: its application, and a session for everybody."""

    def __init__(self, homes: Homes, role: str, folder: Path) -> None:
        self.home, self.kept, self.homes = folder / role, folder / f"{role}-kept", homes
        self.threads = set(threading.enumerate())
        shutil.copytree(homes.folder / role, self.home)
        self.app: Flask = create_app(config.load(self.home, {"AIDVISIT_DEMO_LINE": str(folder / "cut")}), testing=True)
        self.app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(homes.folder))
        self.cut = folder / "cut"
        self.unlock()
        self.sessions = {who: self._sign_in(who) for who in (*ROLES, *([HEAD] if role == "central" else []))}
        self.sessions[NOBODY] = self._sign_in(None)
        self.secret = self.app.config["SECRET_KEY"]
        self.close()
        shutil.copytree(self.home, self.kept)

    def unlock(self) -> None:
        with self.app.app_context():
            if vault().locked:
                lock.unlock_any(PASSWORD)

    def _sign_in(self, who: str | None) -> tuple[dict[Any, Any], str]:
        """The cookies and the form token of a session."""
        client = self.app.test_client()
        page = client.get("/sign-in").text
        if who is not None:
            form = {"csrf_token": _token(page), "login": who, "password": PASSWORD}
            assert client.post("/sign-in", data=form).status_code == 303, who
            page = client.get("/search").text
        return client._cookies, _token(page)

    def browser(self, who: str) -> FlaskClient:
        """Somebody's browser, as it was just after signing in."""
        client = self.app.test_client()
        client._cookies.update(self.sessions[who][0])
        return client

    def close(self) -> None:
        with self.app.app_context():
            db.engine.dispose()

    def put_back(self) -> None:
        # What a request began and goes on by itself (a doctor's look, a backup) would open a file that is half there.
        for thread in set(threading.enumerate()) - self.threads:
            thread.join(timeout=60)
        self.close()
        self.cut.unlink(missing_ok=True)
        for path in self.home.iterdir():
            if path.is_file():
                path.unlink()
        shutil.copytree(self.kept, self.home, dirs_exist_ok=True)
        self.unlock()
        self.app.config["SECRET_KEY"] = self.secret  # locking makes another
        self.app.extensions.pop(FOUND, None)  # on a slow machine pairs are kept, and these were of another state

    def rules(self) -> dict[str, Rule]:
        """`METHOD endpoint` → its rule; the API has a table of its own (tests/unit/test_api_door.py)."""
        return {
            f"{method} {rule.endpoint}": rule
            for rule in self.app.url_map.iter_rules()
            if not rule.endpoint.startswith("api_")
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }

    def ask(self, who: str, name: str, request: Request, side: Side) -> Answer:
        """One request by somebody about what a side has."""
        method, endpoint = name.split()
        client, token = self.browser(who), self.sessions[who][1]
        before = self._last()
        response = client.open(
            self.address(endpoint, request, side), method=method, buffered=True,
            data={"csrf_token": token} | filled(request.form, side) if method == "POST" else None,
        )  # fmt: skip
        page = client.get(response.location) if response.status_code in (302, 303) else response
        return Answer(response, unescape(page.data.decode(errors="replace")), self._since(before))

    def address(self, endpoint: str, request: Request, side: Side) -> str:
        rule = next(rule for rule in self.app.url_map.iter_rules() if rule.endpoint == endpoint)
        parts = {part: getattr(side, part, "app.css") for part in rule.arguments}
        with self.app.test_request_context():
            return self.app.url_for(endpoint, **parts, **filled(request.query, side), _external=False)

    def _last(self) -> int:
        self.unlock()
        with self.app.app_context(), reading() as conn:
            return log.state(conn).last_seq

    def _since(self, before: int) -> list[tuple[str, str]]:
        self.unlock()
        with self.app.app_context(), reading() as conn:
            own = log.own(conn)
            found = [log.find(conn, own, seq) for seq in range(before + 1, log.state(conn).last_seq + 1)]
            return [(entry.op.kind, entry.op.actor) for entry in found if entry]

    def user(self, login: str) -> str:
        with self.app.app_context(), reading() as conn:
            return str(conn.exec_driver_sql("SELECT id FROM person WHERE login = ?", (login,)).scalar_one())


def filled(fields: dict[str, str], side: Side) -> dict[str, Any]:
    """A form or query about a side."""
    return {key: text(value, side) for key, value in fields.items()}


def text(value: str, side: Side) -> str:
    return str(getattr(side, value[1:])) if value.startswith("@") else value


def _token(page: str) -> str:
    found = TOKEN.search(page)
    assert found is not None
    return found[1]


@contextmanager
def place(homes: Homes, role: str, folder: Path) -> Iterator[Place]:
    made = Place(homes, role, folder)
    try:
        yield made
    finally:
        made.close()
