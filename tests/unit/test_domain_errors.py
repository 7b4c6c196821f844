"""The catalogue of refusals: each says what happened and what to do, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from aidvisit.errors import CATALOGUE, Problem

ROOT = Path(__file__).parents[2]


def members(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_sentence_in_each_language(name: str) -> None:
    kind = CATALOGUE[name]
    assert 400 <= kind.status < 600
    assert any("\u4e00" <= letter <= "\u9fff" for letter in kind.zh)
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in kind.en.replace("姓名 or 户主", ""))
    assert members(kind.zh) == {name.removesuffix("_en") for name in members(kind.en)}
    words = Problem(name).words("zh")
    assert "{" not in words


def test_the_errors_that_were_asked_for_are_there() -> None:
    assert {
        "wrong-password",
        "enrolment-code-invalid",
        "not-a-sheet",
        "port-in-use",
        "not-a-home",
        "database-from-future",
        "hotel-wifi",
        "disk-full",
    } <= set(CATALOGUE)


def test_every_problem_that_is_raised_has_its_words() -> None:
    """A name that is not in the catalogue would turn a refusal into a crash."""
    raised = {
        name
        for package in ("aidvisit", "sync")
        for source in (ROOT / package).rglob("*.py")
        for name in re.findall(r'\bProblem\(\s*"([a-z-]+)"', source.read_text(encoding="utf-8"))
    }
    assert raised
    assert raised <= set(CATALOGUE)


def test_members_stand_in_the_words() -> None:
    problem = Problem("port-in-use", port=8001)
    assert "8001" in problem.words("zh")
    assert "8001" in problem.words("en")
    assert problem.status == 409
