"""What a restored centre has not numbered again is kept in the log, and in no table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from aidvisit.domain import facts
from aidvisit.store import ledger
from aidvisit.store.ledger import HOUSE
from sync import log
from tests.support.store import arrive, centre, op, registered, tables, uid

HOME = uid(1)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with centre(database_url) as conn:
        yield conn


def test_what_a_restored_centre_has_not_numbered_again_is_not_taken_up_by_an_upgrade(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts no more until its author has sent it again, whether or not it is understood meanwhile."""
    fact = registered(HOME, "覃桂香")
    newer = op(1, fact.stream, fact.kind, fact.subject, fact.body, v=2)
    arrive(conn, newer)
    log.change(conn, {(newer.device, newer.seq): {"n": None, "problem": '{"type": "x"}', "dismissed": True}})
    upgraded = {**facts.KINDS, "household.registered": replace(facts.KINDS["household.registered"], v=2)}
    monkeypatch.setattr(facts, "KINDS", upgraded)
    assert ledger.catch_up(conn) == 1
    assert "household" not in tables(conn)
    log.change(conn, {(newer.device, newer.seq): {"n": 1, "problem": None, "dismissed": False}})
    HOUSE.replay(conn, {HOME})
    assert len(tables(conn)["household"]) == 1
