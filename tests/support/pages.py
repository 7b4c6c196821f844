"""A laptop and a centre with their pages, asked by Flask's test client. Their homes are made once and copied."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.cli.home import opened
from aidvisit.domain.stream import team_stream
from aidvisit.errors import Problem
from aidvisit.services import account, catalog, lock, passwords, stock
from aidvisit.services.device import enrolment_codes
from aidvisit.services.import_ import import_sheet
from aidvisit.services.vault import reseal
from aidvisit.store import ledger
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.ledger import Fact, House
from aidvisit.store.queries.trip import ListedHousehold, today
from aidvisit.store.vault import Vault
from sync import client, clock, enrolment, joining, server
from sync.link import Link
from sync.op import loads
from sync.transport import BlobReply, Reply
from tests.support.blobs import exchange
from tests.support.homes import PASSWORD, SAMPLE, TOWN
from tests.support.started import CHEAP

DAY = "2020-12-30"
RECOVERY = "recovery.txt"
"""Beside the homes: the laptop's recovery key."""
DEAD = "http://127.0.0.1:9"
LOADED = {"rice": 43, "oil": 35, "nuts": 34}
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class InProcess:
    """The line between a laptop and a centre of this process."""

    centre: Flask

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        now, raw = clock.wall(), json.dumps(document).encode()
        if name.startswith("/"):
            return self._post(name, raw, token)
        with self.centre.app_context():
            if name == "enrol":
                answer = enrolment.enrol(transaction, House(), loads(raw), token, "127.0.0.1", now)
            else:
                answer = {"push": server.push, "pull": server.pull}[name](transaction, House(), token, raw, now)
        return Reply(loads(json.dumps(answer).encode()), now)

    def blob(self, name: str, token: str | None, *what: Any) -> BlobReply:
        with self.centre.app_context():
            return exchange(transaction, House(), clock.wall(), name, token, *what)

    def _post(self, path: str, raw: bytes, token: str | None) -> Reply:
        """What is no part of the protocol: through the pages' own door."""
        said = self.centre.test_client().post(path, data=raw, headers={"Authorization": f"Bearer {token}"})
        document = loads(said.data)
        if said.status_code >= 400:
            raise Problem.from_dict(document)
        return Reply(document, clock.wall())


def cheap_passwords(patch: pytest.MonkeyPatch) -> None:
    """argon2id with next to no memory: the same code, a hundred times as fast."""
    patch.setattr(passwords, "PROFILE", CHEAP)


def rules_built_once(patch: pytest.MonkeyPatch) -> None:
    """What builds a rule's address is compiled once for all applications: that took most of making one.

    The function is of the rule's words alone; the converters it asks are its own rule's.
    """
    build, known = Rule._compile_builder, dict[tuple[Any, ...], Any]()

    def built(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return build(rule, append_unknown)
        words = (append_unknown, *rule._trace)
        if words not in known:
            known[words] = build(rule, append_unknown)
        return known[words]

    patch.setattr(Rule, "_compile_builder", built)


def make_homes(folder: Path) -> None:
    """`central` with the sample's trip, loaded; `field`, enrolled there, with all of it; the people's passwords alike.

    Logins: `luo` leads the laptop's team, `chen` belonged to it, `office` has the office's rights for it; `admin` is of
    the head of the programme.
    """
    with opened(config.write(folder / "central", role="central")) as centre:
        with transaction() as conn:
            device = server.set_up(conn, name="办公室", now=clock.wall())
        catalog.seed(actor=device, around=TOWN)
        team = account.add_team(actor=device, name="慰问一队", divisions=[TOWN])
        people = {"luo": ("罗春和", "leader"), "chen": ("陈离队", "volunteer"), "office": ("邓若谷", "office")}
        users = {
            login: account.add_user(actor=device, login=login, name=name, role=role, team=team, password=PASSWORD)
            for login, (name, role) in people.items()
        }
        change_user(device, team, users["chen"], active=False)
        head = account.add_team(actor=device, name="办公室", level=1)
        account.add_user(actor=device, login="admin", name="莫知远", role="admin", team=head, password=PASSWORD)
        code = enrolment_codes(actor=users["office"], team=team)[0].code
        field = config.write(folder / "field", role="field", server_url=DEAD)
        vault = Vault(folder / "field")
        (folder / RECOVERY).write_text(vault.create(), encoding="ascii")
        link = Link(transaction, House(), InProcess(centre), clock.wall)
        with opened(field, vault):
            joining.enrol(link, name="3 号笔记本", code=code)
        done = import_sheet(SAMPLE, actor=users["luo"])
        assert done.trip is not None
        stock.load(actor=users["luo"], trip=done.trip["id"], date=DAY, lines=LOADED)
        with opened(field, vault):
            client.sync_once(link)
            reseal()


def change_user(actor: str, team: str, user: str, **values: Any) -> None:
    """What an administrator changes about a person."""
    with transaction() as conn:
        body = {"set": values, "base": {key: [] for key in values}}
        ledger.record(conn, actor, Fact(team_stream(team), "user.updated", user, body))


class Pages:
    """One browser at one node. Posts carry the token of the page before, as a form does."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=headers, buffered=True)

    def post(self, path: str, form: dict[str, Any] | None = None, token: str | None = None) -> TestResponse:
        found = TOKEN.search(self.get("/search").text) or TOKEN.search(self.get("/sign-in").text)
        assert found is not None
        fields = {"csrf_token": found[1] if token is None else token} | (form or {})
        return self.client.post(path, data=fields)

    def sign_in(self, login: str = "luo", password: str = PASSWORD, **more: str) -> TestResponse:
        return self.post("/sign-in", {"login": login, "password": password, **more})

    def households(self) -> list[ListedHousehold]:
        """Those of the trip, in visiting order."""
        with self.app.app_context(), reading() as conn:
            trip = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
            return today(conn, trip).households

    def ops(self) -> int:
        with self.app.app_context(), reading() as conn:
            return int(conn.exec_driver_sql("SELECT count(*) FROM op").scalar_one())


@contextmanager
def pages(homes: Path, role: str, folder: Path) -> Iterator[Pages]:
    """A copy of a home, with its pages; a laptop is unlocked already."""
    shutil.copytree(homes / role, folder / role)
    app = create_app(config.load(folder / role, {}), testing=True)
    if role == "field":
        with app.app_context():
            lock.unlock_any(PASSWORD)
    # Templates are compiled once for all tests: that took most of the time.
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(homes))
    try:
        yield Pages(app)
    finally:
        with app.app_context():
            db.engine.dispose()


def words(answer: TestResponse) -> str:
    """What a page says, without its marks."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def typed(answer: TestResponse) -> dict[str, str]:
    """What the fields of a page's form hold, as a browser would send it; buttons are not pressed."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input\b[^>]*>", answer.text):
        named = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        chosen = named.get("type") not in ("radio", "checkbox") or re.search(r"\schecked\b", tag)
        if "name" in named and chosen:
            found[unescape(named["name"])] = unescape(named.get("value", "on"))
    return found
