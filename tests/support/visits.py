"""What teams do at a laptop and at the other end, and the line between the two, for tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from aidvisit.services.delivery import record_delivery
from aidvisit.services.sync import own_device
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact, House, record
from sync import clock, log
from sync.link import Link
from sync.op import uuid7
from tests.support.pages import DAY, InProcess, Pages

RULES = ("over-stock", "date", "over-allocation", "outside-allocation", "repeat-interval")


def line(laptop: Pages, office: Pages) -> Link:
    """The laptop's line to the centre; no context stays open, so that pages are asked as by a browser."""

    @contextmanager
    def begin() -> Iterator[Connection]:
        with laptop.app.app_context(), transaction() as conn:
            yield conn

    return Link(begin, House(), InProcess(office.app), clock.wall)


def deliver(pages: Pages, number: int) -> str:
    """Two bags and 300.50 yuan to a household of the list, with a reason for whatever is odd; the delivery's id."""
    household = pages.households()[number]
    with pages.app.app_context():
        with reading() as conn:
            trip = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
        entry = record_delivery(
            actor=own_device(), delivery=uuid7(), household=household.id, trip=trip, date=DAY,
            lines={"rice": 2, "cash": 30_050}, received_by={"as": "head", "name": household.name},
            proofs=[{"as": "paper"}], reasons=dict.fromkeys(RULES, "测试"),
        )  # fmt: skip
    return entry.op.subject


def give(pages: Pages, household: str, date: str = DAY) -> str:
    """A bag to a household, without a reason for anything: another team's delivery, when done at the other end."""
    with pages.app.app_context(), transaction() as conn:
        body = {"household": household, "date": date, "lines": [{"item": "rice", "quantity": 1}],
                "received_by": {"as": "head", "name": "某某"}, "proofs": [{"as": "paper"}]}  # fmt: skip
        entry = record(conn, log.own(conn), Fact(stream(conn), "delivery.recorded", uuid7(), body))[0]
    return entry.op.subject


def edit(pages: Pages, household: str, phone: str) -> None:
    """A telephone number, changed by somebody who saw the one that was registered."""
    with pages.app.app_context(), transaction() as conn:
        first = log.entries_of(conn, household)[0]
        body = {"set": {"head.phone": phone}, "base": {"head.phone": [first.name]}}
        record(conn, log.own(conn), Fact(first.op.stream, "household.updated", household, body))


def void(pages: Pages, delivery: str) -> None:
    with pages.app.app_context(), transaction() as conn:
        record(conn, log.own(conn), Fact(stream(conn), "delivery.voided", delivery, {"reason": "记错了"}))


def stream(conn: Connection) -> str:
    """The town of the list."""
    return str(conn.exec_driver_sql("SELECT stream FROM household LIMIT 1").scalar_one())
