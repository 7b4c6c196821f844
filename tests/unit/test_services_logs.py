"""The log says where something failed and of which kind; the words of an error may quote a person."""

from __future__ import annotations

import io
import logging
import re

import pytest

from aidvisit.services.logs import FORMAT, Discreet, without_words
from aidvisit.store.queries import account
from tests.support.pages import Pages, words

NAME, PHONE, ID_NUMBER = "覃桂香", "13812345678", "11010519491231002X"


def chained() -> Exception:
    """An error with a name, because of one with an ID number, while one with a phone was handled."""
    try:
        try:
            try:
                raise OSError(PHONE)
            except OSError:
                raise ValueError(ID_NUMBER) from None
        except ValueError as error:
            raise KeyError(NAME) from error
    except KeyError as error:
        return error


def test_an_error_is_told_by_its_kinds_and_places() -> None:
    told = without_words(chained())
    for needle in (NAME, PHONE, ID_NUMBER):
        assert needle not in told
    assert told.index("builtins.ValueError") < told.index("builtins.KeyError"), "what led to it stands before"
    assert "in chained\n    raise KeyError(NAME) from error" in told


def test_what_libraries_log_of_an_error_has_no_words_either() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Discreet(FORMAT))
    logger = logging.Logger("library")
    logger.addHandler(handler)
    try:
        raise chained()
    except KeyError:
        logger.exception("it failed")
    assert "it failed" in stream.getvalue()
    assert "builtins.KeyError" in stream.getvalue()
    assert NAME not in stream.getvalue()


def test_nobody_writes_a_line_of_their_own_into_the_log() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Discreet(FORMAT))
    logger = logging.Logger("library")
    logger.addHandler(handler)
    logger.warning("Exception on %s", "/x\r\n2026-01-01 00:00:00,000Z INFO aidvisit: all is well\u2028\x1b[2J\x85z")
    first, *more = stream.getvalue().rstrip("\n").split("\n")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ WARNING library: Exception on /x\?", first)
    assert [line[:4] for line in more] == ["    "]
    assert more[0].isprintable()


@pytest.mark.parametrize("role", ["laptop", "office"])
def test_a_bug_in_a_page_is_logged_without_what_it_was_about(
    role: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pages: Pages = request.getfixturevalue(role)
    pages.sign_in()

    def bug(*_: object) -> None:
        raise chained()

    monkeypatch.setattr(account, "user", bug)
    with caplog.at_level(logging.DEBUG):
        answer = pages.client.get("/", headers={"User-Agent": NAME})
    assert answer.status_code == 500
    assert NAME not in words(answer)
    assert "builtins.KeyError" in caplog.text
    assert NAME not in caplog.text
