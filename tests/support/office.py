"""The sample's centre after a busy day: something of everything that the office's pages show."""

from __future__ import annotations

from flask import Flask

from aidvisit.domain.rights import EVERYTHING
from aidvisit.services import catalog, inbox, period, stock
from aidvisit.services import household as households
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import account
from sync import clock, log
from sync.op import Op, digest_of, uuid7
from sync.problem import Problem
from tests.support.homes import TOWN, VILLAGE
from tests.support.pages import DAY
from tests.support.store import delivered, uid

DONOR = "ai"
MONTH = ("2020-12-01", "2020-12-31")


def busy(app: Flask) -> dict[str, list[str]]:
    """A donor's goods given to three households, one twice; two registered twice; an edit that disagrees; a record that
    is held; a laptop not heard of since; a month that is closed, and a delivery voided after it.

    Returns ids by what addresses call them.
    """
    with app.app_context():
        with reading() as conn:
            own = log.own(conn)
            trip = str(conn.exec_driver_sql("SELECT id FROM trip").scalar_one())
            device = str(conn.exec_driver_sql("SELECT id FROM field_device").scalar_one())
            newest = "SELECT id FROM household ORDER BY id DESC LIMIT 3"
            homes = [str(one) for one in conn.exec_driver_sql(newest).scalars()]
            users = account.users(conn)
        admin = next(one for one in users if one.login == "admin")
        catalog.define("place", {"code": DONOR, "name": "爱心公司", "kind": "donor"}, actor=own)
        line = {"item": "rice", "quantity": 9, "lot": "L-1"}
        stock.receive(actor=own, from_=f"donor:{DONOR}", to="warehouse:main", date=DAY, lines=[line], move=uuid7())
        stock.load(actor=own, trip=trip, date=DAY, lines={"rice": 9}, lots={"rice": "L-1"}, move=uuid7())
        with transaction() as conn:
            given = [delivered(uid(20 + n), home, {"rice": 1}, trip=trip) for n, home in enumerate((*homes, homes[0]))]
            released = Fact(f"trip-{trip}", "trip.released", trip, {"devices": [{"device": device}]})
            ledger.record(conn, own, *given, released)
            conn.exec_driver_sql("UPDATE sync_device SET seen_at = '2020-12-30T01:00:00+00:00' WHERE id = ?", (device,))
        _twice(own)
        _disagreed(own, homes[0])
        _held(device, users[0].id)
        closing = period.close(
            actor=admin.id, team=admin.team, from_=MONTH[0], until=MONTH[1], today="2021-01-01", scope=EVERYTHING
        )
        with transaction() as conn:
            ledger.record(conn, own, Fact(TOWN, "delivery.voided", uid(22), {"reason": "记错户,电话 13812345678"}))
        inbox.look()
        with reading() as conn:
            waiting = [str(one) for one in conn.exec_driver_sql("SELECT id FROM inbox_item").scalars()]
    return {
        "closing": [closing], "question": waiting, "person": [one.id for one in users], "donors": [DONOR],
        "donor": [DONOR],
    }  # fmt: skip


def _twice(own: str) -> None:
    """A household that is registered twice."""
    head = {"name": "谭新来", "id_number": "11010519491231002X", "phone": "13800000000"}
    body = {"kind": "household", "head": head, "division": VILLAGE, "group": "一组", "categories": []}
    for _ in range(2):
        households.register(actor=own, household=uuid7(), body=body)


def _disagreed(own: str, household: str) -> None:
    """Two edits of a household, made with the same in view."""
    with reading() as conn:
        seen = households.in_view(conn, household)
    for phone in ("13811110000", "13822220000"):
        wanted = {**seen.now.body, "head": {**seen.now.body["head"], "phone": phone}}
        households.edit(actor=own, household=household, seen=seen.seen, wanted=wanted)


def _held(device: str, actor: str) -> None:
    body = {
        "household": uuid7(), "date": DAY, "lines": [{"item": "rice", "quantity": 1}], "proofs": [{"as": "paper"}],
        "received_by": {"as": "head", "name": "某人"},
    }  # fmt: skip
    hlc = clock.stamp(clock.to_ms(clock.wall()), 0)
    asked = Op(device, 1000, TOWN, hlc, actor, "delivery.recorded", 1, uuid7(), body)
    problem = Problem("unknown-subject", what="household", id=body["household"]).to_dict()
    with transaction() as conn:
        log.insert_entries(conn, [log.new_entry(asked, digest_of(asked), clock.wall(), problem=problem)])
