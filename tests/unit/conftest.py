"""A laptop and a centre for tests of pages: made once, copied for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pages
from tests.support.pages import Pages


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("homes")
    pages.make_homes(folder)
    return folder


@pytest.fixture
def laptop(homes: Path, tmp_path: Path) -> Iterator[Pages]:
    """A field laptop, nobody signed in."""
    with pages.pages(homes, "field", tmp_path) as shown:
        yield shown


@pytest.fixture
def office(homes: Path, tmp_path: Path) -> Iterator[Pages]:
    """The centre, nobody signed in."""
    with pages.pages(homes, "central", tmp_path) as shown:
        yield shown


@pytest.fixture(params=["field", "central"])
def there(homes: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pages]:
    """The pages of either end, its leader signed in."""
    with pages.pages(homes, request.param, tmp_path) as shown:
        assert shown.sign_in().status_code == 303
        yield shown
