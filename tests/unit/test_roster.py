"""The running numbers of a trip's list: as the plan has them, whatever is delivered meanwhile."""

from __future__ import annotations

from aidvisit.store.queries.plan import plan
from aidvisit.store.queries.roster import SHEET_ROWS, roster
from tests.support.store import TRIP, allotted, delivered, registered, say, uid
from tests.support.village import DAY, QIN, village


def test_numbers_follow_the_plan_and_a_walk_in_moves_none(database_url: str) -> None:
    with village(database_url) as conn:
        planned = plan(conn, TRIP, DAY)
        assert planned is not None
        before = [(row.number, row.stop.household) for row in roster(conn, TRIP)]
        assert before == list(enumerate((one.id for one in planned.households), 1))

        say(conn, registered(uid(5), "邬素云", "二组"), delivered(uid(20), uid(5), {"rice": 1}))
        say(conn, delivered(uid(21), QIN, {"rice": 2, "oil": 1}))
        assert [(row.number, row.stop.household) for row in roster(conn, TRIP)] == [*before, (5, uid(5))]


def test_a_sheet_holds_so_many_rows(database_url: str) -> None:
    with village(database_url) as conn:
        for number in range(30, 30 + SHEET_ROWS):
            say(conn, registered(uid(number), f"户{number}", "三组"), allotted((uid(number), "rice", 1)))
        sheets = [row.sheet for row in roster(conn, TRIP)]
        assert sheets == [1] * SHEET_ROWS + [2] * 4
