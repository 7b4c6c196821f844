"""Copies of laptops, a restored centre, and grants that come and go: nothing is lost and all show the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync import chains, client, log, quarantine, renewal, sending, server
from sync.op import uuid7
from sync.problem import Problem
from tests.support.toy import Centre, Laptop, Line, connected, expect_problem, memory
from tests.support.toy_house import OTHER_TOWN, TOWN, replayed, times_applied

TEAM = uuid7()


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, TEAM)


def copy_of(laptop: Laptop) -> Laptop:
    copy = Laptop(memory(laptop.engine), clock=laptop.clock)
    copy.line = Line(laptop.line.centre)
    return copy


def restored(centre: Centre, backup: Centre) -> None:
    """The centre's database is a copy from before."""
    centre.engine = memory(backup.engine)
    with centre.begin() as conn:
        server.new_epoch(conn, centre.now())


def backup_of(centre: Centre) -> Centre:
    return Centre(memory(centre.engine))


def same(centre: Centre, *laptops: Laptop) -> None:
    """Promise 6, and that what is kept to be quick is what a replay gives."""
    for node in (centre, *laptops):
        with node.begin() as conn:
            assert replayed(conn, node.app) == node.states()
            assert set(times_applied(conn).values()) <= {1}
            assert chains.verify(conn) == []
    for laptop in laptops:
        for stream in laptop.recall("grants"):
            assert laptop.digest(stream) == centre.digest(stream), stream
        with laptop.begin() as conn:
            held = {entry.op.subject for entry in log.quarantined(conn)}
        assert {s: state for s, state in laptop.states().items() if s not in held}.items() <= centre.states().items()


# --- a laptop restored from a copy -----------------------------------------------------------------------------


def test_a_copy_is_noticed_by_pull_before_it_sends(centre: Centre, laptop: Laptop) -> None:
    laptop.thing()
    laptop.sync()
    copy = copy_of(laptop)
    laptop.thing()
    laptop.sync()
    copy.thing(), copy.thing()
    with expect_problem("fork"):
        copy.sync()
    assert "push" not in copy.line.log
    assert (copy.state().trouble or {})["name"] == "fork"
    copy.thing()
    assert copy.state().waiting == 3, "recording goes on"


def test_a_copy_that_has_less_is_noticed(centre: Centre, laptop: Laptop) -> None:
    copy = copy_of(laptop)
    laptop.thing()
    laptop.sync()
    with expect_problem("fork") as caught:
        copy.sync()
    assert caught[0].members["seq"] == 1


def test_a_copy_that_differs_only_in_what_is_on_its_way_is_noticed_by_push(centre: Centre, laptop: Laptop) -> None:
    """Both pulled before either pushed."""
    for _ in range(3):
        laptop.thing()
    laptop.sync()
    copy = copy_of(laptop)
    laptop.thing(), copy.thing(), copy.thing()
    copy.line.before = lambda name, _: laptop.sync() if name == "push" and laptop.state().waiting else None  # type: ignore[func-returns-value]
    with expect_problem("fork") as caught:
        copy.sync()
    assert caught[0].members["seq"] == 4


def test_a_copy_goes_on_as_a_new_device_with_all_that_only_it_has(centre: Centre, laptop: Laptop) -> None:
    other = connected(centre, TEAM)
    thing = laptop.thing(name="shared")
    laptop.sync()
    copy = copy_of(laptop)
    mine = laptop.edit(thing, name="by the original")
    laptop.sync()
    theirs = [copy.edit(thing, name="by the copy"), copy.thing(name="new"), copy.record(TOWN, "future.recorded", {})]
    with expect_problem("fork"):
        copy.sync()
    old = copy.device
    device = renewal.enrol_again(copy.link)
    assert device == copy.device != old
    centre.grant(device, TOWN)
    for node in (copy, laptop, other, copy):
        node.sync()
    again = [copy.entry(device, seq).op for seq in (1, 2, 3)]
    fields = ("stream", "hlc", "actor", "kind", "v", "subject", "body")
    assert [[getattr(op, f) for f in fields] for op in again] == [
        [getattr(entry.op, f) for f in fields] for entry in theirs
    ]
    assert copy.entry(mine.op.device, mine.op.seq).op == mine.op
    assert copy.state().waiting == 0
    same(centre, laptop, copy, other)
    state = json.loads(centre.states()[thing.op.subject])["fields"]["name"]
    assert state[1], "both edits are kept, as a conflict"


def test_what_the_old_device_had_in_quarantine_is_not_shown_as_done_by_the_new_one(
    centre: Centre, laptop: Laptop
) -> None:
    missing = uuid7()
    held = laptop.record(TOWN, "gift.recorded", {"thing": missing, "quantity": 1})
    laptop.sync()
    copy = copy_of(laptop)
    laptop.thing()
    laptop.sync()
    copy.thing()
    renewal.enrol_again(copy.link)
    centre.grant(copy.device, TOWN)
    copy.sync()
    assert held.op.subject not in copy.states()
    centre.record(TOWN, "thing.registered", {"fields": {}}, missing)
    copy.sync(), copy.sync(), laptop.sync(), laptop.sync()
    assert held.op.subject in copy.states(), "released, and pulled like any other's"
    same(centre, laptop, copy)


def test_the_fork_is_found_in_small_batches_too(centre: Centre, laptop: Laptop) -> None:
    for _ in range(9):
        laptop.thing()
    laptop.sync()
    copy = copy_of(laptop)
    laptop.thing()
    laptop.sync()
    copy.thing()

    def at_most_four(name: str, document: dict[str, list[object]]) -> None:
        if name == "push" and len(document["ops"]) > 4:
            raise Problem("too-large", max_ops=4, max_bytes=1)

    copy.line.before = at_most_four
    assert sending.find_fork(copy.link) == 10


def test_what_is_said_of_the_old_devices_ops_changes_nothing_of_the_new_one(centre: Centre, laptop: Laptop) -> None:
    """A release, told to the team, of an op in a stream that the copy does not read."""
    held = laptop.thing(OTHER_TOWN)
    laptop.sync()
    copy = copy_of(laptop)
    laptop.thing()
    laptop.sync()
    renewal.enrol_again(copy.link)
    centre.grant(copy.device, TOWN)
    copy.sync()
    assert copy.state().quarantined == 0
    with centre.begin() as conn:
        quarantine.release(conn, centre.app, held.op.device, held.op.seq, "", uuid7(), centre.now())
    laptop.sync(), copy.sync()
    assert laptop.state().quarantined == 0
    assert held.op.subject not in copy.states()
    same(centre, copy)


@pytest.mark.parametrize("step", ["enrol", "push"])
def test_a_lost_reply_while_enrolling_again_makes_no_third_device(centre: Centre, laptop: Laptop, step: str) -> None:
    copy = copy_of(laptop)
    laptop.thing()
    laptop.sync()
    copy.thing()

    def lose(name: str, _: object) -> None:
        if name == step:
            raise Problem("server-unreachable", url="x")

    copy.line.after = lose
    if step == "enrol":
        with expect_problem("server-unreachable"):
            renewal.enrol_again(copy.link)
        copy.line.after = lambda *_: None
    renewal.enrol_again(copy.link)
    copy.line.after = lambda *_: None
    centre.grant(copy.device, TOWN)
    copy.sync(), laptop.sync()
    assert sum('"device.enrolled"' in state for state in centre.states().values()) == 2
    same(centre, laptop, copy)


def test_enrolling_again_without_a_fork_loses_nothing_either(centre: Centre, laptop: Laptop) -> None:
    laptop.thing()
    laptop.sync()
    laptop.thing()
    renewal.enrol_again(laptop.link)
    centre.grant(laptop.device, TOWN)
    laptop.sync(), laptop.sync()
    assert len([s for s in centre.states().values() if "thing.registered" in s]) == 2
    same(centre, laptop)


def test_an_edit_of_the_copys_own_edit_is_no_conflict_afterwards(centre: Centre, laptop: Laptop) -> None:
    """What an edit had in view was authored again under another name: its `base` names that one."""
    copy = copy_of(laptop)
    laptop.thing(name="by the original")
    laptop.sync()
    thing = copy.thing(name="first")
    second = copy.edit(thing, {"name": [thing.op.name]}, name="second")
    copy.edit(thing, {"name": [second.op.name], "other": ["0192f3a0-0000-7000-8000-0000000000ff/7"]}, name="third")
    before = _fields(copy, thing.op.subject)
    assert before["name"][:2] == ["third", False]
    renewal.enrol_again(copy.link)
    centre.grant(copy.device, TOWN)
    copy.sync(), laptop.sync()
    assert _fields(centre, thing.op.subject)["name"][:2] == ["third", False]
    assert _base(copy, 3) == {"name": [f"{copy.device}/2"], "other": ["0192f3a0-0000-7000-8000-0000000000ff/7"]}
    same(centre, laptop, copy)


def test_an_edit_that_the_copy_never_saw_is_not_superseded_by_it(centre: Centre, laptop: Laptop) -> None:
    """The original's edit has the number that the copy gave to one of its own: naming it must not hide the other."""
    thing = laptop.thing(name="shared")
    laptop.sync()
    copy = copy_of(laptop)
    theirs = laptop.edit(thing, {"name": [thing.op.name]}, name="by the original")
    laptop.sync()
    mine = copy.edit(thing, {"name": [thing.op.name]}, name="by the copy")
    assert mine.op.name == theirs.op.name, "two ops, one number"
    copy.edit(thing, {"name": [mine.op.name]}, name="by the copy, better")
    renewal.enrol_again(copy.link)
    centre.grant(copy.device, TOWN)
    copy.sync(), laptop.sync(), copy.sync()
    _value, conflict, heads = _fields(centre, thing.op.subject)["name"]
    assert conflict
    assert {name for name, _ in heads} == {theirs.op.name, f"{copy.device}/2"}
    assert _base(copy, 1) == {"name": [thing.op.name]}, "what the centre has keeps its name"
    same(centre, laptop, copy)


def _fields(node: Centre | Laptop, subject: str) -> dict[str, list[Any]]:
    fields: dict[str, list[Any]] = json.loads(node.states()[subject])["fields"]
    return fields


def _base(node: Laptop, seq: int) -> Any:
    return node.entry(node.device, seq).op.body["base"]


# --- a centre restored from an old copy ------------------------------------------------------------------------


def test_a_restored_centre_gets_back_what_it_lost(centre: Centre, laptop: Laptop) -> None:
    other = connected(centre, TEAM)
    first = laptop.thing(name="before")
    laptop.sync()
    backup = backup_of(centre)
    lost = [laptop.thing(name="lost"), laptop.edit(first, name="lost too")]
    laptop.sync(), other.sync()
    other.thing()
    restored(centre, backup)
    centre.thing(name="new at the centre")
    other.sync()
    assert lost[0].op.subject not in other.states(), "not numbered again: it does not count until it is"
    assert other.entry(lost[0].op.device, lost[0].op.seq).op == lost[0].op, "but it is kept"
    laptop.sync(), other.sync()
    assert lost[0].op.subject in centre.states()
    assert lost[0].op.subject in other.states()
    same(centre, laptop, other)


def test_what_it_forgot_to_have_released_is_held_again_and_shown(centre: Centre, laptop: Laptop) -> None:
    entry = laptop.record(TOWN, "gift.recorded", {"thing": uuid7(), "quantity": 1})
    joke = laptop.record(TOWN, "gift.recorded", {"thing": uuid7(), "quantity": 1})
    laptop.sync()
    backup = backup_of(centre)
    with centre.begin() as conn:
        quarantine.release(conn, centre.app, laptop.device, entry.op.seq, "", uuid7(), centre.now())
        quarantine.dismiss(conn, centre.app, laptop.device, joke.op.seq, "", uuid7(), centre.now())
    laptop.sync()
    assert laptop.state().quarantined == 0
    restored(centre, backup)
    laptop.sync()
    assert laptop.state().quarantined == 2
    assert len(centre.held()) == 2
    same(centre, laptop)


def test_a_centre_that_does_not_know_the_device_any_more(centre: Centre) -> None:
    backup = backup_of(centre)
    laptop = connected(centre, TEAM)
    thing = laptop.thing(name="x")
    laptop.edit(thing, name="y")
    laptop.sync()
    restored(centre, backup)
    with expect_problem("unauthorized"):
        laptop.sync()
    with expect_problem("unauthorized"):
        renewal.enrol_again(laptop.link)
    renewal.enrol_again(laptop.link, centre.code(TEAM))
    centre.grant(laptop.device, TOWN)
    laptop.sync(), laptop.sync()
    assert thing.op.subject in centre.states()
    same(centre, laptop)


def test_another_copy_may_come_first_after_the_restore(centre: Centre, laptop: Laptop) -> None:
    """The same number stands for another op then, also where the first one was pulled already."""
    other = connected(centre, TEAM)
    laptop.thing()
    laptop.sync()
    backup, copy = backup_of(centre), copy_of(laptop)
    first = laptop.thing(name="by the original")
    laptop.sync(), other.sync()
    second = copy.thing(name="by the copy")
    restored(centre, backup)
    copy.sync(), other.sync()
    assert first.name == second.name
    assert other.entry(second.op.device, second.op.seq).op == second.op
    with expect_problem("fork"):
        laptop.sync()
    renewal.enrol_again(laptop.link)
    centre.grant(laptop.device, TOWN)
    for node in (laptop, copy, other):
        node.sync()
    assert {first.op.subject, second.op.subject} <= set(other.states())
    same(centre, laptop, copy, other)


def test_two_restores_while_a_page_is_on_its_way(
    centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PAGE", 2)
    for _ in range(5):
        centre.thing()
    laptop.sync()
    for _ in range(2):
        restored(centre, backup_of(centre))
        calls: list[str] = []

        def cut(name: str, _: object, calls: list[str] = calls) -> None:
            calls.append(name)
            if len(calls) > 2:
                raise Problem("server-unreachable", url="x")

        laptop.line.before = cut
        with expect_problem("server-unreachable"):
            laptop.sync()
        assert len([s for s in laptop.states().values() if "thing.registered" in s]) == 5, "nothing flickers"
    laptop.line.before = lambda *_: None
    laptop.sync()
    same(centre, laptop)
