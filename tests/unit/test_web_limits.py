"""Where pages end: too much sent, nobody there, the wrong method, the line in the clear."""

from __future__ import annotations

import json
import re
import time
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from werkzeug.datastructures import MultiDict

from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.store.database import reading, transaction
from aidvisit.web.request import MAX_FORM_BYTES
from sync.agent import Agent
from tests.support.pages import Pages, typed, words


def test_a_form_that_is_too_large_is_told_in_words(laptop: Pages) -> None:
    laptop.sign_in()
    answer = laptop.post("/search", {"q": "x" * (MAX_FORM_BYTES + 1)})
    assert answer.status_code == 413
    assert "太大" in words(answer)


def test_a_form_in_too_many_pieces_is_told_in_words(laptop: Pages) -> None:
    laptop.sign_in()
    pieces = MultiDict([(f"piece{number}", "x") for number in range(2_000)])
    answer = laptop.client.post("/search", data=pieces, content_type="multipart/form-data")
    assert answer.status_code == 413
    assert "太大" in words(answer)


def test_an_open_page_that_nobody_uses_does_not_keep_its_session(
    laptop: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chip is asked for every two seconds for as long as a page stands open."""
    laptop.sign_in()
    limit_s = laptop.app.config["SETTINGS"].idle_minutes * 60
    began = time.time()
    for passed_s in (limit_s // 2, limit_s - 1):
        monkeypatch.setattr(time, "time", lambda now=began + passed_s: now)
        assert laptop.get("/sync/chip").status_code == 200
    monkeypatch.setattr(time, "time", lambda: began + limit_s + 10)
    assert laptop.get("/").status_code == 302


def test_a_page_that_is_opened_the_wrong_way_says_which_way_is_right(office: Pages) -> None:
    office.sign_in()
    answer = office.post("/trips")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_what_the_centre_holds_for_review_is_named_and_leads_to_the_household(laptop: Pages) -> None:
    laptop.sign_in()
    household = laptop.households()[0].id
    path = f"/households/{household}/visit"
    laptop.post(path, typed(laptop.get(path)) | {"outcome": "not-home"})
    problem = json.dumps(Problem("unknown-subject", what="household", id=household).to_dict())
    with laptop.app.app_context(), transaction() as conn:
        conn.execute(sa.text("UPDATE op SET problem = :problem WHERE kind = 'visit.recorded'"), {"problem": problem})
    page = laptop.get("/sync")
    assert "需要处理" in words(page)
    assert "visit.recorded" not in page.text
    assert re.search(r"走访 · \S+ · .* 第 2 条", words(page))
    assert "household" not in words(page), "the noun too is in the reader's language"
    assert f'href="/households/{household}"' in page.text


@pytest.mark.parametrize(("path", "shown"), [("/trips", "page"), ("/trips/{trip}", "true")])
def test_the_way_about_shows_where_one_is(office: Pages, path: str, shown: str) -> None:
    office.sign_in()
    with office.app.app_context(), reading() as conn:
        trip = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
    assert f'href="/trips" aria-current="{shown}"' in office.get(path.format(trip=trip)).text


@pytest.mark.parametrize("page", ["deliver", "visit"])
def test_what_is_saved_is_sent_at_once(laptop: Pages, page: str) -> None:
    """Not at the agent's next turn, a minute later."""
    laptop.sign_in()
    agent = Mock(spec=Agent, sending=None)
    laptop.app.extensions[sync.AGENT] = agent
    path = f"/households/{laptop.households()[0].id}/{page}"
    form = typed(laptop.get(path)) | {"signature": "M10 20L30 40", "outcome": "not-home"}
    assert laptop.post(path, form | {"date": "x"}).status_code == 422
    agent.poke.assert_not_called()
    assert laptop.post(path, form).status_code == 303
    agent.poke.assert_called_once_with()
