"""What must hold after every single step: what a chip says is true, and no laptop holds what it may not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sqlalchemy.engine import Connection

from aidvisit.web import chip
from sync import identity, log
from tests.simulation.nodes import SimCentre, SimLaptop


class Watch:
    """`held`: the marks of all that this centre, or what it was before a restore, ever held durably."""

    def __init__(self, centre: SimCentre) -> None:
        self.centre = centre
        self.held: set[int] = set()
        self._seen = 0

    def centre_changed(self) -> None:
        """The centre has another database: its rows are counted anew."""
        self._seen = 0

    def look_at(self, laptop: SimLaptop) -> None:
        with laptop.engine.begin() as conn:
            state = log.state(conn)
            if chip.derive(state, None).state == "sent":
                self._all_is_sent(conn, laptop, state)
            _nothing_strange(conn, laptop)

    def _all_is_sent(self, conn: Connection, laptop: SimLaptop, state: log.LogState) -> None:
        self._look_at_the_centre()
        missing = set(laptop.saved) - self.held
        assert not missing, f"the chip of {laptop.name} said that all is sent, the centre never held {sorted(missing)}"
        if state.last_seq:
            receipt = state.receipt or {}
            assert (receipt.get("through"), receipt.get("head")) == (state.last_seq, state.head), "sent, but no receipt"
            assert identity.check_receipt(log.recall(conn, "server")["public_key"], receipt), "a receipt of nobody"

    def _look_at_the_centre(self) -> None:
        with self.centre.engine.begin() as conn:
            new = "SELECT rowid, json_extract(body, '$.mark') AS mark FROM op WHERE rowid > ?"
            for row in conn.exec_driver_sql(new, (self._seen,)):
                self._seen = max(self._seen, row.rowid)
                self.held.add(row.mark)


def _nothing_strange(conn: Connection, laptop: SimLaptop) -> None:
    """Promise 7, on the laptop's own disk: of others' ops only those of granted streams."""
    granted = set(log.recall(conn, "grants"))
    laptop.was.add(log.own(conn))
    held = conn.exec_driver_sql("SELECT DISTINCT device, stream FROM op WHERE stream IS NOT NULL")
    strange = {stream for device, stream in held if device not in laptop.was} - granted
    assert not strange, f"{laptop.name} kept what it may not have: {strange}"


@contextmanager
def chip_without_words() -> Iterator[None]:
    """The chip's rule as it is; its sentences need a page around them."""

    def text(template: str, **_: Any) -> str:
        return template

    with mock.patch.multiple(
        chip, gettext=text, words=str, since=str, moment=lambda *_: "", clock_warning=lambda _: ""
    ):
        yield
