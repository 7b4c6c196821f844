"""A few kills in every run; `make torture` does five hundred."""

from __future__ import annotations

import pytest

from tests.torture.points import POINTS
from tests.torture.run import torture

SOME = (
    "after append, before the commit",
    "after the commit, before “saved” is said",
    "while applying a page",
    "between two pages",
    "after the answer, before it is taken",
    "in a migration",
    "in a catch-up after an upgrade",
    "while a push is taken",
    "after the commit, before the answer",
)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kill_9_at_some_steps() -> None:
    points = tuple(point for point in POINTS if point.name in SOME)
    assert len(points) == len(SOME)
    hits = torture(len(SOME), 20201230, lambda _: None, points=points)
    assert set(hits.values()) == {1}
