"""How much goes at once: little after a cut, more with every success, never what would take the line over a minute."""

from __future__ import annotations

import pytest

from sync import pace
from sync.pace import FEWEST, Pace
from sync.problem import Problem
from sync.wire import MAX_OPS
from tests.support.toy import Centre, Laptop, connected, expect_problem, memory
from tests.unit.test_sync_proof import TEAM


@pytest.fixture
def laptop() -> Laptop:
    return connected(Centre(memory()).set_up(), TEAM)


def test_an_unknown_line_is_taken_for_a_good_one() -> None:
    assert Pace(pace.MOST).limit(MAX_OPS) == MAX_OPS


def test_a_cut_makes_less_of_it_and_successes_more() -> None:
    line = Pace(pace.MOST)
    line.failed(500)
    assert line.limit(MAX_OPS) == 125
    line.failed(125)
    assert line.limit(MAX_OPS) == 31
    sizes = []
    while line.limit(MAX_OPS) < MAX_OPS:
        line.took(line.limit(MAX_OPS), 3000, 2.0)
        sizes.append(line.limit(MAX_OPS))
    assert sizes == [62, 124, 248, 496, 992, 1000]


def test_it_is_never_nothing() -> None:
    line = Pace(pace.MOST)
    for _ in range(20):
        line.failed(1)
    assert line.limit(MAX_OPS) == FEWEST
    assert line.limit(3) == 3
    line.took(50, 8000, 10_000.0)
    assert line.limit(MAX_OPS) == FEWEST


@pytest.mark.parametrize(("per_second", "ops"), [(8000, 1000), (800, 480), (80, 48)])
def test_a_cut_loses_a_minute_at_most(per_second: int, ops: int) -> None:
    line = Pace(pace.MOST)
    line.took(200, 20_000, 20_000 / per_second)
    assert line.limit(MAX_OPS) == ops


def test_a_short_answer_says_nothing_of_the_line() -> None:
    """Of one op most of the time is waiting for the answer."""
    line = Pace(pace.MOST)
    line.took(1, 340, 1.3)
    assert (line.speed, line.limit(MAX_OPS)) == (None, MAX_OPS)


def test_the_laptop_remembers_it_over_a_restart(laptop: Laptop) -> None:
    for _ in range(100):
        laptop.thing()
    laptop.line.before = cut
    with expect_problem("server-unreachable"):
        laptop.sync()
    sizes = sent(laptop)
    laptop.sync()
    assert sizes == [25, 50, 25]
    with laptop.begin() as conn:
        assert pace.of(conn).up.most >= 50
        assert pace.speed(conn) is None


def cut(name: str, _: object) -> None:
    if name == "push":
        raise Problem("server-unreachable", url="http://centre.test")


def sent(laptop: Laptop) -> list[int]:
    sizes: list[int] = []
    laptop.line.before = lambda name, document: sizes.append(len(document["ops"])) if name == "push" else None
    return sizes


def test_a_page_that_was_cut_is_asked_for_in_parts(laptop: Laptop) -> None:
    limits: list[int] = []

    def before(name: str, document: dict[str, int]) -> None:
        if name == "pull":
            limits.append(document["limit"])
            if len(limits) == 1:
                raise Problem("server-unreachable", url="x", cut=True)

    laptop.line.before = before
    with expect_problem("server-unreachable"):
        laptop.sync()
    laptop.sync()
    laptop.sync()
    assert limits == [2000, 500, 1000]


def test_no_line_at_all_says_nothing_of_how_long_a_page_may_be(laptop: Laptop) -> None:
    laptop.line.before = no_line
    with expect_problem("server-unreachable"):
        laptop.sync()
    limits = []
    laptop.line.before = lambda _, document: limits.append(document["limit"])
    laptop.sync()
    assert limits == [2000]


def no_line(*_: object) -> None:
    raise Problem("server-unreachable", url="x")
