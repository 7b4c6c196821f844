"""Two laptops without a line merge the same households, each its own way, and edit them: they agree when they meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services import account, catalog, delivery, household, pair
from aidvisit.services.device import enrolment_codes
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import House
from aidvisit.store.queries.comparison import side
from aidvisit.store.queries.received import received
from sync import client, clock, joining, log, server
from sync.link import Link
from sync.op import uuid7
from tests.support.homes import TOWN, VILLAGE
from tests.support.pages import DAY, DEAD, InProcess
from tests.support.store import tables

ONE, OTHER, THIRD = sorted(uuid7() for _ in range(3))


class Fleet:
    """A centre and two laptops of one team in one process; they meet only in `sync`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.centre = stack.enter_context(opened(config.write(folder / "central", role="central")))
        with self.centre.app_context():
            with transaction() as conn:
                own = server.set_up(conn, name="中心", now=clock.wall())
            catalog.seed(actor=own, around=TOWN)
            team = account.add_team(actor=own, name="慰问一队", divisions=[TOWN])
            for identity in (ONE, OTHER, THIRD):
                body = {"kind": "household", "head": {"name": "覃来回"}, "division": VILLAGE, "categories": []}
                household.register(actor=own, household=identity, body=body)
        self.laptops = [self._laptop(folder / f"field-{n}", own, team) for n in range(2)]
        self.sync()

    def _laptop(self, home: Path, own: str, team: str) -> Flask:
        with self.centre.app_context():
            code = enrolment_codes(actor=own, team=team)[0].code
        app = self._stack.enter_context(opened(config.write(home, role="field", server_url=DEAD)))
        with app.app_context():
            joining.enrol(self._link(), name=home.name, code=code)
        return app

    def _link(self) -> Link:
        return Link(transaction, House(), InProcess(self.centre), clock.wall)

    def at(self, laptop: int, does: Callable[..., Any], **what: Any) -> None:
        with self.laptops[laptop].app_context():
            with reading() as conn:
                own = log.own(conn)
            does(actor=own, **what)

    def sync(self) -> None:
        """Twice each: the first hears of the second's too."""
        for laptop in (*self.laptops, *self.laptops):
            with laptop.app_context():
                client.sync_once(self._link())

    def everywhere(self, asks: Callable[..., Any]) -> Any:
        """What the centre and both laptops answer, if it is the same."""
        found = []
        for app in (self.centre, *self.laptops):
            with app.app_context(), reading() as conn:
                found.append(asks(conn))
                assert ledger.verify(conn) == []
        assert found[0] == found[1] == found[2]
        return found[0]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with ExitStack() as stack:
        yield Fleet(tmp_path, stack)


def rows(conn: Any) -> Any:
    """All that is known of households, as the tables have it, and the digest of their town."""
    held = tables(conn)
    return ledger.digest(conn)[TOWN], {name: held.get(name) for name in ("household", "member", "delivery_line")}


def test_a_circle_edits_and_deliveries_made_offline_end_in_one_household(fleet: Fleet) -> None:
    fleet.at(0, pair.merge, household=ONE, into=OTHER, reason="同一户")
    fleet.at(1, pair.merge, household=OTHER, into=ONE, reason="同一户")
    fleet.at(1, pair.merge, household=THIRD, into=OTHER, reason="同一户")
    member = {"id": uuid7(), "name": "覃新生"}
    fleet.at(1, household.update, household=OTHER, set_={"note": "改过"}, add={"members": [member]})
    given = {"date": DAY, "received_by": {"as": "head", "name": "本人"}, "proofs": [{"as": "thumbprint"}]}
    fleet.at(0, delivery.record_delivery, delivery=uuid7(), household=OTHER, trip=None, lines={"rice": 1}, **given)
    reasons = {"household-closed": "已在车上"}
    fleet.at(
        1, delivery.record_delivery, delivery=uuid7(), household=THIRD, trip=None, lines={"rice": 2}, reasons=reasons,
        **given,
    )  # fmt: skip
    fleet.sync()
    fleet.everywhere(rows)

    def seen(conn: Any) -> Any:
        stands = side(conn, THIRD)
        assert stands is not None
        names = [[one.name for one in part.view.members] for part in stands.parts]
        return [part.view.id for part in stands.parts], names, received(conn, THIRD).items[0].quantity

    ids, names, rice = fleet.everywhere(seen)
    assert ids == [ONE, OTHER, THIRD], "of a circle the least id stands"
    assert names == [[], ["覃新生"], []]
    assert rice == 3


def test_a_merge_that_one_takes_back_while_another_edits_is_taken_back_everywhere(fleet: Fleet) -> None:
    before = fleet.everywhere(lambda conn: tables(conn)["household"])
    fleet.at(0, pair.merge, household=OTHER, into=ONE, reason="同一户")
    fleet.sync()
    fleet.at(0, pair.unmerge, household=OTHER, reason="并错了")
    fleet.at(1, household.update, household=OTHER, set_={"head.phone": "13812345678"})
    fleet.sync()
    after = fleet.everywhere(lambda conn: tables(conn)["household"])
    assert len(after & before) == 2, "the others are as they were"
    assert fleet.everywhere(lambda conn: side(conn, OTHER).parts[0].view.into) is None  # type: ignore[union-attr]
    fleet.everywhere(rows)
