"""The first page of a new laptop: what it asks, how it goes on, and to whom it shows the recovery key."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from aidvisit.app import create_set_up
from aidvisit.errors import Problem
from aidvisit.services.setup import Made, SetUp, Tell, Wanted
from sync import identity
from sync.invitation import Invitation
from tests.support.pages import TOKEN, typed, words

RECOVERY = "ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345-6789-ABCD"
CARD = {"server": "https://centre.example.org", "code": "ABCDE-12345", "name": "3 号笔记本"}
INVITED = Invitation(CARD["server"], CARD["code"], identity.encode(bytes(range(32))))


class Laptop:
    """A laptop without a home, whose work is done by `made_by`; `asked` is what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[Wanted] = []
        self.finished = 0
        self.made_by: Callable[[Tell], Made] = lambda tell: Made("device", 12, 2, RECOVERY)
        self.app: Flask = create_set_up(folder / "home", SetUp(self._make, insecure=False), self._finish)
        self.client: FlaskClient = self.app.test_client()

    def _make(self, asked: Wanted, tell: Tell) -> Made:
        self.asked.append(asked)
        return self.made_by(tell)

    def _finish(self) -> None:
        self.finished += 1

    def get(self, client: FlaskClient | None = None, **more: Any) -> TestResponse:
        return (client or self.client).get("/", **more)

    def post(self, path: str, form: dict[str, str], client: FlaskClient | None = None) -> TestResponse:
        client = client or self.client
        found = TOKEN.search(client.get("/?again").text) or TOKEN.search(client.post("/enrol").text)
        assert found is not None
        return client.post(path, data={"csrf_token": found[1], **form})

    def page_with(self, what: str) -> TestResponse:
        """The page, as soon as it says this; the work is done in a thread."""
        for _ in range(200):
            page = self.get()
            if what in words(page):
                return page
            time.sleep(0.02)
        raise AssertionError(words(page))


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    return Laptop(tmp_path)


def test_nothing_but_the_set_up_is_there(laptop: Laptop) -> None:
    endpoints = {rule.endpoint for rule in laptop.app.url_map.iter_rules()}
    assert endpoints == {
        "static", "setup.page", "setup.elsewhere", "setup.enrol", "setup.written", "account.language",
    }  # fmt: skip
    answer = laptop.client.get("/sign-in")
    assert (answer.status_code, answer.location) == (303, "/")


def test_it_keeps_the_security_headers_and_needs_the_token(laptop: Laptop) -> None:
    page = laptop.get()
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "camera=(self)" in page.headers["Permissions-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script>", page.text)
    assert laptop.client.post("/enrol", data=CARD).status_code == 400
    assert laptop.asked == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8001", "192.0.2.7", "127.0.0.1.evil.example"])
def test_another_sites_name_that_leads_here_gets_nothing(laptop: Laptop, host: str) -> None:
    """DNS rebinding: the page of a stranger must not set the laptop up, nor read its recovery key."""
    answer = laptop.get(headers={"Host": host})
    assert answer.status_code == 404
    assert 'name="code"' not in answer.text
    assert laptop.client.post("/enrol", data=CARD, headers={"Host": host}).status_code in (400, 404)
    assert laptop.asked == []


def test_by_typing(laptop: Laptop) -> None:
    form = CARD | {"server": " https://centre.example.org/ ", "fingerprint": "0001 0203 0405 0607 0809 0A0B 0C0D 0E0F"}
    answer = laptop.post("/enrol", form)
    assert (answer.status_code, answer.location) == (303, "/")
    page = laptop.page_with("登记好了")
    assert laptop.asked == [Wanted(*CARD.values(), "000102030405060708090a0b0c0d0e0f")]
    assert "收到 12 条资料,2 个人可以登录" in words(page)
    assert words(page).split().count("ABCD") == 2
    assert "3 号笔记本" in words(page), "a sheet of paper says whose key it is"


def test_by_the_text_of_an_invitation(laptop: Laptop) -> None:
    laptop.post("/enrol", {"invitation": INVITED.text(), "name": "3 号笔记本"})
    laptop.page_with("登记好了")
    assert laptop.asked == [Wanted(INVITED.server, INVITED.code, "3 号笔记本", INVITED.fingerprint)]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"server": ""}, "请填写,或扫码"),
        ({"code": " "}, "请填写,或扫码"),
        ({"name": ""}, "请填名称"),
        ({"fingerprint": "1234"}, "服务器指纹抄错了"),
        ({"invitation": "https://elsewhere.example"}, "这不是登记邀请"),
        ({"server": "centre.example.org"}, "不是服务器地址"),
        ({"server": "http://centre.example.org"}, "http"),
    ],
)
def test_what_does_not_fit_is_told_with_all_that_was_typed(laptop: Laptop, wrong: dict[str, str], says: str) -> None:
    form = CARD | {"fingerprint": "", "invitation": ""} | wrong
    answer = laptop.post("/enrol", form)
    assert answer.status_code == 422
    assert says in words(answer)
    shown = typed(answer)
    assert {name: shown[name] for name in form} == form
    assert laptop.asked == []


def test_a_refusal_of_the_server_is_told_with_all_that_was_typed(laptop: Laptop) -> None:
    def refuse(tell: Tell) -> Made:
        raise Problem("enrolment-code-invalid")

    laptop.made_by = refuse
    laptop.post("/enrol", CARD)
    page = laptop.page_with("登记码不对")
    assert {name: typed(page)[name] for name in CARD} == CARD
    stranger = laptop.get(laptop.app.test_client())
    assert CARD["code"] not in stranger.text
    laptop.made_by = lambda tell: Made("device", 1, 1, RECOVERY)
    laptop.post("/enrol", CARD)
    laptop.page_with("登记好了")


def test_a_bug_is_told_and_it_can_be_tried_again(laptop: Laptop) -> None:
    laptop.made_by = lambda tell: 1 // 0  # type: ignore[arg-type, return-value]
    laptop.post("/enrol", CARD)
    laptop.page_with("程序出了差错")


def test_the_progress_is_told_in_words_and_goes_on_without_a_script(laptop: Laptop) -> None:
    steps = [threading.Event() for _ in range(2)]

    def work(tell: Tell) -> Made:
        steps[0].wait(20)
        tell(2000)
        steps[1].wait(20)
        return Made("device", 2012, 2, RECOVERY)

    laptop.made_by = work
    laptop.post("/enrol", CARD)
    page = laptop.page_with("正在联系中心服务器")
    assert '<meta http-equiv="refresh"' in page.text
    steps[0].set()
    laptop.page_with("正在接收资料:2000 条")
    laptop.client.get("/")
    steps[1].set()
    laptop.page_with("登记好了")
    assert len(laptop.asked) == 1


def test_the_recovery_key_is_for_the_browser_that_enrolled_until_it_is_on_paper(laptop: Laptop) -> None:
    laptop.post("/enrol", CARD)
    page = laptop.page_with("登记好了")
    first = RECOVERY.split("-")[1]
    assert first in page.text
    assert first not in page.headers.get("Location", "")
    stranger = laptop.app.test_client()
    assert first not in laptop.get(stranger).text

    unticked = laptop.post("/written", {})
    assert unticked.status_code == 422
    assert "请先把恢复密钥抄在纸上" in words(unticked)
    assert laptop.finished == 0

    done = laptop.post("/written", {"written": "yes"})
    assert (done.status_code, done.location) == (303, "/sign-in")
    assert laptop.finished == 1
    assert first not in laptop.get().text


def test_without_encryption_it_says_so_loudly(laptop: Laptop) -> None:
    laptop.made_by = lambda tell: Made("device", 1, 1, None)
    laptop.post("/enrol", CARD)
    page = laptop.page_with("登记好了")
    assert "这台笔记本没有加密" in words(page)
    assert laptop.post("/written", {}).status_code == 303


def test_english(laptop: Laptop) -> None:
    page = laptop.get(headers={"Accept-Language": "en"})
    assert "Scan the card's QR code" in words(page)
    assert laptop.post("/language", {"language": "en"}).status_code == 303
    assert "Enrol this laptop" in words(laptop.get())
