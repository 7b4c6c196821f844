"""The devices page: codes and their cards, names, revoking in two steps."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import update

from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.account import DeviceRow, device_rows
from sync import invitation, tables
from tests.support.pages import Pages, typed, words

SEEN = "2020-12-30T04:00:30+00:00"


@pytest.fixture
def admin(office: Pages) -> Pages:
    office.sign_in("admin")
    return office


def team(pages: Pages) -> str:
    return re.findall(r'<option value="([^"]+)"', pages.get("/devices").text)[0]


def laptop(pages: Pages) -> DeviceRow:
    with pages.app.app_context(), reading() as conn:
        (found,) = device_rows(conn)
    return found


def test_codes_are_shown_once_each_with_its_invitation(admin: Pages) -> None:
    made = admin.post("/devices/codes", {"team": team(admin), "count": "3"})
    codes = re.findall(r'invitation__code id">([^<]+)<', made.text)
    assert len(set(codes)) == 3
    assert made.text.count("<svg") - made.text.count('class="i"') == 3
    key = re.search(r"--fingerprint (\S{43})", made.text)
    assert key is not None
    assert f"--server http://localhost --code {codes[0]} --fingerprint {key[1]}" in words(made)
    assert words(made).count(invitation.in_groups(key[1])) == 3
    assert made.headers["Cache-Control"] == "no-store"
    assert not any(code in admin.get("/devices").text for code in codes)
    assert not any(code in address for code in codes for address in re.findall(r'(?:href|action)="([^"]*)"', made.text))


def test_no_mark_of_a_card_needs_what_the_security_policy_refuses(admin: Pages) -> None:
    made = admin.post("/devices/codes", {"team": team(admin)})
    assert not re.search(r"\sstyle=|<style|\son\w+=", made.text)
    assert re.search(r'<path fill="#fff"[^>]*/><path class="qr__dark"[^>]* stroke="#000"', made.text)


@pytest.mark.parametrize("count", ["0", "301", "-1", "many", "1.5", ""])
def test_how_many_codes_is_1_to_300(admin: Pages, count: str) -> None:
    before = admin.ops()
    answer = admin.post("/devices/codes", {"team": team(admin), "count": count})
    assert answer.status_code == 422
    assert "请填 1 到 300" in words(answer)
    assert typed(answer)["count"] == count
    assert admin.ops() == before


def test_a_code_for_no_team_is_refused(admin: Pages) -> None:
    answer = admin.post("/devices/codes", {"team": "0192f3a0-0000-7000-8000-000000000001"})
    assert answer.status_code == 404
    assert "没有这个队" in words(answer)


def test_a_laptop_gets_another_name(admin: Pages) -> None:
    device = laptop(admin)
    answer = admin.post(f"/devices/{device.id}/name", {"name": "7 号笔记本"})
    assert (answer.status_code, answer.location) == (303, f"/devices/{device.id}")
    assert "7 号笔记本" in words(admin.get("/devices"))
    refused = admin.post(f"/devices/{device.id}/name", {"name": " "})
    assert refused.status_code == 422
    assert laptop(admin).name == "7 号笔记本"


def test_revoking_takes_a_reason_and_a_second_step(admin: Pages) -> None:
    device, before = laptop(admin), admin.ops()
    path = f"/devices/{device.id}/revoke"
    assert admin.post(path, {"reason": " "}).status_code == 422
    assert admin.post(path, {"reason": " ", "sure": "yes"}).status_code == 422

    asked = admin.post(path, {"reason": "落在公交车上"})
    assert asked.status_code == 200
    assert "停用以后不能恢复" in words(asked)
    assert (admin.ops(), laptop(admin).revoked) == (before, False), "the first step changes nothing"

    form = typed(asked)
    assert (form["reason"], form["sure"]) == ("落在公交车上", "yes")
    done = admin.post(path, form)
    assert (done.status_code, done.location) == (303, f"/devices/{device.id}")
    assert laptop(admin).revoked
    page = admin.get(f"/devices/{device.id}")
    assert "落在公交车上" in words(page)
    assert path not in page.text, "it is not offered again"


def test_who_only_looks_sees_no_button(office: Pages) -> None:
    office.sign_in("office")
    device = laptop(office)
    for path in ("/devices", f"/devices/{device.id}"):
        page = office.get(path)
        assert page.status_code == 200
        assert "/devices/codes" not in page.text
        assert f"/devices/{device.id}/" not in page.text
    assert office.post(f"/devices/{device.id}/revoke", {"reason": "x", "sure": "yes"}).status_code == 403
    assert not laptop(office).revoked


@pytest.mark.parametrize("path", ["", "/name", "/revoke"])
def test_a_laptop_that_is_not_there(admin: Pages, path: str) -> None:
    address = f"/devices/0192f3a0-0000-7000-8000-000000000001{path}"
    form = {"name": "x", "reason": "x", "sure": "yes"}
    answer = admin.post(address, form) if path else admin.get(address)
    assert answer.status_code == 404
    assert "没有这台笔记本" in words(answer)


@pytest.mark.parametrize("said", ["\ud800", "0.1\n", "9" * 4000, {"a": 1}, ["0.1"]])
def test_what_a_laptop_says_of_itself_cannot_break_the_list(admin: Pages, said: object) -> None:
    """Else a hostile one would keep the page away on which it is revoked."""
    device = laptop(admin).id
    with admin.app.app_context(), transaction() as conn:
        status = json.dumps({"version": said, "waiting": "x", "clock": [1]})
        conn.execute(update(tables.device).where(tables.device.c.id == device).values(status=status, seen_at=SEEN))
    assert admin.get("/devices").status_code == 200
    assert laptop(admin).version is None
