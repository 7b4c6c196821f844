"""What the sync page, the chip and the office's device page say: what is known now, and as of when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from aidvisit.errors import Problem
from aidvisit.services import audit, sync
from aidvisit.store.database import transaction
from aidvisit.web import chip
from sync import client
from sync.agent import Agent
from tests.support.pages import Pages, words
from tests.support.visits import deliver, line
from tests.unit.test_web_pages import QUIET
from tests.unit.test_web_photo import as_file, form, jpeg, send


@pytest.fixture
def luo(laptop: Pages) -> Pages:
    laptop.sign_in()
    return laptop


def test_every_part_that_changes_is_in_the_live_answer(luo: Pages, office: Pages) -> None:
    with luo.app.app_context():
        deliver(luo, 0)
        before = luo.get("/sync/live").text
        client.sync_once(line(luo, office))
    page, after = luo.get("/sync").text, luo.get("/sync/live").text
    for part in ("waits", "receipt", "stick", "holds"):
        assert page.count(f'data-part="{part}"') == after.count(f'data-part="{part}"') == 1
    assert "还没有回执" in before
    assert "打印回执单" in after
    assert "核对码" in after
    assert "截至" in after


def test_a_line_that_is_away_is_said_without_being_asked(luo: Pages) -> None:
    away = Problem("server-unreachable", url="http://centre")
    agent = Mock(spec=Agent, sending=None, last_problem=away, failed_at=datetime(2020, 12, 30, 3, 5, tzinfo=UTC))
    luo.app.extensions[sync.AGENT] = agent
    with luo.app.app_context():
        deliver(luo, 0)
    assert "连不上中心(11:05 试过),会自动再试" in words(luo.get("/sync/chip"))
    assert "连不上中心(11:05 试过)" in words(luo.get("/sync/live"))
    agent.last_problem = Problem("unavailable", retry_after=9)
    assert "11:05 没有报成" in words(luo.get("/sync/live"))
    agent.last_problem = None
    assert "连不上" not in words(luo.get("/sync"))


def test_who_looked_at_what_is_counted_apart(luo: Pages, office: Pages) -> None:
    """Signing in makes no record of the people's that waits; what the program noted is told as that."""
    with luo.app.app_context():
        client.sync_once(line(luo, office))
        with transaction() as conn:
            audit.record(sync.own_device(), audit.RECOVERY, conn=conn)
        assert "记录已全部上报 另有 1 条查看记录待上报" in words(luo.get("/sync/chip"))
        deliver(luo, 0)
        assert "1 条待上报" in words(luo.get("/sync/chip"))
        assert "其中 1 条只是谁看了什么" in words(luo.get("/sync/live"))
        assert sync.status().waiting == 2


def test_only_all_of_it_at_the_centre_is_all_sent(luo: Pages) -> None:
    with luo.app.test_request_context("/"):
        receipt = {"at": "2020-12-30T03:05:00.000Z"}
        shown = chip.derive(replace(QUIET, through=8, receipt=receipt), None, 0, 1)
    assert shown.text != "全部已上报"


def test_the_office_says_when_a_laptop_said_what_waits(luo: Pages, office: Pages) -> None:
    with luo.app.app_context():
        client.sync_once(line(luo, office))
        device = sync.own_device()
    office.sign_in("admin")
    for page in ("/devices", f"/devices/{device}"):
        assert "那时还待上报" in words(office.get(page))


def test_a_check_without_a_code_asks_for_it(luo: Pages, office: Pages) -> None:
    with luo.app.app_context():
        device = sync.own_device()
    office.sign_in("admin")
    assert "请先填上" in words(office.get(f"/devices/{device}?code=&through="))
    assert "请先填上" not in words(office.get(f"/devices/{device}"))


def test_how_much_a_stick_takes_is_said(luo: Pages) -> None:
    assert "一个文件最多带 402.7 MB" in words(luo.get("/sync"))


@pytest.mark.parametrize("megabytes", [9, 20])
def test_a_photo_as_the_camera_made_it_is_refused_with_the_form_kept(luo: Pages, megabytes: int) -> None:
    start, scan, rest = jpeg(6, []).partition(b"\xff\xda")
    path, fields = form(luo, photo=as_file(start + scan + rest[:8] + bytes(megabytes << 20) + b"\xff\xd9"))
    answer = send(luo, path, fields | {"note": "老人在菜地"})
    assert answer.status_code == 422
    assert "老人在菜地" in answer.text
    assert "照片" in words(answer)
