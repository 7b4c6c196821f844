"""The other pages of both roles, problems in words, the chip, and how things are written for the reader."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aidvisit.services.sync import current_settings
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.catalog import Quantity
from aidvisit.web import chip, i18n
from aidvisit.web.pages import report
from sync import clock, log
from sync.agent import Sending
from sync.log import LogState
from tests.support.pages import Pages, typed, words

NOW = datetime(2020, 12, 30, 4, 0, tzinfo=UTC)
QUIET = LogState(
    device="0192f3a0-0000-7000-8000-0000000000d1", last_seq=9, head="a" * 64, through=9, receipt=None, quarantined=0,
    synced_at=None, offset_ms=0, trouble=None, newest_clock=None,
)  # fmt: skip


@pytest.fixture
def luo(laptop: Pages) -> Pages:
    laptop.sign_in()
    return laptop


@pytest.fixture
def deng(office: Pages) -> Pages:
    """The centre with somebody of the office signed in."""
    office.sign_in("office")
    return office


@pytest.fixture
def chinese(laptop: Pages, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A request of a Chinese reader, at noon of the trip."""
    monkeypatch.setattr(clock, "wall", lambda: NOW)
    with laptop.app.test_request_context():
        yield laptop


@pytest.fixture
def english(laptop: Pages, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(clock, "wall", lambda: NOW)
    with laptop.app.test_request_context(headers={"Accept-Language": "en"}):
        yield laptop


# --- problems -------------------------------------------------------------------------------------------------


def test_an_address_that_is_none_is_told_in_words(luo: Pages) -> None:
    answer = luo.get("/nowhere")
    assert answer.status_code == 404
    assert "没有这一页" in words(answer)
    assert luo.get("/sync/now").status_code == 405
    assert "no such page" in words(luo.get("/nowhere", **{"Accept-Language": "en"}))


def test_a_failure_of_the_program_shows_no_trace(
    deng: Pages, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(report, "overviewed", broken)
    with caplog.at_level(logging.ERROR):
        answer = deng.get("/")
    assert answer.status_code == 500
    assert "程序出了差错" in words(answer)
    assert "Traceback" not in answer.text
    assert "secret of the house" not in answer.text
    assert "secret of the house" in caplog.text, "the log has it"
    assert answer.headers["Cache-Control"] == "no-store"


def test_too_much_at_once_is_told(luo: Pages) -> None:
    path = f"/households/{luo.households()[0].id}/deliver"
    answer = luo.post(path, {"note": "x" * (9 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "太大" in words(answer)


@pytest.mark.parametrize("path", ["/trips/0192f3a0-0000-7000-8000-000000000001", "/trips/nonsense"])
def test_an_unknown_trip_is_told(deng: Pages, path: str) -> None:
    answer = deng.get(path)
    assert answer.status_code == 404
    assert "没有这次走访任务" in words(answer)


@pytest.mark.parametrize("name", ["0" * 64, "nonsense", "0" * 63, "A" * 64])
def test_an_unknown_blob_is_not_found(luo: Pages, name: str) -> None:
    assert luo.get(f"/households/{luo.households()[0].id}/blobs/{name}").status_code == 404


# --- search ---------------------------------------------------------------------------------------------------


def test_search_finds_and_masks(luo: Pages) -> None:
    with luo.app.app_context(), reading() as conn:
        name, phone, number = conn.exec_driver_sql(
            "SELECT head_name, head_phone, head_id_number FROM household WHERE head_phone IS NOT NULL LIMIT 1"
        ).one()
    for text in (name, name[-1], phone, number[-4:]):
        answer = luo.post("/search", {"q": text})
        assert name in words(answer)
        assert phone not in re.sub(r'value="[^"]*"', "", answer.text)
        assert number not in answer.text
    part = luo.post("/search", {"q": name, "part": "1"})
    assert "<html" not in part.text
    assert name in part.text
    assert "没有找到" in words(luo.post("/search", {"q": "查无此人"}))


def test_what_is_typed_into_search_is_text(luo: Pages) -> None:
    for text in ("<script>alert(1)</script>", "%", "_", "'; DROP TABLE household; --", "\\", "x" * 500):
        answer = luo.post("/search", {"q": text})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
    assert typed(luo.post("/search", {"q": "  杨 "}))["q"] == "杨"


def test_no_title_and_no_address_names_anybody(luo: Pages, deng: Pages) -> None:
    listed = luo.households()
    household = listed[0].id
    for node, paths in (
        (luo, ["/", f"/households/{household}", f"/households/{household}/deliver", f"/households/{household}/visit"]),
        (deng, ["/", "/trips", f"/households/{household}", "/devices"]),
    ):
        for path in paths:
            page = node.get(path)
            (title,) = re.findall(r"<title>(.*?)</title>", page.text)
            assert not any(one.name in title for one in listed), path
            assert not any(
                one.name in address for address in re.findall(r'href="([^"]*)"', page.text) for one in listed
            )


def test_numbers_are_masked_everywhere(luo: Pages) -> None:
    with luo.app.app_context(), reading() as conn:
        rows = conn.exec_driver_sql("SELECT id, head_phone, head_id_number FROM household LIMIT 5").all()
    for household, phone, number in rows:
        for page in ("", "/deliver", "/visit"):
            text = luo.get(f"/households/{household}{page}").text
            assert phone not in text
            assert number not in text


# --- pages of the office ----------------------------------------------------------------------------------------


def test_the_office_sees_where_goods_went(deng: Pages) -> None:
    (path,) = set(re.findall(r'href="(/trips/[0-9a-f-]{36})"', deng.get("/trips").text))
    page = deng.get(path)
    figures = re.findall(
        r'<tr data-item="(\w+)">.*?data-figure="allocated"><a [^>]*>(\d+)<.*?data-figure="loaded"><a [^>]*>(\d+)<',
        page.text,
    )
    assert figures == [("rice", "41", "43"), ("oil", "34", "35"), ("nuts", "34", "34")]
    assert "3 号笔记本" in words(page)
    assert "3 号笔记本" in words(deng.get("/devices"))
    assert "34" in words(deng.get("/"))


def test_another_language_keeps_what_the_address_asks_for(deng: Pages) -> None:
    page = deng.get("/reports?by=item&all=1")
    assert 'name="next" value="/reports?by=item&amp;all=1"' in page.text
    changed = deng.post("/language", {"language": "en", "next": "/reports?by=item&all=1"})
    assert changed.location == "/reports?by=item&all=1"


@pytest.mark.parametrize(
    ("path", "form", "leads"),
    [("/tokens", {"name": ""}, "/tokens"), ("/backups/key", {}, "/backups"), ("/stock", {"date": "x"}, "/stock")],
)
def test_a_reload_of_what_came_by_post_leads_to_its_page(
    office: Pages, path: str, form: dict[str, str], leads: str
) -> None:
    office.sign_in("admin")
    assert f'data-address="{leads}"' in office.post(path, form).text


@pytest.mark.parametrize("path", ["/", "/search", "/sync", "/nowhere"])
def test_english_pages_have_english_words(luo: Pages, path: str) -> None:
    luo.post("/language", {"language": "en", "next": "/"})
    page = words(luo.get(path))
    assert "Sign out" in page
    assert "Sync" in page
    assert "退出" not in page


# --- sync page and chip -----------------------------------------------------------------------------------------


def test_what_the_centre_holds_for_review_is_listed(luo: Pages) -> None:
    problem = '{"type": "urn:aidvisit:problem:unknown-subject", "status": 422, "what": "household", "id": "x"}'
    own = luo.households()[0].id
    luo.post(f"/households/{own}/visit", typed(luo.get(f"/households/{own}/visit")) | {"outcome": "not-home"})
    with luo.app.app_context(), transaction() as conn:
        conn.exec_driver_sql("UPDATE op SET problem = ? WHERE kind = 'visit.recorded'", (problem,))
    page = words(luo.get("/sync"))
    assert "还没有到中心" in page
    assert "本机照常显示" in page
    assert "1 条已收存,待核" in words(luo.get("/sync/chip"))


def test_a_line_that_is_cut_is_told_and_nothing_is_lost(luo: Pages) -> None:
    answer = luo.post("/sync/now")
    assert answer.status_code >= 500
    assert "一条不少" in words(answer)
    assert luo.get("/").status_code == 200


def test_only_the_demo_has_a_switch(luo: Pages) -> None:
    assert luo.post("/demo/line").status_code == 404


def test_the_demos_switch_cuts_and_mends(luo: Pages) -> None:
    switch = luo.app.config["SETTINGS"].home / "cut"
    luo.app.config["SETTINGS"] = replace(luo.app.config["SETTINGS"], demo_line=switch)
    assert "拔掉网线" in words(luo.get("/sync"))
    assert luo.post("/demo/line").status_code == 303
    assert switch.exists()
    assert "插回网线" in words(luo.get("/sync"))
    luo.post("/demo/line")
    assert not switch.exists()


@pytest.mark.parametrize(
    ("changes", "sending", "state", "text"),
    [
        ({}, None, "sent", "没有待上报"),
        ({"receipt": {"at": "2020-12-30T03:05:00.000Z"}}, None, "sent", "全部已上报"),
        ({"through": 6}, None, "waiting", "已保存 · 3 条待上报 · 还没有同步过"),
        ({"through": 8, "synced_at": "2020-12-30T01:00Z"}, None, "waiting", "已保存 · 1 条待上报 · 上次同步 3 小时前"),
        ({"through": 6}, Sending(1, 3), "sending", "正在上报 第 2 条,共 3 条"),
        ({"through": 6}, Sending(3, 3), "sending", "正在上报 第 3 条,共 3 条"),
        ({}, Sending(0, 0), "sent", "没有待上报"),
        ({"through": 6, "quarantined": 2}, Sending(1, 3), "attention", "需要处理:2 条已收存,待核"),
        ({"trouble": {"name": "gap"}, "quarantined": 2}, None, "attention", "需要处理:上报停了,记录都在本机"),
    ],
)  # fmt: skip
def test_the_chip_says_what_the_log_says(
    chinese: Pages, changes: dict[str, Any], sending: Sending | None, state: str, text: str
) -> None:
    shown = chip.derive(replace(QUIET, **changes), sending)
    assert (shown.state, shown.text) == (state, text)
    assert shown.clock == ""


def test_the_chip_shows_the_time_of_the_receipt_on_the_wall(chinese: Pages) -> None:
    assert chip.derive(replace(QUIET, receipt={"at": "2020-12-30T03:05:00.000Z"}), None).small == "回执 11:05"


def test_a_chip_that_sends_counts(chinese: Pages) -> None:
    shown = chip.derive(replace(QUIET, through=6), Sending(1, 3))
    assert (shown.done, shown.total) == (1, 3)


def newest(minutes: float) -> str:
    return clock.stamp(clock.to_ms(NOW + timedelta(minutes=minutes)), 0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"offset_ms": 4 * 60_000}, ""),
        ({"offset_ms": 7 * 60_000}, "比中心慢 7 分钟"),
        ({"offset_ms": -7 * 60_000}, "比中心快 7 分钟"),
        ({"newest_clock": newest(0.5)}, ""),
        ({"newest_clock": newest(-600)}, ""),
        ({"newest_clock": newest(30)}, "比最新记录慢"),
        ({"newest_clock": newest(3), "offset_ms": 3 * 60_000}, ""),
    ],
)
def test_a_wrong_clock_is_told(chinese: Pages, changes: dict[str, Any], told: str) -> None:
    warning = chip.clock_warning(replace(QUIET, **changes))
    assert told in warning
    assert bool(told) == bool(warning)


# --- how things are written -------------------------------------------------------------------------------------

RICE, CASH = Quantity("rice", "大米", "袋", None, 1234), Quantity("cash", "慰问金", "fen", None, 123_050)


def test_lists_of_goods(chinese: Pages) -> None:
    assert i18n.quantity([RICE, CASH]) == "大米 1,234 袋、慰问金 1,230.50 元"
    assert i18n.quantity([]) == "—"
    assert i18n.short([replace(RICE, quantity=2)]) == "大米 2"
    assert i18n.short([], "0") == "0"


def test_lists_of_goods_in_english(english: Pages) -> None:
    assert i18n.quantity([RICE, CASH]) == "大米 1,234 袋, 慰问金 1,230.50 yuan"


def test_a_short_list_shows_cash_in_yuan(chinese: Pages) -> None:
    assert i18n.short([CASH]) == "慰问金 1,230.50"


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (0, "刚刚"),
        (-5, "刚刚"),
        (1, "1 分钟前"),
        (59, "59 分钟前"),
        (60, "1 小时前"),
        (2879, "47 小时前"),
        (2880, "2 天前"),
    ],
)
def test_how_long_ago(chinese: Pages, minutes: int, told: str) -> None:
    assert i18n.since((NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")) == told


def test_days_and_times(chinese: Pages) -> None:
    assert i18n.since(None) == "还没有"
    assert i18n.day("2020-12-30") == "2020年12月30日"
    assert (i18n.day(None), i18n.day("soon")) == ("—", "soon")
    assert i18n.moment("2020-12-30T17:30:00.000Z") == "2020-12-31 01:30"
    assert (i18n.moment(None), i18n.moment("")) == ("—", "—")
    assert i18n.years("1949-12-31") == "70 岁"
    assert i18n.years(None) == ""
    assert current_settings().timezone == "Asia/Shanghai"


def test_both_languages_of_a_message(chinese: Pages) -> None:
    assert i18n.both("请填。 / Type it.") == "请填。"
    assert i18n.both("只有中文") == "只有中文"
    assert i18n.village("民强村民委员会") == "民强村"


@pytest.mark.parametrize("odd", [{"what": {}}, {"what": ["household"]}, {"self": 1, "name": "malformed"}])
def test_a_kept_problem_with_members_of_any_kind_breaks_no_page(chinese: Pages, odd: dict[str, Any]) -> None:
    """A server wrote it; the laptop shows it on every page."""
    assert i18n.words({"type": "urn:aidvisit:problem:malformed", "detail": "x", **odd})


def test_a_kept_problem_in_words(english: Pages) -> None:
    assert i18n.both("请填。 / Type it.") == "Type it."
    assert i18n.words({"type": "urn:aidvisit:problem:disk-full", "status": 507}).startswith("The disk is full")
    assert i18n.words({"type": "urn:other:unheard-of", "detail": "as it says"}) == "as it says"


def test_the_log_is_what_the_chip_reads(luo: Pages) -> None:
    with luo.app.app_context(), reading() as conn:
        assert log.state(conn).waiting == 1, "that somebody signed in"
    assert "另有 1 条查看记录待上报" in luo.get("/sync/chip").text
