"""Bundles and the line in any order, any number of times: nothing is lost, doubled, or called sent before it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.op import uuid7
from sync.problem import Problem
from tests.support.stick import answered, exported, imported
from tests.support.toy import Centre, Laptop, connected, memory
from tests.support.toy_house import TOWN, times_applied


class Place:
    """A centre, a laptop that is carried to, another one with a line, and all bundles that were ever made."""

    def __init__(self) -> None:
        self.centre = Centre(memory()).set_up()
        team = uuid7()
        self.laptop, self.other = connected(self.centre, team), connected(self.centre, team)
        self.nodes = (self.centre, self.laptop, self.other)
        self.up: list[bytes] = []
        self.down: list[bytes] = []

    def record(self, pick: int) -> None:
        self.laptop.thing(name=str(pick))

    def elsewhere(self, pick: int) -> None:
        self.other.thing(name=str(pick))
        self.other.sync()

    def office(self, pick: int) -> None:
        self.centre.thing(name=str(pick))

    def grant(self, pick: int) -> None:
        self.centre.grant(self.laptop.device, *((TOWN,) if pick % 2 else ()))

    def export(self, _: int) -> None:
        self.up.append(exported(self.laptop))

    def take(self, pick: int) -> None:
        """Any bundle that was ever made, also once more."""
        if self.up:
            taken, answer = imported(self.centre, self.up[pick % len(self.up)])
            assert taken.stopped is None
            assert answer is not None
            self.down.append(answer)

    def answer(self, pick: int) -> None:
        if self.down:
            answered(self.laptop, self.down[pick % len(self.down)])

    def line(self, _: int) -> None:
        self.laptop.sync()

    def look(self) -> None:
        """What the chip says, against what the centre holds."""
        state = self.laptop.state()
        if state.waiting == 0:
            with self.centre.begin() as conn:
                query = "SELECT through FROM sync_device WHERE id = ?"
                assert conn.exec_driver_sql(query, (state.device,)).scalar_one() == state.last_seq


STEPS = st.tuples(
    st.sampled_from((Place.record, Place.elsewhere, Place.office, Place.grant, Place.export, Place.take, Place.answer,
                     Place.record, Place.export, Place.take, Place.answer, Place.line)),
    st.integers(0, 7),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=8, max_size=30))
def test_any_order(steps: list[tuple[object, int]]) -> None:
    place = Place()
    for step, pick in steps:
        for node in place.nodes:
            node.clock += timedelta(seconds=7)
        assert callable(step)
        step(place, pick)
        place.look()
    centre, laptop, other = place.nodes
    assert isinstance(laptop, Laptop)
    assert isinstance(other, Laptop)
    centre.clock += timedelta(seconds=7)
    place.grant(1)
    place.export(0)
    place.take(len(place.up) - 1)
    place.answer(len(place.down) - 1)
    other.sync()
    assert laptop.state().waiting == 0
    assert laptop.digest(TOWN) == centre.digest(TOWN) == other.digest(TOWN)
    for node in place.nodes:
        with node.begin() as conn:
            assert set(times_applied(conn).values()) <= {1}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 9999), st.integers(0, 9999), st.binary(max_size=40))
def test_whatever_is_cut_out_put_in_or_exchanged_is_refused(start: int, length: int, piece: bytes) -> None:
    """`start` and `length` in ten thousandths of the file: how long it is differs from one to the next."""
    centre = Centre(memory()).set_up()
    laptop = connected(centre, uuid7())
    laptop.thing(name="x")
    whole = exported(laptop)
    begin = len(whole) * start // 10_000
    spoilt = whole[:begin] + piece + whole[begin + len(whole) * length // 10_000 :]
    if spoilt != whole:
        with pytest.raises(Problem) as caught:
            imported(centre, spoilt)
        assert caught.value.name in {"bundle-damaged", "bundle-not-ours"}
    assert imported(centre, whole)[0].received == 1
