"""Records that the centre holds for review, made by a laptop and brought there by a real sync."""

from __future__ import annotations

from typing import Any

from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import HOUSE, House
from sync import client, clock, log
from sync.link import Link
from sync.log import Draft
from sync.op import uuid7
from tests.support.homes import TOWN
from tests.support.pages import DAY, InProcess, Pages


def sync(laptop: Pages, office: Pages) -> None:
    """One sync, without a line between them."""
    with laptop.app.app_context():
        client.sync_once(Link(transaction, House(), InProcess(office.app), clock.wall))


def user(pages: Pages, login: str) -> str:
    with pages.app.app_context(), reading() as conn:
        return str(conn.exec_driver_sql("SELECT id FROM person WHERE login = ?", (login,)).scalar_one())


def record(laptop: Pages, actor: str, kind: str, body: dict[str, Any], subject: str = "", stream: str = TOWN) -> str:
    """What the laptop's own pages would refuse: another program recorded it. Returns `<device>/<seq>`."""
    with laptop.app.app_context(), transaction() as conn:
        draft = Draft(stream, actor, kind, 1, subject or uuid7(), body)
        return log.author(conn, HOUSE, [draft], clock.wall())[0].name


def delivery(household: str, **more: Any) -> dict[str, Any]:
    return {
        "household": household, "date": DAY, "lines": [{"item": "rice", "quantity": 1}], "proofs": [{"as": "paper"}],
        "received_by": {"as": "head", "name": "本人"}, "salt": ledger.new_salt(), **more,
    }  # fmt: skip


def registered(name: str, division: str) -> dict[str, Any]:
    return {
        "kind": "household", "head": {"name": name}, "division": division, "group": "一组", "categories": [],
        "salt": ledger.new_salt(),
    }  # fmt: skip


def by_somebody_who_left(laptop: Pages) -> tuple[str, str]:
    """A delivery by somebody who is active no more (`not-allowed`): its name, and the household's id."""
    household = laptop.households()[0].id
    return record(laptop, user(laptop, "chen"), "delivery.recorded", delivery(household)), household
