"""What every test may ask for: a database on both engines, Chromium, and repeatable random examples."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.support import browser, pages, postgres

E2E = Path(__file__).parent / "e2e"

# The same examples in every run: a red test is red for everybody. HYPOTHESIS_PROFILE=explore looks further.
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis_settings.register_profile(
    "explore", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.reserve()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.remove()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if E2E in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture(autouse=True, scope="session")
def cheap() -> Iterator[None]:
    """Passwords and applications of this process: what a test starts computes as long as it does for people."""
    with pytest.MonkeyPatch.context() as patch:
        pages.cheap_passwords(patch)
        pages.rules_built_once(patch)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """Address of this run's PostgreSQL, started when the first test asks for it."""
    try:
        return postgres.start()
    except RuntimeError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLAlchemy URL of an empty database: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{(tmp_path / 'aidvisit.db').as_posix()}"
        return
    with postgres.database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of the Chromium that end-to-end tests start."""
    path = browser.find()
    if path is None:
        pytest.fail(browser.SENTENCE)
    return path
