"""A centre and a laptop of one team, without pages: who records what there, and what becomes of it at the centre."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from aidvisit.domain.facts import KINDS
from aidvisit.domain.rights import ROLES
from aidvisit.domain.stream import team_stream, trip_stream
from aidvisit.store.database import open_engine, writing
from aidvisit.store.ledger import HOUSE, Fact, record
from sync import client, enrolment, joining, log, server
from sync.link import Link
from sync.log import Draft
from sync.op import loads, uuid7
from sync.transport import BlobReply, Reply
from tests.support.blobs import exchange
from tests.support.facts import EXAMPLES, HOUSEHOLD, OTHER, TEAM, TRIP, USER_BODY
from tests.support.store import make_tables, uid

HEAD, COUNTY, SIBLING = uid(701), uid(702), uid(703)
TEAMS = {
    HEAD: {"name": "总队", "type": "base", "level": 1, "divisions": []},
    COUNTY: {"name": "县队", "type": "base", "level": 2, "parent": HEAD, "divisions": ["441225"]},
    TEAM: {"name": "慰问一队", "type": "team", "level": 3, "parent": COUNTY, "divisions": ["441225112"]},
    SIBLING: {"name": "慰问二队", "type": "team", "level": 3, "parent": COUNTY, "divisions": ["441225"]},
}
MORNING = datetime(2020, 12, 30, 1, 0, tzinfo=UTC)


@dataclass
class Nodes:
    """`at`: minutes after the morning. `people`: (team, role) → user."""

    central: Engine
    laptop: Engine
    people: dict[tuple[str, str], str] = field(default_factory=dict)
    at: int = 0

    def centre(self) -> AbstractContextManager[Connection]:
        return writing(self.central)

    def field(self) -> AbstractContextManager[Connection]:
        return writing(self.laptop)

    def now(self) -> datetime:
        return MORNING + timedelta(minutes=self.at)

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        """The line between them."""
        raw = json.dumps(document).encode()
        if name == "enrol":
            answer = enrolment.enrol(self.centre, HOUSE, loads(raw), token, "127.0.0.1", self.now())
        else:
            answer = {"push": server.push, "pull": server.pull}[name](self.centre, HOUSE, token, raw, self.now())
        return Reply(loads(json.dumps(answer).encode()), self.now())

    def blob(self, name: str, token: str | None, *what: Any) -> BlobReply:
        return exchange(self.centre, HOUSE, self.now(), name, token, *what)

    def link(self) -> Link:
        return Link(self.field, HOUSE, self, self.now)

    def sync(self) -> None:
        client.sync_once(self.link())

    def office(self, *facts: Fact, actor: str | None = None) -> None:
        """The centre records them, as itself or as somebody."""
        with self.centre() as conn:
            record(conn, actor or log.own(conn), *facts, now=self.now())

    def slip_in(self, actor: str, *facts: Fact) -> None:
        """A laptop that does not look at rights: the log takes what it is given."""
        with self.field() as conn:
            drafts = [Draft(f.stream, actor, f.kind, KINDS[f.kind].v, f.subject, f.body) for f in facts]
            log.author(conn, HOUSE, drafts, self.now())

    def verdicts(self) -> dict[str, str | None]:
        """Subject of each op that the laptop sent → the Problem that it waits with, or None."""
        with self.centre() as conn:
            rows = conn.execute(sa.text("SELECT subject, problem FROM op WHERE device != :own"), {"own": log.own(conn)})
            return {row.subject: row.problem and json.loads(row.problem)["type"].rpartition(":")[2] for row in rows}

    def change(self, team: str, user: str, **values: Any) -> None:
        body = {"set": values, "base": {name: [] for name in values}}
        self.office(Fact(team_stream(team), "user.updated", user, body))


@contextmanager
def nodes(folder: Path) -> Iterator[Nodes]:
    """Everybody of four teams in every role; the laptop of `TEAM` has the examples' trip and household."""
    made = Nodes(*(_engine(folder / f"{name}.db") for name in ("central", "field")))
    try:
        with made.centre() as conn:
            server.set_up(conn, name="中心", now=MORNING)
        made.office(*(Fact("org", "team.defined", team, body) for team, body in TEAMS.items()))
        for team in TEAMS:
            for role in ROLES:
                made.people[team, role] = user = uuid7()
                body = {**USER_BODY, "login": user, "role": role}
                made.office(Fact(team_stream(team), "user.defined", user, body))
        with made.centre() as conn:
            code = enrolment.new_codes(conn, TEAM, 1, made.now())[0][0]
        device = joining.enrol(made.link(), name="3 号", code=code)
        released = Fact(f"trip-{TRIP}", "trip.released", TRIP, {"devices": [{"device": device}]})
        kinds = ("household.registered", "trip.planned")
        known = [Fact(EXAMPLES[kind][0], kind, *EXAMPLES[kind][1:]) for kind in kinds]
        made.office(*known, released, replace(known[0], subject=OTHER))
        made.at = 1
        made.sync()
        yield made
    finally:
        made.central.dispose()
        made.laptop.dispose()


def _engine(path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{path.as_posix()}")
    with writing(engine) as conn:
        make_tables(conn)
    return engine


def example(kind: str) -> Fact:
    """A right fact of a kind, its subject new where that is free to choose."""
    stream, subject, body = EXAMPLES[kind]
    if kind == "trip.planned":
        subject = uuid7()
        stream = trip_stream(subject)
    elif kind == "household.registered" or subject not in (HOUSEHOLD, TRIP, TEAM):
        subject = uuid7()
    return Fact(stream, kind, subject, body)
