"""Who has not reported since a trip ended, and whom to call."""

from __future__ import annotations

import pytest

from aidvisit.services import trip as trips
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.account import device_rows
from aidvisit.store.queries.silent import silent
from sync import log
from sync.op import uuid7
from tests.support.holding import sync, user
from tests.support.homes import TOWN
from tests.support.pages import DAY, Pages, change_user, words


@pytest.fixture
def admin(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


def release(admin: Pages, ends: str) -> str:
    """A trip of the laptop's team, released to it."""
    trip = uuid7()
    with admin.app.app_context():
        with reading() as conn:
            own, (laptop,) = log.own(conn), device_rows(conn)
        assert laptop.team is not None
        trips.plan(actor=own, trip=trip, title="山里走访", starts=DAY, ends=ends, team=laptop.team, divisions=[TOWN])
        with transaction() as conn:
            ledger.record(conn, own, trips.released_fact(trip, {laptop.id: []}))
        change_user(own, laptop.team, user(admin, "luo"), phone="13900001111")
    return trip


def waited_for(admin: Pages, trip: str, today: str) -> list[bool]:
    """For each laptop that this trip is waited for: whether it was heard of since."""
    with admin.app.app_context(), reading() as conn:
        return [one.heard for one in silent(conn, today) if one.trip == trip]


def test_a_laptop_is_waited_for_until_it_is_heard_of_after_the_trip(laptop: Pages, admin: Pages) -> None:
    over = release(admin, DAY)
    with admin.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE sync_device SET seen_at = '2020-12-30T10:00:00+00:00' WHERE team IS NOT NULL")
    assert waited_for(admin, over, DAY) == [], "it is still under way"
    assert waited_for(admin, over, "2020-12-31") == [False]
    page = words(admin.get("/devices"))
    assert "结束后没有联系过" in page
    assert "给 罗春和 打电话:13900001111" in page
    assert "山里走访" in page
    sync(laptop, admin)
    assert waited_for(admin, over, "2020-12-31") == []


def test_a_closed_trip_waits_for_nobody(admin: Pages) -> None:
    over = release(admin, DAY)
    with admin.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE sync_device SET seen_at = NULL")
    assert waited_for(admin, over, "2020-12-31") == [False]
    with admin.app.app_context(), reading() as conn:
        own = log.own(conn)
    with admin.app.app_context():
        trips.close(actor=own, trip=over)
    assert waited_for(admin, over, "2020-12-31") == []
