"""The doctor's page at both ends, in both languages."""

from __future__ import annotations

import re
import time

import pytest
from sqlalchemy import text

from aidvisit.services import doctor
from aidvisit.services.doctor import later
from aidvisit.services.sync import current_settings
from aidvisit.store.database import transaction
from tests.support.pages import Pages


def checks(shown: str) -> dict[str, str]:
    return dict(re.findall(r'data-check="(\w+)" data-state="(\w+)"', shown))


def test_what_is_quick_at_once_and_everything_when_asked(there: Pages) -> None:
    shown = there.get("/doctor").text
    if "您的角色" in shown:
        there.sign_in("admin")
        shown = there.get("/doctor").text
    assert set(checks(shown)) == {"clock", "disk", "database", "keys", "versions", "backup"}
    assert "还没有查过" in shown
    with there.app.app_context(), transaction() as conn:
        conn.execute(text("UPDATE household SET name = 'somebody' WHERE id = (SELECT min(id) FROM household)"))
    assert there.post("/doctor").status_code == 303
    for _ in range(400):
        shown = there.get("/doctor").text
        if "正在查" not in shown:
            break
        time.sleep(0.05)
    found = checks(shown)
    assert (found["pages"], found["chain"], found["tables"]) == ("ok", "ok", "broken")
    assert "aidvisit rebuild" in shown
    there.post("/language", {"language": "en", "next": "/doctor"})
    english = there.get("/doctor").text
    assert "No record is missing or altered" in english


def test_a_look_that_fails_can_be_asked_for_again(laptop: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    laptop.sign_in()
    with laptop.app.app_context():
        monkeypatch.setattr(doctor, "inspect", fail)
        monkeypatch.setattr(later.threading.Thread, "start", later.threading.Thread.run)
        later.begin(current_settings())
        assert not later.last().running


def test_who_may_not_does_not_see_it(office: Pages) -> None:
    office.sign_in("office")
    assert office.get("/doctor").status_code == 403
