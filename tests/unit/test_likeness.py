"""Who may be one and the same: by what, how surely, and found by keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from aidvisit.domain.id_number import check_digit
from aidvisit.domain.likeness import Reason, Someone, alike, keys, near_birth, same_number
from aidvisit.domain.rights import Scope
from aidvisit.store import migrations
from aidvisit.store.ledger import Fact, catch_up, rebuild, verify
from aidvisit.store.queries.likeness import Candidate, candidates, candidates_of
from aidvisit.store.tables import LikenessKey
from tests.support.store import TOWN, VILLAGE, centre, registered, say, statements, uid

OLD, NEW = "110105491231002", "11010519491231002X"
NUMBER = Reason.NUMBER


def some(name: str, division: str = VILLAGE, **more: Any) -> Someone:
    return Someone(name, division=division, **more)


@pytest.mark.parametrize(
    ("one", "other", "reasons"),
    [
        (some("甲", id_number=OLD), some("乙", "441225112208", id_number=NEW.lower()), {NUMBER, Reason.BORN}),
        (some("甲", id_number="E12345678"), some("甲", "440783101001", id_number="e12345678"), {NUMBER, Reason.NAME}),
        (some("陈秀英"), some("陳 秀英"), {Reason.NAME, Reason.VILLAGE}),
        (some("单晓明", group="一组"), some("单小名", group="一组"), {Reason.SOUND, Reason.VILLAGE, Reason.GROUP}),
        (
            some("陈秀英", born="1950-03-04"),
            some("陈秀芳", born="1950-04-03"),
            {Reason.CHARACTER, Reason.SWAPPED, Reason.VILLAGE},
        ),
        (
            some("陈英", phone="13800000000"),
            some("陈秀英", phone="+86 138-0000-0000"),
            {Reason.CHARACTER, Reason.PHONE, Reason.VILLAGE},
        ),
        (
            some("陈秀英", born="1950-02-17", phone="3200000"),
            some("张三", "441225112208", born="1950-02-17", phone="3200000"),
            {Reason.PHONE, Reason.BORN},
        ),
    ],
)
def test_alike_and_by_what(one: Someone, other: Someone, reasons: set[Reason]) -> None:
    found = alike(one, other)
    assert found is not None
    assert set(found.reasons) == reasons
    assert all(" / " in reason.words for reason in found.reasons)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (some("陈秀英"), some("陈秀芳")),  # sisters
        (some("陈秀英", born="1950-01-05"), some("陈秀英", "441225112208", born="1950-01-05")),  # of two villages
        (some("陈秀英", born="1950-01-05"), some("陈秀英", born="1980-08-09", group="一组")),
        (some("陈英", born="1950-01-05"), some("陈芳", born="1950-01-05")),  # of two characters one is the surname
        (some("陈秀英", born="1950-01-05"), some("莫德厚", born="1950-01-05")),
        (some("陈秀英", phone="13800000000"), some("莫德厚", phone="13800000000")),  # the neighbour's
        (some("陈秀英", phone="1"), some("陈秀芳", phone="1")),
        (
            some("陈秀英", id_number=NEW),
            some("陈秀英", id_number="44078319500304122" + check_digit("44078319500304122")),
        ),
        (some("", id_number=""), some("", id_number="")),
        (some("阿布都·A", group="一组"), some("阿布都·B", group="一组")),
        (some("大槐小学"), some("大槐小学", institution=True)),
    ],
)
def test_not_enough_to_look_at(one: Someone, other: Someone) -> None:
    assert alike(one, other) is None


def test_institutions_by_the_end_of_their_names_in_a_town() -> None:
    long, short = (
        some("恩平市大槐镇中心小学", institution=True),
        some("大槐中心小学", VILLAGE[:9] + "001", institution=True),
    )
    found = alike(long, short)
    assert found is not None
    assert found.reasons == (Reason.PART,)
    assert alike(long, some("大槐中心小学", "440783101001", institution=True)) is None


def test_near_birth_dates() -> None:
    assert near_birth("1950-02-28", "1951-02-28") is Reason.YEAR
    assert near_birth("1950-01-01", "1950-02-17") is Reason.CALENDAR
    assert near_birth("1950-01-01", "1950-03-03") is None
    assert near_birth("1950", "1950") is None


NAMES = st.text("陈秀英芳单晓小明", min_size=2, max_size=3)
DATES = st.sampled_from(["1950-03-04", "1950-04-03", "1951-03-04", "1950-03-05", "1950-02-20", "1980-01-01"])
PEOPLE = st.builds(
    Someone,
    NAMES,
    id_number=st.sampled_from(["", OLD, NEW]),
    phone=st.sampled_from(["", "13800000000", "13800000001"]),
    born=st.one_of(st.just(""), DATES),
    division=st.sampled_from([VILLAGE, "441225112208"]),
    group=st.sampled_from(["", "一组"]),
)


@settings(max_examples=400)
@given(PEOPLE, PEOPLE)
def test_who_is_alike_is_so_both_ways_and_found_by_a_key(one: Someone, other: Someone) -> None:
    assert alike(one, other) == alike(other, one)
    if alike(one, other):
        first, second = keys(one), keys(other)
        near = second.birth is not None and second.birth in first.births()
        shared = [getattr(first, key) for key in ("number", "phone", "name") if getattr(first, key) is not None]
        assert near or set(shared) & {second.number, second.phone, second.name}


@given(PEOPLE)
def test_everybody_is_like_themselves_where_a_village_is_known(one: Someone) -> None:
    assert alike(one, one) is not None
    assert same_number(one.id_number, one.id_number) == bool(one.id_number)


# --- candidates ----------------------------------------------------------------------------------------------

QIN, MO, LAN, SCHOOL = uid(1), uid(2), uid(3), uid(4)


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with centre(database_url) as conn:
        say(
            conn,
            registered(QIN, "覃桂香", head={"name": "覃桂香", "id_number": OLD, "phone": "13812345678"}),
            registered(MO, "莫德厚", members=[{"id": uid(9), "name": "莫小雨", "born": "2012-05-06"}]),
            registered(LAN, "蓝水妹", "二组"),
            registered(SCHOOL, "莫德厚", kind="institution", name="大玉口镇中心小学"),
        )
        yield conn


def told(found: list[Candidate]) -> list[tuple[str, str]]:
    return [(one.household, one.person) for one in found]


def test_candidates_by_number_name_and_member(conn: Connection) -> None:
    assert told(candidates(conn, some("谁", "440783101001", id_number=NEW))) == [(QIN, "覃桂香")]
    (member,) = candidates(conn, some("莫晓雨", born="2012-06-05", group="一组"))
    assert (member.household, member.name, member.person, member.member) == (MO, "莫德厚", "莫小雨", uid(9))
    assert member.reasons[:2] == (Reason.SOUND, Reason.SWAPPED)
    assert told(candidates(conn, some("大玉口中心小学", VILLAGE[:9] + "001", institution=True))) == [
        (SCHOOL, "大玉口镇中心小学")
    ]
    assert candidates(conn, some("谁", id_number="")) == []


def test_who_was_merged_is_found_as_what_it_is_now(conn: Connection) -> None:
    say(conn, Fact(TOWN, "household.merged", LAN, {"into": QIN, "reason": "同一户"}))
    (found,) = candidates(conn, some("蓝水妹"))
    assert (found.household, found.name, found.person) == (QIN, "覃桂香", "蓝水妹")
    assert candidates(conn, some("蓝水妹"), apart_from=[QIN]) == []
    say(conn, Fact(TOWN, "household.unmerged", LAN, {"reason": "不是"}))
    assert told(candidates(conn, some("蓝水妹"))) == [(LAN, "蓝水妹")]


def test_candidates_lie_in_the_scope(conn: Connection) -> None:
    assert told(candidates(conn, some("蓝水妹"), scope=Scope((TOWN,)))) == [(LAN, "蓝水妹")]
    assert candidates(conn, some("蓝水妹"), scope=Scope(("440783",))) == []


def test_what_very_many_share_says_nothing(conn: Connection) -> None:
    say(
        conn, *(registered(uid(100 + i), f"户{i}", head={"name": f"户{i}", "phone": "07507720000"}) for i in range(101))
    )
    assert candidates(conn, some("户", phone="07507720000")) == []


def test_many_at_once_are_as_one_by_one_with_few_statements(conn: Connection) -> None:
    people = [some("覃桂香"), some("谁"), some("莫小雨", born="2012-05-01"), some("覃桂香", phone="13812345678")]
    with statements(conn) as sent:
        found = candidates_of(conn, people * 50)
    assert len(sent) <= 8
    assert found[:4] == [candidates(conn, one) for one in people]


def test_households_of_before_the_upgrade_get_their_keys(conn: Connection) -> None:
    before = conn.execute(LikenessKey.__table__.select()).all()
    scripts = ScriptDirectory.from_config(migrations.config(conn)).walk_revisions()
    (migration,) = (script.module for script in scripts if script.path.endswith("_likeness.py"))
    with Operations.context(MigrationContext.configure(conn)):
        migration.downgrade()
        migration.upgrade()
    assert conn.execute(LikenessKey.__table__.select()).all() == []
    catch_up(conn)
    assert sorted(conn.execute(LikenessKey.__table__.select()).all()) == sorted(before)
    assert verify(conn) == []


def test_an_edit_moves_the_keys_and_a_replay_gives_the_same(conn: Connection) -> None:
    say(conn, Fact(TOWN, "household.updated", LAN, {"set": {"head.name": "蓝水梅"}, "base": {}}))
    assert candidates(conn, some("蓝水妹", group="二组")) != []  # the same sound
    say(conn, Fact(TOWN, "household.updated", LAN, {"set": {"head.name": "蓝大山"}, "base": {}}))
    assert candidates(conn, some("蓝水妹", group="二组")) == []
    assert verify(conn) == []
    rebuild(conn)
    assert told(candidates(conn, some("蓝大山"))) == [(LAN, "蓝大山")]
    assert conn.execute(LikenessKey.__table__.select()).all() != []
