"""Recording, judging, granting; and the tables that can be made again from the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql

from aidvisit.domain.facts import category_subject, division_subject
from aidvisit.errors import Problem
from aidvisit.store import ledger
from aidvisit.store.judge import why_not
from aidvisit.store.ledger import HOUSE, Fact, record
from aidvisit.store.tables import Allocation, Delivery, Household, Item, StockLine, Trip, Visit, metadata
from sync import log
from sync.log import Grants
from sync.op import Op, digest_of
from tests.support.store import (
    ACTOR,
    LAPTOP,
    NOW,
    TEAM,
    TOWN,
    TRIP,
    TRIP_STREAM,
    TRUCK,
    allotted,
    arrive,
    centre,
    counted,
    delivered,
    item,
    moved,
    op,
    planned,
    registered,
    say,
    tables,
    uid,
    visited,
)

HOME, NEIGHBOUR, FIRST, SECOND = uid(1), uid(2), uid(20), uid(21)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with centre(database_url) as conn:
        yield conn


def as_op(fact: Fact, **rest: Any) -> Op:
    return op(rest.pop("seq", 1), fact.stream, fact.kind, fact.subject, fact.body, **rest)


def refused(conn: Connection, fact: Fact, **rest: Any) -> str | None:
    problem = why_not(conn, as_op(fact, **rest), by_centre=False)
    return problem.name if problem else None


def count(conn: Connection, model: Any) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(model)).scalar_one()


# --- record --------------------------------------------------------------------------------------------------


def test_a_fact_is_in_the_log_and_in_the_tables(conn: Connection) -> None:
    (entry,) = record(conn, ACTOR, registered(HOME, "覃桂香"), now=NOW, salt=lambda: "AAECAwQFBgc")
    assert (entry.op.seq, entry.op.actor, entry.op.body["salt"]) == (1, ACTOR, "AAECAwQFBgc")
    assert log.find(conn, log.own(conn), 1) == entry
    assert conn.execute(sa.select(Household.name)).scalars().all() == ["覃桂香"]


def test_text_is_tidied_by_its_author(conn: Connection) -> None:
    (entry,) = say(conn, registered(HOME, "  Zoe\u0308 "))
    assert entry.op.body["head"]["name"] == "Zoë"


def test_a_double_click_saves_once(conn: Connection) -> None:
    """The second one does not know the salt of the first, and is told of that one."""
    say(conn, registered(HOME, "覃桂香"))
    fact = delivered(FIRST, HOME, {"rice": 1})
    assert say(conn, fact) == say(conn, fact)
    one, two = say(conn, delivered(SECOND, HOME, {"rice": 1}), delivered(SECOND, HOME, {"rice": 1}))
    assert one == two
    assert log.state(conn).last_seq == 3


@pytest.mark.parametrize("at_once", [True, False])
def test_the_same_subject_with_another_body_is_refused_and_nothing_is_kept(conn: Connection, at_once: bool) -> None:
    facts = [registered(HOME, "覃桂香"), registered(HOME, "莫德厚")]
    if not at_once:
        say(conn, facts.pop(0))
    with pytest.raises(Problem) as raised:
        say(conn, registered(NEIGHBOUR, "蓝水妹"), *facts)
    assert raised.value.name == "subject-exists"
    assert log.state(conn).last_seq == (0 if at_once else 1)


def test_what_is_wrong_with_a_body_is_said_by_path(conn: Connection) -> None:
    fact = registered(HOME, "")
    with pytest.raises(Problem) as raised:
        say(conn, fact)
    assert raised.value.name == "invalid-body"
    assert list(raised.value.members["errors"]) == ["head.name"]
    assert "head.name" in raised.value.detail
    assert log.state(conn).last_seq == 0


def test_facts_of_one_breath_may_name_each_other(conn: Connection) -> None:
    say(conn, registered(HOME, "覃桂香"), planned(), allotted((HOME, "rice", 2)), delivered(FIRST, HOME, {"rice": 2}))
    assert count(conn, Allocation) == count(conn, Delivery) == count(conn, Trip) == 1


def test_a_delivery_to_nobody_is_refused(conn: Connection) -> None:
    with pytest.raises(Problem) as raised:
        say(conn, delivered(FIRST, HOME, {"rice": 2}))
    assert raised.value.name == "unknown-subject"
    assert raised.value.members == {"what": "household", "id": HOME}


def test_a_laptop_does_not_record_what_only_the_centre_may(conn: Connection) -> None:
    log.remember(conn, role="field")
    with pytest.raises(Problem) as raised:
        say(conn, item("rice", "大米", "袋"))
    assert raised.value.name == "not-allowed"


def test_a_code_defined_again_is_as_it_was_defined_last(conn: Connection) -> None:
    say(conn, item("rice", "大米", "袋"), item("rice", "大米", "包", spec="10kg"))
    assert conn.execute(sa.select(Item.unit, Item.spec)).all() == [("包", "10kg")]


# --- judge ---------------------------------------------------------------------------------------------------


def test_judging_a_laptops_ops(conn: Connection) -> None:
    other_town = replace(delivered(FIRST, HOME, {"rice": 1}), stream="441225113")
    assert refused(conn, delivered(FIRST, HOME, {"rice": 1})) == "unknown-subject"
    say(conn, registered(HOME, "覃桂香"))
    assert refused(conn, delivered(FIRST, HOME, {"rice": 1})) is None
    assert refused(conn, other_town) == "unknown-subject"
    assert refused(conn, delivered(FIRST, HOME, {})) == "invalid-body"
    assert refused(conn, delivered(FIRST, HOME, {"rice": 1}), v=2) == "unknown-kind"
    assert refused(conn, Fact(TOWN, "household.blessed", HOME, {})) == "unknown-kind"
    assert refused(conn, item("rice", "大米", "袋")) == "not-allowed"
    assert refused(conn, allotted((HOME, "rice", 1))) == "unknown-subject"
    assert refused(conn, planned()) is None
    say(conn, planned())
    assert refused(conn, allotted((NEIGHBOUR, "rice", 1))) is None  # it lives in another stream
    assert refused(conn, Fact(TRIP_STREAM, "trip.released", TRIP, {"devices": [{"device": LAPTOP}]})) == "not-allowed"


def test_what_is_odd_is_never_refused(conn: Connection) -> None:
    """Codes not yet known, a closed household, more than there is: shown, not quarantined."""
    say(conn, registered(HOME, "覃桂香"), planned())
    say(conn, Fact(TOWN, "household.closed", HOME, {"reason": "moved", "date": "2020-01-01"}))
    say(conn, Fact(TRIP_STREAM, "trip.closed", TRIP, {}))
    assert refused(conn, delivered(FIRST, HOME, {"tractor": 999})) is None
    assert refused(conn, Fact(TOWN, "delivery.voided", SECOND, {"reason": "没有这一笔"})) is None


def test_the_same_subject_again_stands_only_when_it_is_equal(conn: Connection) -> None:
    (entry,) = say(conn, registered(HOME, "覃桂香"))
    assert why_not(conn, replace(entry.op, device=LAPTOP), by_centre=False) is None
    other = replace(entry.op, device=LAPTOP, body={**entry.op.body, "salt": "AAAAAAAAAAA"})
    problem = why_not(conn, other, by_centre=False)
    assert problem is not None
    assert problem.name == "subject-exists"
    assert refused(conn, delivered(HOME, HOME, {"rice": 1})) == "subject-exists"


def test_what_is_held_in_quarantine_does_not_exist(conn: Connection) -> None:
    held = as_op(registered(HOME, "覃桂香"))
    log.insert_entries(
        conn, [log.new_entry(held, "00" * 32, NOW, problem=Problem("not-granted", stream=TOWN).to_dict())]
    )
    assert refused(conn, delivered(FIRST, HOME, {"rice": 1})) == "unknown-subject"
    assert refused(conn, registered(HOME, "别人")) is None


def test_a_household_may_be_merged_into_one_of_another_town(conn: Connection) -> None:
    far = replace(registered(NEIGHBOUR, "覃桂香", division="441225113201"), stream="441225113")
    merge = Fact(TOWN, "household.merged", HOME, {"into": NEIGHBOUR, "reason": "同一户"})
    say(conn, registered(HOME, "覃桂香"))
    assert refused(conn, merge) == "unknown-subject"
    say(conn, far)
    assert refused(conn, merge) is None
    assert refused(conn, replace(merge, stream="441225113")) == "unknown-subject"


# --- apply ---------------------------------------------------------------------------------------------------


def counts(conn: Connection) -> dict[str, tuple[bool, bool]]:
    rows = conn.execute(sa.select(Delivery.id, Delivery.counts, Delivery.replaced))
    return {row.id: (row.counts, row.replaced) for row in rows}


def on_truck(conn: Connection) -> list[tuple[str, str, int]]:
    rows = conn.execute(sa.select(StockLine.from_place, StockLine.to_place, StockLine.quantity))
    return sorted(tuple(row) for row in rows)


def test_goods_move_with_the_delivery_that_counts(conn: Connection) -> None:
    say(conn, registered(HOME, "覃桂香"), delivered(FIRST, HOME, {"rice": 2}))
    assert on_truck(conn) == [(TRUCK, f"household:{HOME}", 2)]
    say(conn, delivered(SECOND, HOME, {"rice": 1}, replaces=FIRST, **{"from": "warehouse:main"}))
    assert counts(conn) == {FIRST: (False, True), SECOND: (True, False)}
    assert on_truck(conn) == [("warehouse:main", f"household:{HOME}", 1)]
    say(conn, Fact(TOWN, "delivery.voided", SECOND, {"reason": "录错"}))
    assert counts(conn) == {FIRST: (False, True), SECOND: (False, False)}, "a void does not bring the replaced one back"
    assert on_truck(conn) == []


def test_when_ops_go_away_what_is_left_is_counted_anew(conn: Connection) -> None:
    say(conn, registered(HOME, "覃桂香"), delivered(FIRST, HOME, {"rice": 2}))
    before = tables(conn)
    say(conn, delivered(SECOND, HOME, {"rice": 1}, replaces=FIRST))
    conn.execute(sa.text("DELETE FROM op WHERE subject = :gone"), {"gone": SECOND})
    HOUSE.replay(conn, [SECOND])
    assert tables(conn) == before


def test_goods_of_nowhere_are_delivered_and_move_nothing(conn: Connection) -> None:
    say(conn, registered(HOME, "覃桂香"), delivered(FIRST, HOME, {"rice": 2}, trip=None))
    assert counts(conn) == {FIRST: (True, False)}
    assert on_truck(conn) == []


def test_a_void_may_come_before_its_delivery(conn: Connection) -> None:
    say(conn, registered(HOME, "覃桂香"), Fact(TOWN, "delivery.voided", FIRST, {"reason": "录错"}))
    say(conn, delivered(FIRST, HOME, {"rice": 2}))
    assert counts(conn) == {FIRST: (False, False)}


def test_another_town_voids_nothing_here(conn: Connection) -> None:
    say(conn, registered(HOME, "覃桂香"), delivered(FIRST, HOME, {"rice": 2}), visited(SECOND, HOME, "not-home"))
    for subject, kind in ((FIRST, "delivery.voided"), (SECOND, "visit.voided")):
        say(conn, Fact("441225113", kind, subject, {"reason": "别的镇"}))
    assert counts(conn) == {FIRST: (True, False)}
    assert conn.execute(sa.select(Visit.void_reason)).scalar() is None


def test_an_allotment_of_nothing_takes_the_line_away_but_not_its_place(conn: Connection) -> None:
    say(conn, planned(), allotted((HOME, "rice", 2), (NEIGHBOUR, "rice", 1)), allotted((HOME, "rice", 0)))
    rows = conn.execute(sa.select(Allocation.household, Allocation.quantity).order_by(Allocation.first_key)).all()
    assert rows == [(HOME, 0), (NEIGHBOUR, 1)]


def test_what_this_version_cannot_read_is_not_read_with_what_came_beside_it(conn: Connection) -> None:
    """A newer body may say a thing in another way; one page brings it beside others about its household."""
    strange = Fact(TOWN, "household.updated", HOME, {"set": {"address": {"in": "another shape"}}, "base": {}})
    ops = [as_op(registered(HOME, "覃桂香")), as_op(strange, seq=2, v=2), as_op(registered(HOME, "覃桂香"), seq=3)]
    log.keep(conn, HOUSE, [log.new_entry(op, digest_of(op), NOW, n=n) for n, op in enumerate(ops, 1)])
    assert conn.execute(sa.select(Household.address)).scalar_one() is None
    assert ledger.catch_up(conn) == 0


def test_what_this_version_cannot_read_is_kept_and_taken_up_after_an_upgrade(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = as_op(registered(HOME, "覃桂香"), v=2)
    arrive(conn, newer)
    assert count(conn, Household) == 0
    assert ledger.catch_up(conn) == 0
    from aidvisit.domain import facts

    upgraded = {**facts.KINDS, "household.registered": replace(facts.KINDS["household.registered"], v=2)}
    monkeypatch.setattr(facts, "KINDS", upgraded)
    assert ledger.catch_up(conn) == 1
    assert count(conn, Household) == 1
    assert ledger.catch_up(conn) == 0


# --- grants --------------------------------------------------------------------------------------------------


def enrolled(conn: Connection, divisions: list[str]) -> None:
    body = {"name": "慰问一队", "type": "team", "level": 3, "divisions": divisions}
    say(conn, Fact("org", "team.defined", TEAM, body))
    now = HOUSE.enrolled(conn, LAPTOP, "3 号", "A" * 43, TEAM)
    log.author(conn, HOUSE, now, NOW)


def division(code: str) -> Fact:
    return Fact("org", "division.defined", division_subject(code), {"code": code, "name": code})


def test_a_laptop_that_nobody_knows_gets_what_is_everybodys(conn: Connection) -> None:
    assert HOUSE.grants(conn, LAPTOP) == Grants(frozenset({"org"}))


def test_a_team_stands_for_its_towns(conn: Connection) -> None:
    enrolled(conn, [TOWN, "441225113201", "440785"])
    say(conn, division("440785101"), division("440786101"), division("440785101203"))
    say(conn, replace(registered(HOME, "覃桂香", division="440785102201"), stream="440785102"))
    grants = HOUSE.grants(conn, LAPTOP)
    towns = {TOWN, "441225113", "440785101", "440785102"}
    assert grants == Grants(frozenset({"org", f"team-{TEAM}", *towns}), ("440785",))
    assert grants.cover("440785999"), "a county stands for towns that nobody has heard of"


def test_a_trip_is_granted_to_those_it_was_released_to(conn: Connection) -> None:
    enrolled(conn, [])
    say(conn, planned(divisions=["441225112207", "440785"]))
    assert TRIP_STREAM not in HOUSE.grants(conn, LAPTOP).streams
    say(conn, Fact(TRIP_STREAM, "trip.released", TRIP, {"devices": [{"device": LAPTOP}]}))
    assert HOUSE.grants(conn, LAPTOP) == Grants(
        frozenset({"org", f"team-{TEAM}", TRIP_STREAM, "441225112"}), ("440785",)
    )
    say(conn, Fact(TRIP_STREAM, "trip.released", TRIP, {"devices": []}))
    assert TRIP_STREAM not in HOUSE.grants(conn, LAPTOP).streams


def test_planning_a_trip_grants_its_stream_and_nothing_else(conn: Connection) -> None:
    enrolled(conn, [])
    fact = as_op(planned())
    assert HOUSE.opens(fact)
    assert not HOUSE.opens(replace(fact, subject=uid(7)))
    assert not HOUSE.opens(as_op(allotted((HOME, "rice", 1))))
    arrive(conn, fact)
    assert HOUSE.grants(conn, LAPTOP).streams == {"org", f"team-{TEAM}", TRIP_STREAM}


# --- rebuild, verify, digest ---------------------------------------------------------------------------------


def some_log(conn: Connection) -> None:
    category = {"code": "dibao", "name": "低保户", "level": "household", "synonyms": []}
    say(
        conn,
        item("rice", "大米", "袋"),
        Fact("org", "category.defined", category_subject("dibao"), category),
        registered(HOME, "覃桂香", categories=[{"code": "dibao"}]),
        planned(),
        allotted((HOME, "rice", 2)),
        moved(uid(30), "warehouse:main", TRUCK, rice=43),
        counted(uid(31), rice=41),
        delivered(FIRST, HOME, {"rice": 2}),
        visited(SECOND, HOME, "met"),
    )


def test_rebuild_and_verify_agree_with_what_was_applied(conn: Connection) -> None:
    some_log(conn)
    before, told = tables(conn), []
    assert ledger.verify(conn) == []
    assert ledger.rebuild(conn, lambda done, total: told.append((done, total))) == 9
    assert tables(conn) == before
    assert told == [(9, 9)]
    assert ledger.verify(conn) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (sa.update(Delivery).values(counts=False), f"delivery {FIRST}: counts differ from the log"),
        (sa.delete(StockLine).where(StockLine.source == FIRST), f"stock_line {FIRST}/0: the row is missing"),
        (sa.update(Household).values(id=NEIGHBOUR), f"household {NEIGHBOUR}: the row is not in the log"),
        (sa.text("UPDATE op SET body = replace(body, '43', '44')"), "the record was altered"),
    ],
)
def test_verify_finds_what_was_tampered_with(
    conn: Connection, change: sa.Executable, finding: str, tmp_path: Path
) -> None:
    some_log(conn)
    conn.execute(change)
    findings = ledger.verify(conn)
    assert any(finding in found for found in findings), findings
    (tmp_path / "work").mkdir()
    assert ledger.verify(conn, tmp_path / "work") == findings
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
def test_rows_are_compared_in_one_order_on_every_database(table: sa.Table) -> None:
    """A language's own order would show rows as missing that are there."""
    for key in ledger.keys_of(table):
        kind = table.c[key].type.dialect_impl(postgresql.dialect())
        assert isinstance(kind, sa.Integer) or getattr(kind, "collation", None) == "C", key


def test_rebuild_mends_what_was_tampered_with(conn: Connection) -> None:
    some_log(conn)
    conn.execute(sa.update(Delivery).values(counts=False))
    ledger.rebuild(conn)
    assert ledger.verify(conn) == []


def test_a_digest_for_every_stream_that_is_held(conn: Connection) -> None:
    some_log(conn)
    before = ledger.digest(conn)
    assert set(before) == {"org", TOWN, TRIP_STREAM}
    say(conn, registered(NEIGHBOUR, "莫德厚"))
    changed = {stream for stream, digest in ledger.digest(conn).items() if digest != before[stream]}
    assert changed == {TOWN}
