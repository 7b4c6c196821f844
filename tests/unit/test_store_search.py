"""The one search, on both databases: what is found, in which order, for whom, and what follows when things change."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from aidvisit.domain.facts import division_subject
from aidvisit.domain.rights import Scope
from aidvisit.store.ledger import HOUSE, Fact, rebuild, verify
from aidvisit.store.queries import dated, hits, ranked
from aidvisit.store.queries import search as queries
from aidvisit.store.queries.search import CAP, PAGE, Filters, SearchResult, search
from tests.support.store import TOWN, VILLAGE, delivered, registered, say, statements, uid, visited
from tests.support.village import LAN, MO, QIN, TAO, village

OTHER_VILLAGE = f"{TOWN}208"


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        yield conn


def names(found: SearchResult) -> list[str]:
    return [one.name for one in found.found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("覃", ["覃桂香"]),
        ("桂香", ["覃桂香"]),
        ("qinguixiang", ["覃桂香"]),
        ("qgx", ["覃桂香"]),
        ("tanguix", ["覃桂香"]),
        ("1381234", ["覃桂香"]),
        ("002x", ["覃桂香"]),
        ("11010519491231002X", ["覃桂香"]),
        ("11010519491231002X 莫", []),
        ("一组", ["莫德厚", "陶安石"]),
        ("陶小雨", ["陶安石"]),
        ("t", ["陶安石", "覃桂香"]),
        ("民强", ["莫德厚", "蓝水妹", "覃桂香", "陶安石"]),
        ("封开 二组 蓝", ["蓝水妹"]),
        ("广东省 一组 m", ["莫德厚"]),
        ("北京", []),
        ("藍水妹", ["蓝水妹"]),
        ("%", []),
        ("覃桂香 一组", []),
        ("", []),
    ],
)
def test_search(conn: Connection, text: str, expected: list[str]) -> None:
    found = search(conn, text)
    assert sorted(names(found)) == sorted(expected)
    assert (found.count, found.searched, found.more, found.after) == (len(expected), 4, False, None)


def test_a_line_is_masked_and_says_why_it_is_there(conn: Connection) -> None:
    (line,) = search(conn, "覃").found
    assert (line.phone_masked, line.id_last4, line.tags) == ("138****5678", "002X", ["低保户", "高龄老人"])
    assert (line.group, line.place, line.because) == ("二组", ["封开县", "大玉口镇", "民强村"], None)
    (line,) = search(conn, "小雨").found
    assert (line.name, line.because) == ("陶安石", "陶小雨")


def test_the_best_come_first_and_villages_stay_together(conn: Connection) -> None:
    say(
        conn,
        registered(uid(10), "王安", "三组"),
        registered(uid(11), "李桂", "一组", members=[{"id": uid(12), "name": "王安"}]),
        registered(uid(13), "王安石", "二组", division=OTHER_VILLAGE),
        registered(uid(14), "王安", "九组", division=OTHER_VILLAGE),
    )
    assert names(search(conn, "王安")) == ["王安", "李桂", "王安", "王安石"]
    assert names(search(conn, "wangan")) == ["王安", "李桂", "王安", "王安石"]
    assert [one.division for one in search(conn, "wa").found] == [VILLAGE] * 2 + [OTHER_VILLAGE] * 2


def test_pages_are_cut_at_a_household_and_more_is_said_of_more(conn: Connection) -> None:
    say(conn, *(registered(uid(1000 + i), f"王{'明' * (i % 3)}山", "一组") for i in range(CAP + 20)))
    say(conn, registered(uid(2000), "张山", "一组"))
    first = search(conn, "山")
    assert (first.count, first.more, len(first.found), first.searched) == (CAP, True, PAGE, CAP + 25)
    seen, after = [*first.found], first.after
    while after:
        page = search(conn, "山", after=after)
        seen += page.found
        after = page.after
    assert len({one.id for one in seen}) == len(seen) == CAP
    assert [one.id for one in search(conn, "张山").found] == [uid(2000)]
    assert search(conn, "王山").found[0].name == "王山"


def test_the_best_of_very_many_is_among_those_shown(conn: Connection) -> None:
    say(conn, *(registered(uid(1000 + i), "周王明", "一组") for i in range(CAP + 20)))
    say(conn, registered(uid(2000), "王明", "一组"), registered(uid(2001), "王明亮", "一组"))
    assert names(search(conn, "王明"))[:2] == ["王明", "王明亮"]
    assert names(search(conn, "wm"))[:1] == ["王明"]


def test_filters(conn: Connection) -> None:
    say(conn, registered(uid(10), "陶远", division=OTHER_VILLAGE, categories=[{"code": "dibao"}]))
    assert names(search(conn, "", filters=Filters(category="dibao"))) == ["覃桂香", "陶远"]
    assert names(search(conn, "陶", filters=Filters(category="dibao"))) == ["陶远"]
    assert names(search(conn, "陶", filters=Filters(place=VILLAGE))) == ["陶安石"]
    assert names(search(conn, "", filters=Filters(place=OTHER_VILLAGE))) == ["陶远"]
    assert names(search(conn, "陶", filters=Filters(place=VILLAGE, category="dibao"))) == []
    assert search(conn, "").found == []


def test_who_is_old_enough_is_in_a_category_that_follows_from_age(conn: Connection) -> None:
    """QIN is found by an ID number of 1949-12-31; one day makes the difference, and nobody else's age does."""
    say(
        conn,
        registered(uid(10), "陶远", members=[{"id": uid(11), "name": "陶婆婆", "born": "1940-02-29"}]),
        registered(uid(12), "陶近", head={"name": "陶近", "born": "1950-01-01"}),
        registered(uid(13), "陶中", categories=[{"code": "elder_80"}]),
        registered(uid(14), "老校", kind="institution", head={"name": "陶校长", "born": "1930-01-01"}, name="老校"),
    )
    asked = {"category": "elder_80", "place": VILLAGE}
    for day, found in (
        ("1940-02-28", {"陶中"}),
        ("1940-02-29", {"陶中", "陶远"}),
        ("1949-12-30", {"陶中", "陶远"}),
        ("1949-12-31", {"陶中", "陶远", "覃桂香"}),
        ("1950-01-01", {"陶中", "陶远", "覃桂香", "陶近"}),
        ("2001-10-09", {"陶中", "陶远", "覃桂香", "陶近"}),
    ):
        assert set(names(search(conn, "", filters=Filters(**asked, born_by=day)))) == found, day
        assert set(names(search(conn, "陶", filters=Filters(**asked, born_by=day)))) == {
            one for one in found if one.startswith("陶")
        }
    say(conn, Fact(TOWN, "household.merged", uid(13), {"into": MO, "reason": "同一户"}))
    say(conn, Fact(TOWN, "household.merged", uid(12), {"into": QIN, "reason": "同一户"}))
    found = search(conn, "陶", filters=Filters(category="elder_80", born_by="1949-12-31"))
    assert set(names(found)) == {"覃桂香", "陶远"}
    assert list(verify(conn)) == []


@pytest.mark.parametrize("first", [1, hits.FIRST_HOUSEHOLDS])
@pytest.mark.parametrize("few", [0, hits.FEW])
def test_who_has_the_word_and_the_date_is_found_wherever_they_stand(
    conn: Connection, monkeypatch: pytest.MonkeyPatch, few: int, first: int
) -> None:
    """Whether those who pass the dates are few, and known first, or not; among the first households or later."""
    monkeypatch.setattr(hits, "FIRST_HOUSEHOLDS", first)
    monkeypatch.setattr(hits, "LOOKED_AT", 2)
    monkeypatch.setattr(hits, "FEW", few)
    monkeypatch.setattr(dated, "FEW", dated.ASKED if few else -1)
    say(conn, *(registered(uid(1000 + i), "王明", "一组") for i in range(30)), registered(uid(2000), "王明", "二组"))
    say(conn, *(delivered(uid(3000 + i), uid(1000 + i), {"rice": 1}, date="2020-12-10") for i in range(30)))
    for typed in ("王", "wm", "王明 二组"):
        found = search(conn, typed, filters=Filters(not_served_since="2020-12-01"))
        assert ([one.id for one in found.found], found.more) == ([uid(2000)], False), typed
    assert search(conn, "王", filters=Filters(not_served_since="2020-12-11")).count == 31


@pytest.mark.parametrize("few", [-1, dated.ASKED])
def test_who_passes_the_dates_has_the_words_and_the_best_come_first(
    conn: Connection, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whichever is known first; at a place, in a category, by two words, by a member, and more than are shown."""
    monkeypatch.setattr(dated, "FEW", few)
    say(
        conn,
        *(registered(uid(1000 + i), "周王明", "一组") for i in range(CAP + 20)),
        registered(uid(2000), "王明", "一组", categories=[{"code": "dibao"}]),
        registered(uid(2001), "王明亮", "二组", division=OTHER_VILLAGE),
        registered(uid(2002), "李桂", members=[{"id": uid(2003), "name": "王一"}]),
        registered(uid(2004), "王明", "一组"),
        registered(uid(2005), "王明", "一组"),
        registered(uid(2006), "王", "三组"),
        registered(uid(2007), "张三", "7组"),
    )
    say(
        conn,
        delivered(uid(3000), uid(2004), {"rice": 1}, date="2020-12-10"),
        visited(uid(3001), uid(2001), "met", date="2020-12-10"),
        Fact(TOWN, "household.merged", uid(2005), {"into": uid(2000), "reason": "同一户"}),
    )
    since = {"not_served_since": "2020-12-01", "not_visited_since": "2020-12-01"}

    def found(typed: str, **more: str) -> list[str]:
        return [one.id for one in search(conn, typed, filters=Filters(**since | more)).found]

    assert found("王明")[0] == found("wm")[0] == uid(2000)
    assert search(conn, "王明", filters=Filters(**since)).more
    assert found("王")[:3] == [uid(2006), uid(2000), uid(1000)]
    assert (found("张"), found("7")) == ([uid(2007)], [uid(2007)])
    assert uid(2005) not in found("王")
    assert uid(2004) not in found("王 明 一组")
    assert found("王", category="dibao") == [uid(2000)]
    assert found("王一") == found("桂 王") == [uid(2002)]
    assert found("王", place=OTHER_VILLAGE) == []
    served = Filters(not_served_since="2020-12-01", place=OTHER_VILLAGE)
    assert [one.id for one in search(conn, "王", filters=served).found] == [uid(2001)]


PUPILS = [f"{chr(0x5000 + 2 * i)}{chr(0x5001 + 2 * i)}" for i in range(700)]
SCHOOL = registered(
    uid(2000), "中心小学", kind="institution", name="中心小学",
    members=[{"id": uid(3000 + i), "name": name} for i, name in enumerate(PUPILS)],
)  # fmt: skip


@pytest.mark.parametrize("few", [-1, dated.ASKED])
def test_a_school_with_more_characters_than_an_index_holds_is_kept_and_found(
    conn: Connection, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(dated, "FEW", few)
    say(conn, SCHOOL, registered(uid(2001), PUPILS[0]))
    not_served = Filters(not_served_since="2020-12-01")
    for typed in (PUPILS[-1], PUPILS[-1][0], f"{PUPILS[-1][0]} 中心"):
        assert [one.id for one in search(conn, typed, filters=not_served).found] == [uid(2000)], typed
    assert [one.id for one in search(conn, PUPILS[0][0], filters=not_served).found] == [uid(2001), uid(2000)]
    say(conn, delivered(uid(9000), uid(2000), {"rice": 1}, date="2020-12-10"))
    assert search(conn, PUPILS[-1][0], filters=not_served).found == []
    assert verify(conn) == []


def test_a_database_from_before_gets_the_marks_that_a_registration_gives(conn: Connection) -> None:
    if conn.dialect.name != "postgresql":
        return
    say(conn, registered(uid(10), "买买提 Abdul", "一组", members=[{"id": uid(11), "name": "𠮷娜"}]), SCHOOL)
    marks = sa.text("SELECT household, marks FROM household_search ORDER BY 1")
    given = conn.execute(marks).all()
    assert "买买提abdul|" in "".join(row.marks for row in given)
    conn.execute(sa.text("UPDATE household_search SET marks = NULL"))
    conn.execute(sa.text(import_module("aidvisit.store.migrations.versions.0019_marks").MARKS))
    assert conn.execute(marks).all() == given


@pytest.mark.parametrize("ways", [1, 2, hits.MATCHES])
def test_common_and_rare_are_found_after_the_first_households(
    conn: Connection, monkeypatch: pytest.MonkeyPatch, ways: int
) -> None:
    """Also where a spelling may mean more than is asked one by one."""
    say(conn, *(registered(uid(1000 + i), "王明", "一组") for i in range(5)), registered(uid(2000), "王仙安", "二组"))
    typed = ("王", "w", "wa", "wangxian", "wxa", "王 安", "xian")
    all_at_once = [sorted(one.id for one in search(conn, each).found) for each in typed]
    assert all(uid(2000) in found for found in all_at_once if len(found) == 1)
    monkeypatch.setattr(ranked, "FIRST_HOUSEHOLDS", 2)
    monkeypatch.setattr(hits, "MATCHES", ways)
    assert [sorted(one.id for one in search(conn, each).found) for each in typed] == all_at_once


@pytest.mark.parametrize(
    ("rare", "common", "following"),
    [(0, 3, 5), (0, 2, 5), (0, 2, 300), (0, 1, 150), (ranked.RARE, ranked.COMMON, ranked.NEXT_HOUSEHOLDS)],
)
def test_many_whom_the_first_households_say_nothing_of_come_in_the_same_order(
    conn: Connection, monkeypatch: pytest.MonkeyPatch, rare: int, common: int, following: int
) -> None:
    """However many are asked after them: the next households, all, or those and then all."""
    say(conn, *(registered(uid(1000 + i), f"{'王李'[i % 2]}明山", "一组") for i in range(CAP + 20)))
    say(conn, registered(uid(2000), "山", "二组"), registered(uid(2001), "山明", "二组"))
    typed = ("山", "明山", "ms", "mingshan", "王", "李 山", "lms")
    at_once = [_shown(search(conn, each)) for each in typed]
    monkeypatch.setattr(ranked, "FIRST_HOUSEHOLDS", 2)
    monkeypatch.setattr(ranked, "RARE", rare)
    monkeypatch.setattr(ranked, "COMMON", common)
    monkeypatch.setattr(ranked, "NEXT_HOUSEHOLDS", following)
    found = [_shown(search(conn, each)) for each in typed]
    assert [(count, more) for count, more, _ in found] == [(count, more) for count, more, _ in at_once]
    assert found[0][2][:2] == at_once[0][2][:2] == ["山", "山明"]


@pytest.mark.parametrize("number", [queries.PAGE - 1, queries.PAGE])
def test_what_letters_may_mean_besides_is_asked_where_pinyin_fills_no_page(conn: Connection, number: int) -> None:
    say(
        conn, *(registered(uid(1000 + i), "楼明", "一组") for i in range(number)), registered(uid(2000), "李欧", "二组")
    )
    found = [one.name for one in search(conn, "lou").found]
    assert found == ["楼明"] * number + ["李欧"] * (number < queries.PAGE)
    assert [one.name for one in search(conn, "liou").found] == ["李欧"]


def _shown(result: queries.SearchResult) -> tuple[int, bool, list[str]]:
    return result.count, result.more, [one.name for one in result.found]


def test_a_number_that_tokens_only_hint_at_is_found_wherever_it_stands(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "LOOKED_AT", 2)
    near = [registered(uid(1000 + i), "王明", head={"name": "王明", "phone": "13811112222"}) for i in range(30)]
    there = registered(uid(2000), "王明", head={"name": "王明", "phone": "13811111222"})
    say(conn, *near, there)
    assert [one.id for one in search(conn, "11111").found] == [uid(2000)]


def test_last_visit_and_last_delivery_follow_what_is_known(conn: Connection) -> None:
    def due(since: str, text: str = "") -> set[str]:
        return {one.id for one in search(conn, text, filters=Filters(not_served_since=since)).found}

    def unvisited(since: str) -> set[str]:
        return {one.id for one in search(conn, "", filters=Filters(not_visited_since=since)).found}

    everybody = {QIN, MO, LAN, TAO}
    assert due("2020-12-30") == unvisited("2020-12-30") == everybody
    say(conn, delivered(uid(20), QIN, {"rice": 1}, date="2020-12-10"), visited(uid(30), MO, "met"))
    say(conn, visited(uid(31), LAN, "not-home"))
    assert due("2020-12-10") == everybody - {QIN}
    assert due("2020-12-11") == everybody
    assert due("2020-12-10", "覃") == set()
    assert due("2020-12-11", "覃") == {QIN}
    assert unvisited("2020-12-30") == everybody - {MO}
    assert search(conn, "覃").found[0].last_delivery == "2020-12-10"
    say(conn, delivered(uid(21), QIN, {"rice": 1}, date="2020-12-20", replaces=uid(20)))
    assert due("2020-12-11") == everybody - {QIN}
    say(conn, Fact(TOWN, "delivery.voided", uid(21), {"reason": "录错"}))
    say(conn, Fact(TOWN, "visit.voided", uid(30), {"reason": "录错"}))
    assert due("2020-12-01") == unvisited("2020-12-01") == everybody
    say(conn, delivered(uid(22), QIN, {"rice": 1}, date="2020-12-21"))
    say(conn, Fact(TOWN, "household.updated", QIN, {"set": {"note": "听力不好"}}))
    assert due("2020-12-21") == everybody - {QIN}
    say(conn, Fact(TOWN, "household.merged", QIN, {"into": MO, "reason": "同一户"}))
    assert due("2020-12-21") == {LAN, TAO}
    say(conn, Fact(TOWN, "household.unmerged", QIN, {"reason": "不是同一户"}))
    assert due("2020-12-21") == {MO, LAN, TAO}
    assert verify(conn) == []


def test_a_merged_household_is_found_as_what_it_is_now(conn: Connection) -> None:
    say(conn, Fact(TOWN, "household.merged", QIN, {"into": MO, "reason": "同一户"}))
    say(conn, Fact(TOWN, "household.merged", MO, {"into": LAN, "reason": "同一户"}))
    for typed in ("覃桂香", "qgx", "13812345678", "5678"):
        (line,) = search(conn, typed).found
        assert (line.id, line.name, line.because) == (LAN, "蓝水妹", "覃桂香"), typed
    assert search(conn, "蓝 二组").count == 1
    assert search(conn, "覃", filters=Filters(place=OTHER_VILLAGE)).found == []
    assert search(conn, "覃", filters=Filters(category="dibao")).found == []
    assert search(conn, "覃", scope=Scope((OTHER_VILLAGE,))).found == []
    assert search(conn, "覃").searched == 2
    say(conn, Fact(TOWN, "household.unmerged", QIN, {"reason": "不是同一户"}))
    (line,) = search(conn, "覃").found
    assert (line.id, line.because) == (QIN, None)


def test_edits_are_found_at_once_and_what_was_is_not(conn: Connection) -> None:
    say(conn, Fact(TOWN, "household.updated", QIN, {"set": {"head.name": "覃玉", "head.phone": None}}))
    assert names(search(conn, "覃玉")) == ["覃玉"]
    assert search(conn, "桂香").found == []
    assert search(conn, "12345678").found == []
    moved = {"set": {"division": OTHER_VILLAGE}}
    say(conn, Fact(TOWN, "household.updated", QIN, moved))
    assert names(search(conn, "覃", filters=Filters(place=OTHER_VILLAGE))) == ["覃玉"]
    assert search(conn, "覃", scope=Scope((OTHER_VILLAGE,))).searched == 1
    assert search(conn, "", scope=Scope((VILLAGE,))).searched == 3
    assert verify(conn) == []


def test_what_is_withdrawn_leaves_no_token(conn: Connection) -> None:
    HOUSE.forget(conn, TOWN)
    assert _rows_in_the_index(conn) == 0
    assert (search(conn, "覃").found, search(conn, "覃").searched) == ([], 0)


def test_a_rebuild_gives_the_same_index_and_verify_compares_it(conn: Connection) -> None:
    assert verify(conn) == []
    rebuild(conn)
    assert names(search(conn, "覃")) == ["覃桂香"]
    assert verify(conn) == []
    n = conn.execute(sa.text("SELECT n FROM household_search WHERE household = :one"), {"one": QIN}).scalar_one()
    column = "rowid" if conn.dialect.name == "sqlite" else "n"
    conn.execute(sa.text(f"DELETE FROM household_index WHERE {column} = :n"), {"n": n})
    assert verify(conn) == [f"household_index {QIN}: tokens differ from the log"]


def test_divisions_go_by_their_new_name_at_once(conn: Connection) -> None:
    assert search(conn, "自强").found == []
    say(conn, Fact("org", "division.defined", division_subject(VILLAGE), {"code": VILLAGE, "name": "自强村"}))
    assert search(conn, "自强").count == 4
    assert search(conn, "民强").count == 0


def test_a_search_takes_few_statements_however_many_it_finds(conn: Connection) -> None:
    say(conn, *(registered(uid(1000 + i), f"王{'明' * (i % 3)}山", "一组") for i in range(CAP + 20)))
    search(conn, "山")
    with statements(conn) as seen:
        queries.search(conn, "山")
    assert len(seen) <= 12, seen


def _rows_in_the_index(conn: Connection) -> int:
    if conn.dialect.name == "postgresql":
        return int(conn.execute(sa.text("SELECT count(*) FROM household_index")).scalar_one())
    return len(conn.execute(sa.text("SELECT rowid FROM household_index WHERE household_index MATCH 'd44'")).all())
