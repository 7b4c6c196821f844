"""What a laptop wrote as an earlier device comes back to a restored centre too, also where nobody else holds it."""

from __future__ import annotations

import pytest

from sync import chains, log, sending, server
from sync.op import uuid7
from sync.renewal import enrol_again
from tests.support.toy import Centre, Laptop, Line, connected, expect_problem, memory
from tests.support.toy_house import FAR_TOWN, TOWN, replayed, times_applied

TEAM = uuid7()


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


def restore(centre: Centre, backup: Centre) -> None:
    centre.engine = memory(backup.engine)
    with centre.begin() as conn:
        server.new_epoch(conn, centre.now())


def renewed(centre: Centre, laptop: Laptop, *towns: str) -> None:
    """Another copy was there first; this one goes on as a new device. Nobody has the other copy any more."""
    other = Laptop(memory(laptop.engine), clock=centre.clock)
    other.line = Line(centre)
    other.thing(name="of the other copy")
    other.sync()
    laptop.thing(name="of this one")
    with expect_problem("fork"):
        laptop.sync()
    centre.grant(enrol_again(laptop.link), *(towns or (TOWN,)))
    laptop.sync()


def same(centre: Centre, laptop: Laptop) -> None:
    for node in (centre, laptop):
        with node.begin() as conn:
            assert replayed(conn, node.app) == node.states()
            assert set(times_applied(conn).values()) <= {1}
            assert chains.verify(conn) == []
    for stream in laptop.recall("grants"):
        assert laptop.digest(stream) == centre.digest(stream), stream


def test_what_it_wrote_as_its_first_device_comes_back(centre: Centre) -> None:
    laptop = connected(centre, TEAM)
    backup = Centre(memory(centre.engine))
    thing = laptop.thing(name="first")
    edit = laptop.edit(thing, {"name": [thing.op.name]}, name="second")
    laptop.sync()
    renewed(centre, laptop)
    restore(centre, backup)
    with expect_problem("unauthorized"):
        laptop.sync()
    centre.grant(enrol_again(laptop.link, centre.code(TEAM)), TOWN)
    laptop.sync()
    with centre.begin() as conn:
        held = log.at(conn, [(edit.op.device, 1), (edit.op.device, 2)])
    assert [entry.op for entry in held.values()] == [thing.op, edit.op], "under its own name"
    assert "second" in centre.states()[thing.op.subject]
    same(centre, laptop)


def test_where_the_second_device_is_known_it_goes_without_a_person(centre: Centre) -> None:
    laptop = connected(centre, TEAM)
    before = Centre(memory(centre.engine))
    things = [laptop.thing() for _ in range(3)]
    laptop.sync()
    renewed(centre, laptop)
    lost = before.recall("epoch")
    with centre.begin() as conn:  # the backup has the new device, and of the first one nothing yet
        conn.exec_driver_sql("DELETE FROM op WHERE device = ?", (things[0].op.device,))
        zero = ("0" * 64, things[0].op.device)
        conn.exec_driver_sql("UPDATE sync_device SET through = 0, head = ? WHERE id = ?", zero)
    restore(centre, Centre(memory(centre.engine)))
    assert centre.recall("epoch") != lost
    laptop.sync()
    assert {thing.op.subject for thing in things} <= set(centre.states())
    assert {thing.op.subject for thing in things} <= set(laptop.states()), "and it counts here again at once"
    calls = len(laptop.line.log)
    laptop.sync()
    assert laptop.line.log[calls:] == ["pull"], "once"


@pytest.mark.parametrize("town", [TOWN, FAR_TOWN])
@pytest.mark.parametrize("known", ["knows", "does not know"])
def test_what_another_copy_overtook_is_authored_again(centre: Centre, town: str, known: str) -> None:
    """The restored centre takes an old copy's ops for those of the first device, in a town of this laptop or not.

    It `knows` the device that this laptop is now, or not.
    """
    laptop = connected(centre, TEAM)
    centre.grant(laptop.device, TOWN, FAR_TOWN)
    shared = laptop.thing(name="of both")
    laptop.sync()
    first, backup, image = laptop.device, Centre(memory(centre.engine)), Laptop(memory(laptop.engine))
    image.line = Line(centre)
    thing = laptop.thing(name="first")
    edit = laptop.edit(thing, {"name": [thing.op.name]}, name="second")
    laptop.sync()
    renewed(centre, laptop)
    if known == "knows":
        with centre.begin() as conn:  # the backup has the new device, and of the first one its first op
            gone = {entry.op.subject for entry in sending.sent(conn, first, 2, 9)}
            conn.exec_driver_sql("DELETE FROM op WHERE device = ? AND seq > 1", (first,))
            centre.app.replay(conn, gone)
            conn.exec_driver_sql("UPDATE sync_device SET through = 1, head = ? WHERE id = ?", (shared.hash, first))
        backup = Centre(memory(centre.engine))
    restore(centre, backup)
    others = [image.thing(town, name="of the old copy") for _ in range(4)]
    image.sync()
    if known == "does not know":
        with expect_problem("unauthorized"):
            laptop.sync()
        centre.grant(enrol_again(laptop.link, centre.code(TEAM)), TOWN)
    laptop.sync()
    laptop.sync()
    assert {shared.op.subject, thing.op.subject, *(other.op.subject for other in others)} <= set(centre.states())
    assert "second" in centre.states()[edit.op.subject]
    assert laptop.states()[edit.op.subject] == centre.states()[edit.op.subject]
    same(centre, laptop)


@pytest.mark.parametrize("withdrawn", ["before", "after"])
def test_so_does_what_was_in_a_town_that_it_lost(centre: Centre, withdrawn: str) -> None:
    laptop = connected(centre, TEAM)
    centre.grant(laptop.device, TOWN, FAR_TOWN)
    backup = Centre(memory(centre.engine))
    laptop.sync()
    far = laptop.thing(FAR_TOWN)
    laptop.sync()
    if withdrawn == "before":
        centre.grant(laptop.device, TOWN)
        laptop.sync()
    renewed(centre, laptop, TOWN, *([FAR_TOWN] if withdrawn == "after" else []))
    centre.grant(laptop.device, TOWN)
    laptop.sync()
    assert far.op.subject not in laptop.states()
    restore(centre, backup)
    centre.grant(enrol_again(laptop.link, centre.code(TEAM)), TOWN)
    laptop.sync()
    assert far.op.subject in centre.states()
    same(centre, laptop)


def test_what_is_in_a_town_that_it_lost_leaves_no_trace_in_the_tables_of_a_new_device(centre: Centre) -> None:
    """Not even before the first whole pull: its code may have been used when the line went."""
    laptop = connected(centre, TEAM)
    centre.grant(laptop.device, TOWN, FAR_TOWN)
    laptop.sync()
    far = laptop.thing(FAR_TOWN)
    laptop.sync()
    centre.grant(laptop.device, TOWN)
    laptop.sync()
    with centre.begin() as conn:
        server.revoke(conn, laptop.device)
    with expect_problem("device-revoked"):
        laptop.sync()
    enrol_again(laptop.link, centre.code(TEAM))
    with laptop.begin() as conn:
        assert replayed(conn, laptop.app) == laptop.states()
    assert far.op.subject not in laptop.states()
    with laptop.begin() as conn:
        assert set(times_applied(conn).values()) <= {1}
    centre.grant(laptop.device, TOWN, FAR_TOWN)
    laptop.sync()
    assert far.op.subject in laptop.states()
    same(centre, laptop)


def test_where_the_centre_knows_neither_all_is_authored_again_in_its_order(centre: Centre) -> None:
    backup = Centre(memory(centre.engine))
    laptop = connected(centre, TEAM)
    thing = laptop.thing(name="first")
    laptop.sync()
    renewed(centre, laptop)
    laptop.edit(thing, {"name": [thing.op.name]}, name="second")
    laptop.sync()
    restore(centre, backup)
    centre.grant(enrol_again(laptop.link, centre.code(TEAM)), TOWN)
    laptop.sync(), laptop.sync()
    assert '"name": ["second", false' in centre.states()[thing.op.subject]
    same(centre, laptop)


def test_another_centre_is_asked_for_nothing_before_it_is_met(centre: Centre) -> None:
    laptop = connected(centre, TEAM)
    thing = laptop.thing()
    laptop.sync()
    renewed(centre, laptop)
    other = Centre(memory()).set_up()
    laptop.line.centre = other
    with expect_problem("unauthorized"):
        laptop.sync()
    other.grant(enrol_again(laptop.link, other.code(TEAM)), TOWN)
    laptop.sync(), laptop.sync()
    assert thing.op.subject in other.states()
    same(other, laptop)


@pytest.mark.parametrize("refuses", ["revoked", "line"])
def test_a_log_that_is_refused_rests_and_a_line_that_is_cut_does_not(centre: Centre, refuses: str) -> None:
    laptop = connected(centre, TEAM)
    backup = Centre(memory(centre.engine))
    first = laptop.device
    thing = laptop.thing()
    laptop.sync()
    renewed(centre, laptop)
    restore(centre, backup)
    centre.grant(enrol_again(laptop.link, centre.code(TEAM)), TOWN)
    restore(centre, Centre(memory(backup.engine)))
    if refuses == "revoked":
        with centre.begin() as conn:
            server.revoke(conn, first)
    _cut(laptop, centre, refuses == "line")
    centre.grant(enrol_again(laptop.link, centre.code(TEAM)), TOWN)
    laptop.sync(), laptop.sync()
    assert (thing.op.subject in centre.states()) == (refuses == "line")
    calls = len(laptop.line.log)
    laptop.sync()
    assert laptop.line.log[calls:] == ["pull"]


def _cut(laptop: Laptop, centre: Centre, does: bool) -> None:
    from sync.problem import Problem

    if not does:
        return

    def cut(name: str, document: dict[str, object]) -> None:
        if name == "push":
            raise Problem("server-unreachable", url="x")

    laptop.line.before = cut
    with expect_problem("server-unreachable"):
        enrol_again(laptop.link, centre.code(TEAM))
    laptop.line.before = lambda *_: None
