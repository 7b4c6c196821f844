"""The English catalogue: every text is there, says the same names, and is compiled as it is written."""

from __future__ import annotations

import gettext
import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "aidvisit" / "translations" / "en" / "LC_MESSAGES"
METHODS = [("aidvisit/**.py", "python"), ("templates/**.html", "jinja2")]
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd%]")
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


@cache
def catalogue() -> Catalog:
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="en")


def messages() -> list[Message]:
    return [message for message in catalogue() if message.id]


def texts(value: str | list[str] | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@cache
def wanted() -> set[str]:
    """Every text that source and templates ask for."""
    found: set[str] = set()
    for folder in ("aidvisit", "templates"):
        methods = [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in METHODS]
        for _file, _line, message, _comments, _context in extract_from_dir(str(ROOT / folder), methods):
            found.add(message if isinstance(message, str) else message[0])
    return found


def test_every_text_is_in_english() -> None:
    assert len(wanted()) > 250
    english = {texts(message.id)[0] for message in messages() if all(texts(message.string))}
    assert wanted() - english == set(), "run `make messages` and translate these"


def test_nothing_is_kept_that_nobody_asks_for() -> None:
    assert {texts(message.id)[0] for message in messages()} - wanted() == set(), "run `make messages`"


def test_a_text_names_the_same_things_in_both_languages() -> None:
    for message in messages():
        names = set(PLACEHOLDER.findall(texts(message.id)[-1]))
        for english in texts(message.string):
            assert set(PLACEHOLDER.findall(english)) == names, message.id


def test_english_is_english() -> None:
    assert [message.id for message in messages() if CHINESE.search("".join(texts(message.string)))] == []
    assert [message.id for message in messages() if message.fuzzy] == []


def test_the_compiled_catalogue_is_as_fresh_as_the_text() -> None:
    with (FOLDER / "messages.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in messages():
        if isinstance(message.id, str):
            assert compiled.gettext(message.id) == message.string, "run `make messages`"
        else:
            for number, english in enumerate(message.string):
                assert compiled.ngettext(*message.id, 1 if number == 0 else 2) == english, "run `make messages`"


@pytest.mark.parametrize("sign", ["、", ",", ":"])
def test_signs_between_words_are_translated(sign: str) -> None:
    """English puts a blank after each; Chinese has it as it stands."""
    (message,) = [each for each in messages() if each.id == sign]
    assert message.string in (", ", ": ")
