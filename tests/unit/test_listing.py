"""Lists for work: who was not visited or not served, on both databases; on screen, on paper, as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.store.database import reading
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import listing
from aidvisit.store.queries.listing import Listed, Wanted
from sync import log
from tests.support.pages import Pages, words
from tests.support.store import TOWN, VILLAGE, delivered, registered, say, statements, uid, visited
from tests.support.village import DAY, LAN, MO, QIN, TAO, village

ALL = Wanted()
ELDER = {"code": "elder_80", "name": "高龄", "level": "person", "synonyms": []}


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        yield conn


def every(conn: Connection, wanted: Wanted = ALL, scope: Scope = EVERYTHING, **how: Any) -> list[Listed]:
    found = list(listing.every(conn, wanted, scope, today=DAY, **how))
    assert listing.count(conn, wanted, scope, today=DAY) == len(found)
    assert [one.id for one in paged(conn, wanted, scope)] == [one.id for one in found]
    return found


def paged(conn: Connection, wanted: Wanted, scope: Scope) -> Iterator[Listed]:
    after, more = "", True
    while more:
        rows, more = listing.page(conn, wanted, scope, today=DAY, after=after, limit=2)
        yield from rows
        after = rows[-1].id if rows else ""


def ids(conn: Connection, **wanted: Any) -> set[str]:
    return {one.id for one in every(conn, Wanted(**wanted))}


# --- which, and in what order -------------------------------------------------------------------------------------


def test_by_village_group_and_name(conn: Connection) -> None:
    other = "441225112206"
    say(conn, registered(uid(5), "安在前", "九组", division=other), registered(uid(6), "无组", ""))
    assert [one.name for one in every(conn)] == ["安在前", "莫德厚", "陶安石", "蓝水妹", "覃桂香", "无组"]
    assert ids(conn, place=other) == {uid(5)}
    assert ids(conn, place=TOWN) == {QIN, MO, LAN, TAO, uid(5), uid(6)}
    assert every(conn, scope=Scope(divisions=(other,)))[0].id == uid(5)
    assert every(conn, scope=Scope()) == []


def test_groups_stand_in_the_order_of_their_numbers(conn: Connection) -> None:
    groups = [
        "一组",
        "2组",
        "第三组",
        "四队",
        "九组",
        "十组",
        "十一组",
        "12 组",
        "二十组",
        "二十三组",
        "100组",
        "坑口组",
    ]
    say(conn, *(registered(uid(100 - number), "户", group) for number, group in enumerate(groups)))
    assert [one.group for one in every(conn) if one.name == "户"] == groups


def test_households_of_one_name_each_come_once(conn: Connection) -> None:
    say(conn, *(registered(uid(number), "李小妹") for number in range(10, 17)))
    assert len({one.id for one in every(conn)}) == 11


def test_who_was_not_visited_since(conn: Connection) -> None:
    say(
        conn,
        visited(uid(20), QIN, "met", date="2020-12-01"),
        visited(uid(21), MO, "not-home", date="2020-12-20"),
        visited(uid(22), LAN, "met", date="2020-12-10"),
        visited(uid(23), TAO, "met", date="2020-12-15"),
        Fact(TOWN, "visit.voided", uid(23), {"reason": "录错"}),
    )
    assert ids(conn, not_visited_since="2020-12-10") == {QIN, MO, TAO}
    assert ids(conn, not_visited_since="2020-12-11") == {QIN, MO, LAN, TAO}
    shown = {one.id: one.visited for one in every(conn)}
    assert shown == {QIN: "2020-12-01", MO: None, LAN: "2020-12-10", TAO: None}


def test_who_was_not_served_since_and_with_what(conn: Connection) -> None:
    say(
        conn,
        delivered(uid(20), QIN, {"rice": 1}, date="2020-12-10"),
        delivered(uid(21), MO, {"oil": 1}, date="2020-12-20"),
        delivered(uid(22), LAN, {"rice": 1}, date="2020-12-20"),
        Fact(TOWN, "delivery.voided", uid(22), {"reason": "录错"}),
    )
    assert ids(conn, not_served_since="2020-12-10") == {LAN, TAO}
    assert ids(conn, not_served_since="2020-12-11") == {QIN, LAN, TAO}
    assert ids(conn, not_served_since="2020-12-01", item="rice") == {MO, LAN, TAO}
    served = {one.id: one.served for one in every(conn, Wanted(item="rice"))}
    assert (served[QIN], served[MO]) == ("2020-12-10", None)


def test_a_need_is_open_until_something_is_delivered(conn: Connection) -> None:
    say(
        conn,
        visited(uid(20), QIN, "met", date="2020-12-01", needs=["轮椅", "打 13812345678"]),
        visited(uid(21), QIN, "met", date="2020-12-05", needs=["轮椅"]),
        visited(uid(22), MO, "met", date="2020-12-01", needs=["棉被"]),
        delivered(uid(23), MO, {"rice": 1}, date="2020-12-02"),
        visited(uid(24), LAN, "met", date="2020-12-01"),
    )
    assert [one.needs for one in every(conn, Wanted(needs=True))] == [["轮椅", "打 138****5678"]]


def test_by_category_of_the_household_of_its_people_and_by_age(conn: Connection) -> None:
    aged = {"name": "老人", "id_number": "440785193001010015"}
    child = {"id": uid(8), "name": "小雨", "categories": [{"code": "orphan"}], "born": "2012-05-01"}
    say(
        conn,
        registered(uid(5), "老人", head=aged),
        registered(uid(6), "年轻", head={"name": "年轻", "born": "1940-12-31"}, members=[child]),
        registered(uid(7), "敬老院", kind="institution", name="敬老院", head={"name": "院长", "born": "1930-01-01"}),
        Fact("org", "category.defined", uid(30), ELDER),
    )
    assert ids(conn, category="dibao") == {QIN}
    assert ids(conn, category="orphan") == {uid(6)}
    assert ids(conn, category="elder_80") == {uid(5)}
    assert ids(conn, category="elder_79") == {uid(5), uid(6)}
    assert {one.id: one.tags for one in every(conn)}[uid(5)] == ["高龄"]


def test_what_was_closed_is_left_out_and_a_merge_is_one(conn: Connection) -> None:
    say(
        conn,
        Fact(TOWN, "household.closed", TAO, {"reason": "moved", "date": DAY}),
        visited(uid(20), MO, "met", date="2020-12-20", needs=["棉被"]),
        delivered(uid(21), MO, {"rice": 1}, date="2020-12-10"),
        Fact(TOWN, "household.merged", MO, {"into": LAN, "reason": "同一户"}),
    )
    assert ids(conn) == {QIN, LAN}
    lan = next(one for one in every(conn) if one.id == LAN)
    assert (lan.visited, lan.served, lan.needs) == ("2020-12-20", "2020-12-10", ["棉被"])
    assert ids(conn, not_visited_since="2020-12-15") == {QIN}
    assert ids(conn, not_served_since="2020-12-01", item="rice") == {QIN}
    assert ids(conn, needs=True) == {LAN}
    say(conn, delivered(uid(22), LAN, {"oil": 1}, date="2020-12-21"))
    assert ids(conn, needs=True) == set()


def test_numbers_are_masked_unless_asked_for(conn: Connection) -> None:
    masked, full = (next(one for one in every(conn, revealed=revealed) if one.id == QIN) for revealed in (False, True))
    assert (masked.phone, masked.id_number) == ("138****5678", "1101**********002X")
    assert (full.phone, full.id_number) == ("13812345678", "11010519491231002X")


def test_a_list_takes_the_same_statements_however_long_it_is(conn: Connection) -> None:
    def asked() -> int:
        with statements(conn) as seen:
            listing.page(conn, Wanted(), today=DAY)
        return len(seen)

    few = asked()
    say(conn, *(registered(uid(number), f"户{number}") for number in range(100, 140)))
    assert asked() == few


# --- pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


def audited(pages: Pages) -> list[dict[str, Any]]:
    with pages.app.app_context(), reading() as conn:
        found = [entry.op.body for entry in log.iterate(conn, "office") if entry.op.kind == "access.recorded"]
    return [body for body in found if body["what"] == "export"]


def test_the_list_is_on_both_sides(admin: Pages, laptop: Pages) -> None:
    laptop.sign_in()
    for pages in (admin, laptop):
        shown = pages.get("/lists")
        assert shown.status_code == 200
        assert "杨雪珍" in words(shown)
        assert "34 户" in words(shown)
        assert not re.search(r"1[3-9]\d{9}", words(shown))
    assert "没有这样的户" in words(laptop.get("/lists?needs=yes"))
    assert laptop.get("/lists?place=x&category=&not_visited_since=31.12.&after=nobody").status_code == 200


def test_a_filter_is_kept_for_who_kept_it(laptop: Pages) -> None:
    laptop.sign_in()
    form = {"not_served_since": "2020-12-01", "item": "rice"}
    assert laptop.post("/lists/save", form | {"name": ""}).status_code == 422
    answer = laptop.post("/lists/save", form | {"name": "没领米的"})
    assert answer.status_code == 303
    shown = laptop.get(answer.location)
    assert "已存为“没领米的”" in words(shown)
    assert "2020-12-01 起没有领过大米" in words(shown)
    assert laptop.post("/lists/forget", form | {"name": "没领米的"}).status_code == 303
    assert "没领米的" not in laptop.get("/lists").text


def test_a_kept_filter_is_nobody_elses(office: Pages) -> None:
    office.sign_in("luo")
    office.post("/lists/save", {"needs": "yes", "name": "要办的"})
    assert "要办的" in office.get("/lists").text
    office.post("/sign-out")
    office.sign_in("admin")
    assert "要办的" not in office.get("/lists").text


def test_a_list_is_taken_as_a_workbook_and_the_audit_knows(admin: Pages) -> None:
    answer = admin.post("/lists/file", {"as": "xlsx"})
    assert 'filename="households-' in answer.headers["Content-Disposition"]
    rows = list(load_workbook(io.BytesIO(answer.data)).worksheets[0].values)
    assert rows[0][4] == "户主或单位"
    assert len(rows) == 36
    assert rows[-1][:3] == ("行数", 34, "SHA-256")
    assert "杨雪珍" in {row[4] for row in rows}
    assert not re.search(r"\d{17}[\dX]|1[3-9]\d{9}", str([row[:-1] for row in rows[:-1]]))
    assert audited(admin) == [{"what": "export", "rows": 34, "detail": "households"}]


def test_full_numbers_by_right_and_written_down(admin: Pages) -> None:
    answer = admin.post("/lists/file", {"as": "csv", "in_full": "yes"})
    assert answer.data.startswith("\ufeff县,".encode())
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert any(re.fullmatch(r"1[3-9]\d{9}", row[6]) for row in rows[:-1])
    assert audited(admin)[-1]["detail"] == "households-in-full"
    assert "导出 名单,带完整号码 · 34 条" in re.sub(r" — | +", " ", words(admin.get("/audit?what=export")))


def test_a_list_on_paper(admin: Pages) -> None:
    answer = admin.post("/lists/print", {"place": VILLAGE, "not_visited_since": "2020-12-01"})
    assert answer.status_code == 200
    assert "民强村" in words(answer)
    assert "<thead>" in answer.text
    assert "证件号码" not in answer.text
    assert audited(admin)[-1]["rows"] == answer.text.count('<th scope="row">')


def test_who_may_not_take_a_list_along(admin: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aidvisit.services.listing.MOST_PRINTED", 3)
    refused = admin.post("/lists/print", {})
    assert refused.status_code == 422
    assert "34 户" in words(refused)
    assert audited(admin) == []


def test_a_formula_in_a_name_stays_text(admin: Pages, tmp_path: Path) -> None:
    from aidvisit.store import ledger
    from aidvisit.store.database import transaction

    with admin.app.app_context(), transaction() as conn:
        ledger.record(conn, log.own(conn), registered(uid(5), "=1+1", "@SUM(A1)"))
    book = admin.post("/lists/file", {"as": "xlsx"}).data
    cells = [cell for row in load_workbook(io.BytesIO(book)).worksheets[0].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value in ("=1+1", "@SUM(A1)")} == {"s"}
    assert "'=1+1" in admin.post("/lists/file", {"as": "csv"}).text
