"""The laptop's server dies while a delivery is filled in, and then its browser: the shortest form of the torture."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.torture import form


@pytest.mark.timeout(300, func_only=True)
def test_what_was_typed_comes_back_and_is_saved_once(
    playwright: Playwright, chromium_path: str, ready: tuple[Path, str]
) -> None:
    folder, trip = ready
    start = partial(form.Browser, playwright, chromium_path)
    figures = form.strike(start, 1, 20201230, folder, trip, lambda _: None)
    assert figures.kills.total() == figures.households == 2
