"""A centre and a laptop in this process, the line between them a function call; and what each of their works costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask
from sqlalchemy import select

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.domain.facts.delivery import RULES
from aidvisit.services import delivery, household, stock
from aidvisit.services.device import enrolment_codes
from aidvisit.services.import_ import import_sheet
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import House
from aidvisit.store.queries import household as household_queries
from aidvisit.store.queries.reconcile import reconcile
from aidvisit.store.queries.search import search
from aidvisit.store.queries.trip import today
from aidvisit.store.tables import Household
from aidvisit.store.vault import Vault
from benchmarks import floor
from benchmarks.figure import Figure, median_ms, timed_ms
from sync import client, clock, enrolment, joining, log, server
from sync.link import Link
from sync.op import uuid7
from sync.transport import Reply
from tests.support.homes import SAMPLE, VILLAGE, centre

OPS = 1000
DAY = "2020-12-30"
GOODS = {"rice": 1, "oil": 1, "nuts": 1}


class Direct:
    """The protocol without HTTP: what a call costs is the centre's work alone."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        with self._app.app_context():
            if name == "enrol":
                answer = enrolment.enrol(transaction, House(), document, token, "127.0.0.1", clock.wall())
            else:
                raw = json.dumps(document, ensure_ascii=False).encode()
                work = server.push if name == "push" else server.pull
                answer = work(transaction, House(), token, raw, clock.wall())
        return Reply(answer, None)


@dataclass(frozen=True, slots=True)
class World:
    centre: Flask
    field: Flask
    link: Link
    device: str
    trip: str


@contextmanager
def open_world(folder: Path, database_url: str = "", *, encrypted: bool = True) -> Iterator[World]:
    """The sample list at the centre, loaded and pulled by one laptop, whose context is the current one."""
    with centre(folder, database_url) as made:
        settings = config.write(folder / "field", role="field", server_url="http://centre.invalid")
        code = enrolment_codes(actor=made.device, team=made.team)[0].code
        vault = Vault(folder / "field")
        if encrypted:
            vault.create()
        with opened(settings, vault) as field:
            link = Link(transaction, House(), Direct(made.app), clock.wall)
            device = joining.enrol(link, name="bench", code=code)
        imported = import_sheet(SAMPLE, actor=made.device)
        assert imported.trip is not None
        trip: str = imported.trip["id"]
        stock.load(actor=made.device, trip=trip, date=DAY, lines={"rice": 43, "oil": 35, "nuts": 34})
        with field.app_context():
            client.sync_once(link)
            yield World(made.app, field, link, device, trip)


def writes(folder: Path) -> Iterator[Figure]:
    """What saving costs on a laptop, and making its tables again."""
    with open_world(folder) as world:
        took = record(world.device, world.trip)
        bodies = _bodies(world.device)
        bare = floor.sqlite_url(folder)
        yield Figure("save a delivery (SQLite)", took, floor=floor.one_each_ms(bare, bodies[:200]))
        with transaction() as conn:
            held = sum(1 for _ in log.iterate(conn))
            again = timed_ms(lambda: ledger.rebuild(conn))
        least = floor.together_ms(bare, bodies, len(bodies)) / len(bodies)
        yield Figure(f"rebuild, each of {held} records", again / held, floor=least)
        yield from _reads(world.trip)


def record(actor: str, trip: str) -> float:
    """Half of the ops register households, half deliver to them; the median milliseconds of a delivery."""
    ids = [uuid7() for _ in range(OPS // 2)]
    for number, identity in enumerate(ids):
        body = {
            "kind": "household",
            "head": {"name": f"陈{number}"},
            "division": VILLAGE,
            "group": "一队",
            "size": 2,
            "categories": [],
        }
        household.register(actor=actor, household=identity, body=body)
    return median(timed_ms(partial(_deliver, actor, trip, identity)) for identity in ids)


def _deliver(actor: str, trip: str, identity: str) -> None:
    delivery.record_delivery(
        actor=actor,
        delivery=uuid7(),
        household=identity,
        trip=trip,
        date=DAY,
        lines=GOODS,
        received_by={"as": "head", "name": "陈"},
        proofs=[{"as": "paper", "page": 1, "row": 1}],
        reasons=dict.fromkeys(RULES, "bench"),
    )


def _bodies(device: str) -> list[str]:
    """The device's own records as JSON text: the floor writes the same bytes."""
    with reading() as conn:
        return [
            json.dumps(entry.op.body, ensure_ascii=False) for entry in log.iterate(conn) if entry.op.device == device
        ]


def _reads(trip: str) -> Iterator[Figure]:
    with reading() as conn:
        one = conn.execute(select(Household.id).limit(1)).scalar_one()
        bare = median_ms(lambda: conn.execute(select(Household.__table__).where(Household.id == one)).all())
        works = {
            "today": lambda: today(conn, trip),
            "search": lambda: search(conn, "陈1"),
            "household and timeline": lambda: (
                household_queries.household(conn, one),
                household_queries.timeline(conn, one),
            ),
            "reconciliation": lambda: reconcile(conn, trip),
        }
        for name, work in works.items():
            yield Figure(f"{name}, {OPS // 2 + 34} households", median_ms(work), floor=bare)
