"""Who gets in, who does not, and what every answer says to the browser."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from aidvisit.store.database import reading
from aidvisit.store.doors import FREE_TRIES
from aidvisit.store.queries import account as accounts
from aidvisit.web import auth, frame
from aidvisit.web.pages.account import here
from sync import log
from sync.op import uuid7
from tests.support.homes import PASSWORD
from tests.support.pages import Pages, change_user, typed, words

TEMPLATES = Path(__file__).parents[2] / "templates"
OPEN = {"static", "account.sign_in", "account.language", "lock.recover", "api_description.openapi"}


@pytest.fixture(params=["laptop", "office"])
def either(request: pytest.FixtureRequest) -> Pages:
    """Each of the two roles."""
    node: Pages = request.getfixturevalue(request.param)
    return node


def address(app: Flask, rule: Rule) -> str:
    with app.test_request_context():
        return app.url_for(
            rule.endpoint,
            **{name: "a" * 64 if name == "sha256" else uuid7() for name in rule.arguments},
            _external=False,
        )


def test_what_is_not_open_is_closed(either: Pages) -> None:
    """Every address of both roles, signed out: only the short list answers."""
    before, closed = either.ops(), 0
    for rule in either.app.url_map.iter_rules():
        if rule.endpoint in OPEN or rule.endpoint.startswith("sync_api."):
            continue
        path, of_devices = address(either.app, rule), auth.for_programs(rule.endpoint.partition(".")[0])
        for method in rule.methods & {"GET", "POST"}:
            answer = either.get(path) if method == "GET" else either.post(path)
            if method == "GET" and not of_devices:
                assert answer.status_code == 302, path
                assert answer.location.startswith("/sign-in?next="), path
            else:
                assert answer.status_code == 401, path
            closed += 1
    assert closed >= 9
    assert either.ops() == before


def test_devices_are_let_in_by_their_token_only(office: Pages) -> None:
    for name in ("enrol", "push", "pull"):
        answer = office.client.post(f"/sync/v1/{name}", data=b"{}")
        assert answer.status_code in (400, 401, 403, 422), name
        assert answer.content_type == "application/problem+json"


def test_a_laptop_has_no_central_end(laptop: Pages) -> None:
    laptop.sign_in()
    assert laptop.post("/sync/v1/push").status_code == 404


def test_the_right_password_opens(either: Pages) -> None:
    answer = either.sign_in()
    assert (answer.status_code, answer.location) == (303, "/")
    assert either.get("/").status_code == 200
    cookie = next(iter(either.client._cookies.values()))
    assert (cookie.http_only, cookie.same_site) == (True, "Lax")


@pytest.mark.parametrize(("login", "password"), [("luo", "wrong"), ("nobody", PASSWORD), ("chen", PASSWORD)])
def test_wrong_unknown_and_gone_people_are_told_alike(laptop: Pages, login: str, password: str) -> None:
    answer = laptop.sign_in(login, password)
    assert answer.status_code == 403
    assert "登录名或密码不对" in words(answer)
    assert typed(answer)["login"] == login
    assert password not in answer.text
    assert laptop.get("/").status_code == 302


def test_empty_fields_are_told_where_they_are(laptop: Pages) -> None:
    answer = laptop.sign_in("", "")
    assert answer.status_code == 422
    assert "请填登录名" in words(answer)
    assert 'aria-describedby="password-error"' in answer.text


def test_guessing_is_slowed_down(laptop: Pages) -> None:
    for _ in range(FREE_TRIES):
        assert laptop.sign_in(password="wrong").status_code == 403
    answer = laptop.sign_in()
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "秒后再试" in words(answer)


def test_signing_out_ends_it(either: Pages) -> None:
    either.sign_in()
    assert either.post("/sign-out").location == "/sign-in"
    assert either.get("/").status_code == 302


def test_a_copy_of_the_cookie_ends_with_the_session(either: Pages) -> None:
    """Signing out, and signing in anew, end what a thief of the cookie holds."""
    for end in (lambda: either.post("/sign-out"), lambda: either.sign_in()):
        either.sign_in()
        thief = Pages(either.app)
        thief.client._cookies.update(either.client._cookies)
        assert thief.get("/").status_code == 200
        end()
        assert thief.get("/").status_code == 302


def test_a_new_session_keeps_nothing_of_the_one_before(laptop: Pages) -> None:
    laptop.get("/sign-in")
    with laptop.client.session_transaction() as session:
        session["planted"] = "x"
        session["language"] = "en"
    laptop.sign_in()
    with laptop.client.session_transaction() as session:
        assert "planted" not in session
        assert session["language"] == "en"


@pytest.mark.parametrize(
    "changes", [{"active": False}, {"password_hash": "$argon2id$v=19$m=8,t=1,p=1$YWFhYWFhYWE$YWFhYQ"}]
)
def test_a_changed_password_or_a_leaver_ends_every_session(office: Pages, changes: dict[str, Any]) -> None:
    office.sign_in()
    assert office.get("/").status_code == 200
    with office.app.app_context():
        with reading() as conn:
            user = accounts.user_by_login(conn, "luo")
            assert user is not None
            centre = log.own(conn)
        change_user(centre, user.team, user.id, **changes)
    assert office.get("/").status_code == 302


def test_what_a_page_asks_by_itself_ends_no_session(laptop: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer may come after that of a new password, and would take the new session's cookie away."""
    laptop.sign_in()
    monkeypatch.setattr(auth, "_mark", lambda _: "of another password")
    told = laptop.get("/sync/chip")
    assert told.status_code in (302, 401)
    assert "Set-Cookie" not in told.headers
    monkeypatch.undo()
    assert laptop.get("/").status_code == 200
    monkeypatch.setattr(auth, "_mark", lambda _: "of another password")
    assert laptop.get("/").status_code == 302
    monkeypatch.undo()
    assert laptop.get("/").status_code == 302, "what a person asks ends it"


def test_an_idle_session_ends(laptop: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop.sign_in()
    limit_s = laptop.app.config["SETTINGS"].idle_minutes * 60
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began + limit_s - 60)
    assert laptop.get("/").status_code == 200, "used now, so it lasts from here on"
    monkeypatch.setattr(time, "time", lambda: began + 2 * limit_s - 120)
    assert laptop.get("/").status_code == 200
    monkeypatch.setattr(time, "time", lambda: began + 3 * limit_s)
    assert laptop.get("/").status_code == 302


def test_a_form_from_elsewhere_is_refused_and_what_was_typed_is_offered_again(laptop: Pages) -> None:
    laptop.sign_in()
    path = f"/households/{laptop.households()[0].id}/deliver"
    before = laptop.ops()
    answer = laptop.post(path, {"note": '腿脚不便 "2 楼"', "quantity.rice": "2", "password": "secret"}, token="stale")
    assert answer.status_code == 400
    assert "没有保存" in words(answer)
    kept = typed(answer)
    assert (kept["note"], kept["quantity.rice"]) == ('腿脚不便 "2 楼"', "2")
    assert "secret" not in answer.text
    assert kept["csrf_token"] != "stale"
    assert f'action="{path}"' in answer.text
    assert laptop.ops() == before


def test_a_session_that_ended_under_a_form_keeps_it(laptop: Pages) -> None:
    """Signed out in another tab: sign in there, come back, send it again."""
    laptop.sign_in()
    path = f"/households/{laptop.households()[0].id}/visit"
    laptop.post("/sign-out")
    answer = laptop.post(path, {"outcome": "not-home", "note": "下午再来"})
    assert answer.status_code == 401
    assert typed(answer)["note"] == "下午再来"
    assert 'target="_blank"' in answer.text


@pytest.mark.parametrize("path", ["/", "/sign-in", "/search", "/nowhere", "/sign-in?next=//evil.example"])
def test_every_page_tells_the_browser_to_be_careful(either: Pages, path: str) -> None:
    if path != "/sign-in":
        either.sign_in()
    answer = either.get(path)
    for name, value in frame.HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_what_never_changes_is_kept(laptop: Pages) -> None:
    page = laptop.get("/sign-in").text
    (sheet,) = set(re.findall(r'href="(/static/app\.css\?v=[0-9a-f]{12})"', page))
    assert "immutable" in laptop.get(sheet).headers["Cache-Control"]
    assert "immutable" not in laptop.get("/static/app.css").headers.get("Cache-Control", "")


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_style_and_no_script(path: Path) -> None:
    """The content policy would stop them, and a page would fail in silence."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<[^>]*\sstyle\s*=", text)
    assert not re.search(r"<[a-z][^>]*\son[a-z]+\s*=", text)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text)
    assert "javascript:" not in text
    safe = re.findall(r"[\w\]\[.]+\s*\|\s*safe", text)
    assert [each for each in safe if not each.startswith("ICONS")] == []


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "\\/evil", "",
     "///evil", "/\t/evil.example", " //evil.example", "http:/evil", "/ok\r\nX: 1"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(laptop: Pages, target: str) -> None:
    assert laptop.sign_in(next=target).location == "/"


def test_one_comes_back_to_where_one_was(laptop: Pages) -> None:
    answer = laptop.get("/sync?a=1")
    assert answer.location == "/sign-in?next=/sync?a%3D1"
    assert here("/sync?a=1") == "/sync?a=1"
    assert laptop.sign_in(next="/sync?a=1").location == "/sync?a=1"


def test_the_language_is_the_readers(laptop: Pages) -> None:
    assert '<html lang="zh-CN"' in laptop.get("/sign-in").text
    assert '<html lang="en"' in laptop.get("/sign-in", **{"Accept-Language": "en-GB,en;q=0.8"}).text
    assert "Sign in" in words(laptop.get("/sign-in", **{"Accept-Language": "en"}))
    answer = laptop.post("/language", {"language": "en", "next": "/sign-in"})
    assert answer.location == "/sign-in"
    assert "Sign in" in words(laptop.get("/sign-in"))
    assert laptop.post("/language", {"language": "klingon", "next": "https://evil.example"}).location == "/"
    assert '<html lang="en"' in laptop.get("/sign-in").text


def test_a_form_that_outlived_its_session_says_where_to_sign_in(laptop: Pages) -> None:
    """Its token went with the session: that is not told as a page from elsewhere."""
    laptop.sign_in()
    form = typed(laptop.get("/search")) | {"q": "陈"}
    laptop.client.delete_cookie("aidvisit_field")
    refused = laptop.client.post("/search", data=form)
    assert refused.status_code == 401
    assert "在新标签页登录" in words(refused)
    assert typed(refused)["q"] == "陈"


def test_a_form_sent_again_after_signing_in_says_to_press_once_more(laptop: Pages) -> None:
    """Signing in changed the token: the answer holds the new one and what was typed, and says so."""
    laptop.sign_in()
    form = typed(laptop.get("/search")) | {"q": "陈"}
    laptop.client.delete_cookie("aidvisit_field")
    waiting = typed(laptop.client.post("/search", data=form))
    laptop.sign_in()
    refused = laptop.client.post("/search", data=waiting)
    assert refused.status_code == 400
    assert "请再交一次" in words(refused)
    assert laptop.client.post("/search", data=typed(refused)).status_code == 200
