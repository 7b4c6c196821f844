"""Addresses that no link leads to, and text that would like to be something else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aidvisit.services import account, device, people
from aidvisit.store.database import reading
from aidvisit.store.queries import account as accounts
from aidvisit.web.problems import APIS
from sync.op import uuid7
from tests.support.pages import TOKEN, Pages, words

TEMPLATES = Path(__file__).parents[2] / "templates"
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"


@pytest.fixture(params=["laptop", "office"])
def either(request: pytest.FixtureRequest) -> Pages:
    """A node of each role."""
    shown: Pages = request.getfixturevalue(request.param)
    return shown


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/../settings.toml", "/static/%2e%2e/settings.toml", "/static/..%2fsettings.toml",
     "/static/%2e%2e%2faidvisit.db", "/static/..%5csettings.toml", "/static/%00",
     "/static/vendor/", "/.git/config", "/console", "/settings.toml", "/keys.json", "/doors.db", "/aidvisit.db",
     "/households/..%2f..%2fsettings.toml", "/sync/v1/blobs/..%2f..%2fkeys.json"],
)  # fmt: skip
def test_no_file_and_no_list_of_files_is_given(either: Pages, path: str) -> None:
    either.sign_in()
    answer = either.get(path)
    assert answer.status_code in (401, 403, 404), path
    assert "role =" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PROPFIND", "CONNECT"])
def test_no_other_method_is_answered(either: Pages, method: str) -> None:
    either.sign_in()
    answer = either.client.open("/search", method=method, headers={"X-Secret": "mirror"})
    assert answer.status_code in (400, 405)
    assert "mirror" not in answer.text


def test_what_people_are_called_is_text_on_every_page(office: Pages) -> None:
    office.sign_in("admin")
    with office.app.app_context():
        with reading() as conn:
            admin = accounts.user_by_login(conn, "admin")
            laptop = accounts.device_rows(conn)[0].id
        assert admin is not None
        team = account.add_team(actor=admin.id, name=MARKUP)
        account.add_user(
            actor=admin.id, login=MARKUP, name=MARKUP, role="admin", team=team, password="a colour of my own"
        )
        people.update_user(actor=admin.id, user=admin.id, name=MARKUP)
        device.rename(actor=admin.id, device=laptop, name=MARKUP)
        device.revoke(actor=admin.id, device=laptop, reason=MARKUP)
    seen = 0
    for path in ("/", "/people", f"/teams/{team}", f"/people/{admin.id}", "/devices", f"/devices/{laptop}", "/audit"):
        answer = office.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        seen += MARKUP in words(answer)
    assert seen >= 4, "it is there, as text"
    for path in ("/people", "/search", "/sign-out"):
        answer = office.client.post(path, data={MARKUP: MARKUP, "q": MARKUP})
        assert "<script>alert" not in answer.text


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_passwords_are_typed_unseen_and_sent_in_the_body(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for field in re.findall(r"<input\b[^>]*name=\"(?:old_password|password|again)\"[^>]*>", text):
        assert 'type="password"' in field
        assert "value=" not in field
    if 'type="password"' in text:
        assert not re.search(r"<form\b(?![^>]*method=\"post\")", text)


@pytest.mark.parametrize("token", ["", "stale", "another's"])
def test_every_form_needs_its_own_session_s_token(either: Pages, token: str) -> None:
    """Every POST there is, by somebody who may do everything: refused before anything is done."""
    login = "admin" if either.app.config["SETTINGS"].role == "central" else "luo"
    either.sign_in(login)
    other = TOKEN.search(Pages(either.app).get("/sign-in").text)
    assert other is not None
    shown = other[1] if token == "another's" else token
    before, tried = either.ops(), 0
    with either.app.test_request_context():
        rules = [rule for rule in either.app.url_map.iter_rules() if "POST" in (rule.methods or ())]
        paths = [
            either.app.url_for(rule.endpoint, **dict.fromkeys(rule.arguments, uuid7()), _external=False)
            for rule in rules
            if not rule.rule.startswith(APIS)
        ]
    for path in paths:
        answer = either.client.post(path, data={"csrf_token": shown, "sure": "yes", "reason": "x"})
        assert answer.status_code == 400, path
        tried += 1
    assert tried >= 9
    assert either.ops() == before
    assert either.get("/search").status_code == 200, "still signed in, not locked"


@pytest.mark.parametrize("address", ["/sign-in", "/search", "/people/%00", "/search?q=%00"])
def test_what_no_database_stores_is_not_looked_for(either: Pages, address: str) -> None:
    """PostgreSQL fails at U+0000, where SQLite finds nobody."""
    either.sign_in("office")
    form = {"login": "lu\0o", "password": "x", "q": "陈\0"}
    assert either.post(address, form).status_code == 404
    assert either.get("/search").status_code == 200
