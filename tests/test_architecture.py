"""The grid stays a grid: imports only go down, SQL stays on one floor, files stay short."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path.relative_to(ROOT) for top in ("aidvisit", "sync") for path in (ROOT / top).rglob("*.py"))
# Beside each other on one height: what stands on a floor may be read from it and from every floor above.
FLOORS = {"sync": 0, "errors": 1, "config": 1, "domain": 1, "store": 2, "services": 3, "web": 4}
WIRING = 5
PURE = {"flask", "flask_sqlalchemy", "sqlalchemy", "requests", "alembic", "random", "secrets", "time"}
SQL = {"sqlalchemy", "flask_sqlalchemy", "alembic", "sqlite3", "psycopg"}
WITHOUT_SQL = {"op", "clock", "identity", "invitation", "merge", "problem", "wire"}  # of sync: what both ends compute
MAX_LINES = 400


def imports(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, wherever in the file the import stands."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.parent.parts[: len(path.parent.parts) - node.level + 1] if node.level else ()
            base = ".".join(filter(None, [*package, node.module or ""]))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def floor(module: str) -> int | None:
    """Height of a module of ours; None for everybody else's."""
    top, _, rest = module.partition(".")
    if top == "aidvisit":
        return FLOORS.get(rest.split(".")[0], WIRING) if rest[:2] != "__" else 0  # aidvisit.__version__
    return FLOORS.get(top)


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_file_keeps_to_its_floor(path: Path) -> None:
    own = floor(".".join(path.with_suffix("").parts)) if path.name != "__main__.py" else WIRING
    names = list(imports(path))
    upwards = [name for name in names if (height := floor(name)) is not None and own is not None and height > own]
    assert not upwards, f"{path} imports from a floor above it: {upwards}"

    outside = {name.partition(".")[0] for name in names if name != "sqlalchemy.Connection"}  # passed on, not spoken to
    part = path.parts[1].removesuffix(".py")
    if path.parts[0] == "sync":
        assert "aidvisit" not in outside, f"{path}: sync knows nothing about aid"
    if path.parts[:2] == ("aidvisit", "domain"):
        assert not outside & PURE, f"{path}: domain is pure"
    speaks_sql = part == "store" if path.parts[0] == "aidvisit" else part not in WITHOUT_SQL
    assert speaks_sql or not outside & SQL, f"{path}: only store and the log speak SQL"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_file_is_short(path: Path) -> None:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    assert lines < MAX_LINES, f"{path} has {lines} lines"
