"""The overview's charts: exact where counting is quick, else as they were counted last, which is said and mended."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.domain.selection import Selection
from aidvisit.services import charts
from aidvisit.services.charts import Kept
from aidvisit.services.report import Charts
from aidvisit.services.report import charts as counted
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from sync import clock, log
from tests.support.pages import Pages, words
from tests.support.store import delivered, uid

TODAY = "2021-01-05"


def shown(office: Pages, scope: Scope = EVERYTHING) -> Kept:
    """What a page would show; what is counted behind it has ended when this returns."""

    def count(conn: Connection) -> Charts:
        return counted(conn, Selection(), scope, today=TODAY)

    with office.app.app_context(), reading() as conn:
        found = charts.current(conn, "year", scope, count)
    for thread in threading.enumerate():
        if thread.name == "charts":
            thread.join()
    return found


def give(office: Pages, number: int) -> None:
    home = office.households()[number].id
    with office.app.app_context(), transaction() as conn:
        ledger.record(conn, log.own(conn), delivered(uid(20 + number), home, {"rice": 1}, trip=None))


def times(kept: Kept) -> int:
    return kept.charts.whole.figure.times


def test_what_is_counted_quickly_is_never_old(office: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "QUICK_S", 60)
    for number in range(3):
        give(office, number)
        found = shown(office)
        assert (times(found), found.stale) == (number + 1, False)


def test_what_takes_long_is_shown_as_it_was_counted_and_counted_anew(
    office: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "QUICK_S", 0)
    give(office, 0)
    first = shown(office)
    assert shown(office) is first
    give(office, 1)
    old = shown(office)
    assert (times(old), old.stale, old.at) == (1, True, first.at)
    new = shown(office)
    assert (times(new), new.stale) == (2, False)
    assert times(shown(office, Scope())) == 0


def test_what_was_counted_more_than_a_day_ago_is_not_shown(office: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "QUICK_S", 0)
    give(office, 0)
    shown(office)
    give(office, 1)
    later = clock.wall() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert times(shown(office)) == 2


def test_the_overview_says_that_it_is_being_counted_anew(office: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "QUICK_S", 0)
    assert office.sign_in("office").status_code == 303
    assert "正在重数" not in words(office.get("/"))
    give(office, 0)
    assert "正在重数" in words(office.get("/"))
    for thread in threading.enumerate():
        if thread.name == "charts":
            thread.join()
    assert "正在重数" not in words(office.get("/"))
