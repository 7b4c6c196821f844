"""What comes together is taken in the order of everything, and not in that in which it came (docs/protocol.md 5)."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from aidvisit.store import ledger
from aidvisit.store.judge import MOST_ERRORS, wrong
from aidvisit.store.ledger import HOUSE
from sync import log
from sync.op import digest_of
from tests.support.store import LAPTOP, NOW, TOWN, TRIP_STREAM, centre, delivered, moved, op, registered, uid, visited

HOME, GIVEN, SEEN, PAPER = uid(1), uid(2), uid(3), uid(4)
OTHER = LAPTOP[:-2] + "d2"


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with centre(database_url) as conn:
        yield conn


@pytest.mark.parametrize("seed", range(8))
def test_two_laptops_say_the_same_or_void_the_same(conn: Connection, seed: int) -> None:
    """Both were away; a third one pulls all of it as one page, numbered as they came back."""
    home, paper = registered(HOME, "覃桂香").body, moved(PAPER, "warehouse:main", "warehouse:two", rice=1).body
    ops = [
        op(1, TOWN, "household.registered", HOME, home, minute=1),
        op(1, TOWN, "household.registered", HOME, home, minute=2, device=OTHER),
        op(2, TOWN, "delivery.recorded", GIVEN, delivered(GIVEN, HOME, {"rice": 1}, trip=None).body, minute=3),
        op(2, TOWN, "delivery.voided", GIVEN, {"reason": "早"}, minute=4, device=OTHER),
        op(3, TOWN, "delivery.voided", GIVEN, {"reason": "晚"}, minute=5),
        op(4, TOWN, "visit.recorded", SEEN, visited(SEEN, HOME, "met").body, minute=6),
        op(5, TOWN, "visit.voided", SEEN, {"reason": "早"}, minute=7),
        op(3, TOWN, "visit.voided", SEEN, {"reason": "晚"}, minute=8, device=OTHER),
        op(6, TRIP_STREAM, "stock.moved", PAPER, paper, minute=9),
        op(4, TRIP_STREAM, "stock.moved", PAPER, paper, minute=10, device=OTHER),
    ]
    random.Random(seed).shuffle(ops)
    entries = [log.new_entry(one, digest_of(one), NOW, n=n) for n, one in enumerate(ops, 1)]
    log.keep(conn, HOUSE, entries)
    differing = [finding for finding in ledger.verify(conn) if "differ from the log" in finding]
    assert differing == []


def test_a_body_without_a_right_element_makes_no_book_of_words() -> None:
    """60 of them fit into a push; what is said of each is kept, and told again whenever it is sent again."""
    body = registered(HOME, "覃桂香").body | {"members": [1] * 30_000}
    problem = wrong(op(1, TOWN, "household.registered", HOME, body), by_centre=False)
    assert problem is not None
    assert problem.name == "invalid-body"
    assert len(problem.members["errors"]) == MOST_ERRORS
    assert len(json.dumps(problem.to_dict(), ensure_ascii=False).encode()) < 20_000
