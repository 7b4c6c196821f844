"""Two households that may be one: found, merged with nothing lost, told apart, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Connection

from aidvisit.domain.likeness import Reason
from aidvisit.domain.rights import Scope
from aidvisit.domain.selection import Selection
from aidvisit.services import audit
from aidvisit.store.ledger import Fact, verify
from aidvisit.store.queries import comparison, household, overview, report, trip
from aidvisit.store.queries.duplicate import duplicates
from aidvisit.store.queries.pair import Pair, pairs, still
from aidvisit.store.queries.verdict import DIFFERENT, MAYBE_SAME, verdicts
from aidvisit.store.queries.warning import warnings
from sync.op import uuid7
from tests.support.store import (
    TOWN,
    TRIP,
    VILLAGE,
    arrive,
    centre,
    delivered,
    op,
    registered,
    say,
    statements,
    tables,
    uid,
    visited,
)  # fmt: skip
from tests.support.village import DAY, LAN, MO, QIN, TAO, quantity, village

NUMBER = "11010519491231002X"
TWIN = uid(50)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        yield conn


@pytest.fixture
def empty(database_url: str) -> Iterator[Connection]:
    with centre(database_url) as conn:
        yield conn


def merged(household: str, into: str, town: str = TOWN) -> Fact:
    return Fact(town, "household.merged", household, {"into": into, "reason": "同一户"})


def unmerged(household: str) -> Fact:
    return Fact(TOWN, "household.unmerged", household, {"reason": "并错了"})


def twin(identity: str = TWIN, **more: Any) -> Fact:
    """覃桂香 of the village, registered again."""
    return registered(identity, "覃桂香", **({"head": {"name": "覃桂香", "id_number": NUMBER}} | more))


def access(what: str, one: str, other: str) -> Fact:
    return Fact("office", "access.recorded", uuid7(), {"what": what, "household": one, "detail": other})


def ids(found: list[Pair]) -> list[tuple[str, str]]:
    return [pair.ids for pair in found]


# --- found ---------------------------------------------------------------------------------------------------


def test_pairs_are_found_by_every_key_the_likeliest_first(empty: Connection) -> None:
    def head(name: str, **more: Any) -> dict[str, Any]:
        return {"head": {"name": name, **more}}

    say(
        empty,
        registered(uid(1), "", **head("甲一一", id_number="110105491231002")),
        registered(uid(2), "", **head("乙二二", id_number=NUMBER.lower()), division="441225112208"),
        registered(uid(3), "", "一组", **head("单晓明")),
        registered(uid(4), "", "一组", members=[{"id": uid(90), "name": "單小名"}], **head("丁四四")),
        registered(uid(5), "", **head("陈秀英", born="1950-03-04")),
        registered(uid(6), "", **head("陈秀芳", born="1950-04-03")),
        registered(uid(7), "", **head("蓝英", phone="13800000000")),
        registered(uid(8), "", **head("蓝水英", phone="8613800000000")),
        registered(uid(9), "", **head("莫德厚", born="1940-01-31")),
        registered(uid(10), "", **head("莫得福", born="1941-01-31")),
        registered(uid(11), "", **head("覃一")),
    )
    found = pairs(empty)
    assert ids(found) == [(uid(1), uid(2)), (uid(5), uid(6)), (uid(7), uid(8)), (uid(3), uid(4))]
    assert found[0].reasons[0] is Reason.NUMBER
    assert found[3].persons == ("单晓明", "單小名")
    assert not any(pair.sure for pair in found)
    assert still(empty, ids(found)) == found


def test_beyond_doubt_is_one_right_number_one_name_and_one_village_of_the_heads(conn: Connection) -> None:
    say(conn, twin())
    (pair,) = pairs(conn)
    assert (pair.ids, pair.sure, pair.score) == ((QIN, TWIN), True, 100)
    say(conn, Fact(TOWN, "household.updated", TWIN, {"set": {"head.id_number": NUMBER[:-1] + "1"}, "base": {}}))
    assert not pairs(conn)[0].sure


@pytest.mark.parametrize(
    "gone",
    [
        Fact(TOWN, "household.closed", TWIN, {"reason": "duplicate", "date": DAY}),
        merged(TWIN, QIN),
        merged(QIN, TWIN),
        access(DIFFERENT, QIN, TWIN),
    ],
)
def test_who_is_gone_or_was_judged_is_not_shown_again(conn: Connection, gone: Fact) -> None:
    say(conn, twin(), gone)
    assert pairs(conn) == []
    assert still(conn, [(QIN, TWIN)]) == []


def test_two_that_are_different_come_back_when_it_is_taken_back(conn: Connection) -> None:
    say(conn, twin(), access(DIFFERENT, QIN, TWIN), access(MAYBE_SAME, QIN, TWIN))
    assert ids(pairs(conn)) == [(QIN, TWIN)]
    say(conn, access(DIFFERENT, QIN, TWIN), merged(LAN, QIN))
    assert pairs(conn) == []
    assert {DIFFERENT, MAYBE_SAME} <= set(audit.WHATS)


def test_what_was_merged_speaks_for_the_household_that_it_is_part_of(conn: Connection) -> None:
    say(conn, twin(), merged(TWIN, MO))
    (pair,) = pairs(conn)
    assert pair.ids == (QIN, MO)
    assert pair.persons == ("覃桂香", "覃桂香")


def test_pairs_lie_in_the_scope_of_both(conn: Connection) -> None:
    say(conn, Fact("440783101", "household.registered", TWIN, twin().body | {"division": "440783101001"}))
    assert len(pairs(conn)) == 1
    assert len(pairs(conn, Scope((TOWN, "440783")))) == 1
    assert len(pairs(conn, Scope((VILLAGE, "440783101001")))) == 1
    assert pairs(conn, Scope((TOWN,))) == []
    assert still(conn, [(QIN, TWIN)], Scope((TOWN,))) == []


def test_as_many_statements_for_many_households(conn: Connection) -> None:
    with statements(conn) as few:
        pairs(conn)
    say(conn, *(twin(uid(100 + i)) for i in range(30)))
    with statements(conn) as many:
        assert len(pairs(conn)) == 31 * 30 / 2
    assert len(many) <= len(few) + 1


def test_the_latest_verdicts_that_stand(conn: Connection) -> None:
    say(conn, twin(), access(DIFFERENT, QIN, MO), merged(TWIN, QIN), merged(LAN, QIN), unmerged(LAN))
    last, first = verdicts(conn)
    assert (last.merged, last.household, last.other, last.name, last.reason) == (True, TWIN, QIN, "覃桂香", "同一户")
    assert (first.merged, first.household, first.other_name) == (False, QIN, "莫德厚")
    say(conn, access(MAYBE_SAME, QIN, MO), unmerged(TWIN))
    assert verdicts(conn) == []
    assert verdicts(conn, Scope(("440783",))) == []


# --- merged: nothing lost, everything follows -----------------------------------------------------------------


def everything(conn: Connection) -> dict[str, Any]:
    """What pages make of the village."""
    shown = overview.overview(conn)
    return {
        "today": [(one.id, one.state, one.allotted, one.delivered) for one in trip.today(conn, TRIP).households],
        "households": [household.household(conn, one) for one in (QIN, MO, LAN, TAO, TWIN)],
        "duplicates": duplicates(conn),
        "warnings": [warnings(conn, one, {"rice": 1}, DAY, TRIP) for one in (QIN, MO, TWIN)],
        "numbers": (shown.households, report.total(conn, Selection(), today=DAY)),
        "sides": [comparison.side(conn, one) for one in (QIN, MO, TWIN)],
        "pairs": pairs(conn),
    }


@pytest.fixture
def lived(conn: Connection) -> Connection:
    """覃桂香 registered twice, with a life under either id."""
    say(
        conn,
        twin(members=[{"id": uid(60), "name": "覃小梅"}], categories=[{"code": "dibao"}]),
        delivered(uid(20), QIN, {"rice": 1}, date="2020-12-20", trip=None),
        delivered(uid(21), TWIN, {"rice": 2}),
        visited(uid(40), TWIN, "met", date="2020-11-01"),
    )
    return conn


def test_everything_follows_a_merge_and_comes_back(lived: Connection) -> None:
    before = everything(lived)
    rows = tables(lived)
    say(lived, merged(TWIN, QIN))
    shown = overview.overview(lived)
    assert (shown.households, report.total(lived, Selection(), today=DAY).households) == (4, 1)
    assert [(one.first.delivery, one.second.delivery) for one in duplicates(lived)] == [(uid(20), uid(21))]
    assert {one.rule for one in warnings(lived, QIN, {"rice": 1}, DAY, TRIP)} >= {"repeat-interval"}
    (stop,) = (one for one in trip.today(lived, TRIP).households if one.id == QIN)
    assert stop.delivered == [quantity("rice", 2)]
    side = comparison.side(lived, QIN)
    assert side is not None
    assert [part.view.id for part in side.parts] == [QIN, TWIN]
    assert [one.name for one in side.parts[1].view.members] == ["覃小梅"]
    assert side.parts[1].merged is not None
    assert side.parts[1].merged.reason == "同一户"
    assert (side.delivered, side.visits) == (2, 1)
    assert len(household.timeline(lived, QIN).entries) == len(household.timeline(lived, TWIN).entries) == 6
    assert verify(lived) == []
    say(lived, unmerged(TWIN))
    assert everything(lived) == before
    assert {name: held for name, held in tables(lived).items() if name != "household"} == {
        name: held for name, held in rows.items() if name != "household"
    }


def test_an_edit_of_what_was_merged_stays_with_it_and_is_shown(lived: Connection) -> None:
    say(lived, merged(TWIN, QIN))
    member = {"id": uid(61), "name": "覃新生"}
    say(
        lived,
        Fact(TOWN, "household.updated", TWIN, {"set": {"note": "改过"}, "base": {}, "add": {"members": [member]}}),
    )
    side = comparison.side(lived, QIN)
    assert side is not None
    assert [one.name for one in side.view.members] == []
    assert [one.name for one in side.parts[1].view.members] == ["覃小梅", "覃新生"]
    say(lived, unmerged(TWIN))
    restored = comparison.side(lived, TWIN)
    assert restored is not None
    assert [one.name for one in restored.view.members] == ["覃小梅", "覃新生"]
    assert restored.view.note == "改过"


def standing(conn: Connection) -> tuple[Any, ...]:
    shown = overview.overview(conn)
    return shown.households, [comparison.side(conn, one).view.id for one in (QIN, MO, LAN, TWIN)]  # type: ignore[union-attr]


def test_chains_and_circles_end_in_one_household_whatever_came_first(database_url: str) -> None:
    """A into B at one laptop, B into A at another, and C into B at a third."""
    facts = [merged(QIN, MO), merged(MO, QIN), merged(LAN, MO)]
    seen = set()
    for order in permutations(range(3)):
        with village(database_url) as conn:
            say(conn, twin())
            for i in order:
                arrive(conn, op(i + 1, TOWN, facts[i].kind, facts[i].subject, facts[i].body, minute=i))
            seen.add(repr(standing(conn)))
            assert verify(conn) == []
            assert [comparison.side(conn, one).view.id for one in (QIN, MO, LAN)] == [QIN] * 3  # type: ignore[union-attr]
            conn.rollback()
    assert len(seen) == 1


def test_the_least_of_a_circle_is_warned_of_as_what_stands(conn: Connection) -> None:
    say(conn, merged(QIN, MO), merged(MO, QIN))
    rules = {one: {warning.rule for warning in warnings(conn, one, {"oil": 1}, DAY, None)} for one in (QIN, MO)}
    assert rules == {QIN: set(), MO: {"household-closed"}}


def test_one_that_was_merged_into_what_is_not_held_here_is_not_lost(conn: Connection) -> None:
    """A laptop holds one of two towns: the household of the other town that counts is not there."""
    arrive(conn, op(1, TOWN, "household.merged", LAN, merged(LAN, uid(999)).body))
    assert overview.overview(conn).households == 4
    assert verify(conn) == []
