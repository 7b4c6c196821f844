"""Chromium, a centre and a laptop for tests that do what a person does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.e2e.person import FLAGS, Person
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, Pair, copies, set_up

Open = Callable[..., Person]


@pytest.fixture(scope="session")
def playwright(chromium_path: str) -> Iterator[Playwright]:
    """There can be only one of it in a process, and finding Chromium may have asked it as well."""
    assert chromium_path
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The homes of a centre and a laptop with the sample list, not running; the trip's id."""
    folder = tmp_path_factory.mktemp("ready")
    return folder, set_up(folder)


@pytest.fixture(scope="module")
def pair(ready: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Running copies for the tests of one file."""
    folder, trip = ready
    with copies(folder, tmp_path_factory.mktemp("pair"), trip) as running:
        yield running


@pytest.fixture
def somebody(chromium: Browser, pair: Pair) -> Iterator[Open]:
    """Opens a browser for somebody new. At the end none of them may have asked another machine for anything, and
    no page may have broken its content security policy or failed in a script."""
    people: list[Person] = []

    def open_browser(**options: object) -> Person:
        people.append(Person(chromium, pair, **options))
        return people[-1]

    yield open_browser
    for person in people:
        person.leave()
    assert [line for person in people for line in person.complaints] == []


@pytest.fixture
def leader(somebody: Open, pair: Pair) -> Person:
    """The team's leader, signed in at the laptop."""
    person = somebody()
    person.sign_in(pair.field)
    return person


@pytest.fixture
def office(somebody: Open, pair: Pair) -> Person:
    """The administrator, signed in at the centre."""
    person = somebody()
    person.sign_in(pair.centre)
    return person


@pytest.fixture
def second(pair: Pair, somebody: Open) -> Person:
    """The team's leader, signed in at the centre: who approves what the administrator locked."""
    person = somebody()
    person.sign_in(pair.centre, PASSWORD, LEADER)
    person.page.wait_for_url(re.compile(f"{pair.centre.url}/(?!sign-in)"))
    return person
