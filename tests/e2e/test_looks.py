"""States that a page comes to by what somebody did, over made-up days: axe finds nothing, nothing scrolls aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from aidvisit.practice import make
from aidvisit.services.practice import LOGIN as NOVICE
from aidvisit.services.practice import PASSWORD as NOVICE_PASSWORD
from tests.e2e import scene
from tests.e2e.looks import LOOKS, Look, Looker
from tests.e2e.test_pages import AXE, CHECK, WCAG
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, OFFICE, Node, Pair

STATES = {
    "today", "walk-in", "household", "deliver-odd", "deliver-kept", "deliver-unlisted", "correct", "void", "stock",
    "stock-cash", "slip-kept", "paper-day-refused", "papers-roll", "papers-cash-empty", "papers-cash", "papers-after",
    "papers-summary-cash", "c-correct", "c-plan", "c-rules", "c-stores", "c-stock-load", "c-duplicates", "c-settle",
    "practice-guide", "practice-today", "practice-deliver",
}  # fmt: skip


class Places:
    """Both ends after the made-up days, and a practice; somebody is signed in at each."""

    def __init__(self, chromium: Browser, pair: Pair, practice: Node, folder: Path) -> None:
        self.ids = {"trip": pair.trip} | scene.tell(pair)
        self.lookers = {
            "field": Looker(chromium, pair.field.url, LEADER, PASSWORD, folder),
            "centre": Looker(chromium, pair.centre.url, OFFICE, PASSWORD, folder),
            "practice": Looker(chromium, practice.url, NOVICE, NOVICE_PASSWORD, folder),
        }


@pytest.fixture(scope="module")
def places(chromium: Browser, pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("looks")
    make(folder / "practice")
    practice = Node(folder / "practice", "field")
    practice.options = ("--practice",)
    practice.start()
    yield Places(chromium, pair, practice, folder)
    practice.stop()


@pytest.mark.parametrize("look", [one for one in LOOKS if one.name in STATES], ids=lambda one: one.name)
def test_a_state(places: Places, look: Look) -> None:
    looker = places.lookers[look.node]
    looker.show(look, places.ids)
    page = looker.page
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        aside = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert aside <= 0, f"{aside} px to the side at {width}"
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(CHECK, WCAG)
        assert len(found["passes"]) > 5, "axe looked at nothing"
        assert [(one["id"], one["help"]) for one in found["violations"]] == [], f"{width} px, {scheme}"


def test_every_state_is_looked_at() -> None:
    assert {one.name for one in LOOKS} >= STATES
