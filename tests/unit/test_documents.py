"""What the security documents name is there, and nothing is called met without saying where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted((ROOT / "docs").glob("security*.md"))
CHECKLIST = ROOT / "docs" / "security-asvs.md"
STATES = ("met", "not met", "n.a.")
# `folder/file.ext`, `folder/file.py::name`, `folder/file.py::Class.name`
REFERENCE = re.compile(r"`((?:aidvisit|sync|tests|templates|docs)/[\w./-]+\.\w+)(?:::([\w.]+))?`")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
ROW = re.compile(r"\| (\d+\.\d+\.\d+) \|")


@cache
def names(path: Path) -> frozenset[str]:
    """What a module defines at its top, and in its classes as `Class.name`."""
    return frozenset(_defined(ast.parse(path.read_text(encoding="utf-8")).body))


def _defined(body: list[ast.stmt], within: str = "") -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield within + name
            case ast.ClassDef(name=name):
                yield within + name
                yield from _defined(node.body, f"{within}{name}.")
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from (within + one.id for one in ast.walk(target) if isinstance(one, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield within + name


def stale(text: str) -> list[str]:
    """References that lead nowhere."""
    found = []
    for path, name in REFERENCE.findall(text):
        file = ROOT / path
        if not file.is_file() or (name and name not in names(file)):
            found.append(f"{path}::{name}" if name else path)
    return found


def unreferenced(text: str) -> list[str]:
    """Lines of a checklist that say met, and neither code nor a test for it."""
    rows = [line.split(" | ") for line in text.splitlines() if ROW.match(line)]
    return [cells[0] for cells in rows if cells[2] == "met" and not re.search(r"`[\w./-]+\.\w+(::[\w.]+)?`", cells[3])]


def checklist() -> list[list[str]]:
    """Cells of every row of the checklist."""
    lines = CHECKLIST.read_text(encoding="utf-8").splitlines()
    return [line.strip("| ").split(" | ") for line in lines if ROW.match(line)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert stale(text) == []
    assert len(REFERENCE.findall(text)) > 50


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target, heading in LINK.findall(path.read_text(encoding="utf-8")):
        file = path.parent / target if target else path
        assert file.is_file(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert not heading or heading in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_search_finds_what_is_not_there() -> None:
    assert stale("`aidvisit/web/auth.py::ROUTES` `tests/unit/test_documents.py::stale`") == []
    assert stale("`aidvisit/web/auth.py::ROUTS` `aidvisit/nowhere.py` `tests/unit/test_cli.py::test_nothing`") == [
        "aidvisit/web/auth.py::ROUTS", "aidvisit/nowhere.py", "tests/unit/test_cli.py::test_nothing",
    ]  # fmt: skip
    assert unreferenced("| 1.1.1 | words | met | we are sure | – |") == ["| 1.1.1"]


def test_nothing_is_met_without_saying_where() -> None:
    assert unreferenced(CHECKLIST.read_text(encoding="utf-8")) == []
    for number, _, state, where, shown in checklist():
        assert state in STATES, number
        assert state == "met" or shown == "–", f"{number}: a test of what is {state}"
        assert len(where) > 3, f"{number}: neither where nor why not"


def test_the_counts_are_those_of_the_rows() -> None:
    rows = checklist()
    assert len({row[0] for row in rows}) == len(rows) == 168, "levels 1 and 2 of eleven chapters, each once"
    found = re.search(
        r"(\d+) requirements: (\d+) met, (\d+) not met, (\d+) not applicable", CHECKLIST.read_text("utf-8")
    )
    assert found is not None
    states = [row[2] for row in rows]
    assert [int(each) for each in found.groups()] == [len(rows), *(states.count(state) for state in STATES)]
