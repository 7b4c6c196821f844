"""The laptop's end against a line that loses, and a centre that errs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sync import client, identity, log, sending, server
from sync.op import uuid7
from sync.problem import Problem
from tests.support.toy import Centre, Laptop, Line, connected, expect_problem, memory
from tests.support.toy_house import TOWN, times_applied

TEAM = uuid7()


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    return connected(centre, TEAM)


def refuse(name: str, problem: Problem) -> Any:
    def act(called: str, _: dict[str, Any]) -> None:
        if called == name:
            raise problem

    return act


def nothing(*_: Any) -> None:
    return None


UNREACHABLE = Problem("server-unreachable", url="http://centre")


def test_what_is_acknowledged_has_a_receipt(centre: Centre, laptop: Laptop) -> None:
    laptop.thing(), laptop.thing()
    assert laptop.state().waiting == 2
    assert laptop.sync() == client.Outcome(pushed=2, pulled=0)
    state = laptop.state()
    assert (state.waiting, state.through, state.trouble) == (0, 2, None)
    assert state.receipt is not None
    assert identity.check_receipt(laptop.recall("server")["public_key"], state.receipt)
    assert (state.receipt["through"], state.receipt["head"]) == (2, state.head)


def test_an_outbox_of_many_batches_drains(centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MAX_OPS", 100)
    drafts = [log.Draft(TOWN, laptop.actor, "note.recorded", 1, uuid7(), {"i": i}) for i in range(250)]
    with laptop.begin() as conn:
        log.author(conn, laptop.app, drafts, laptop.now())
    heard: list[tuple[int, int]] = []
    outcome = client.sync_once(laptop.link, lambda done, total: heard.append((done, total)))
    assert outcome.pushed == 250
    assert heard == [(0, 250), (100, 250), (200, 250)]
    assert laptop.state().waiting == 0
    assert centre.digest(TOWN) == laptop.digest(TOWN)


def test_an_outbox_of_big_ops_is_cut_by_bytes(centre: Centre, laptop: Laptop) -> None:
    for _ in range(70):
        laptop.thing(text="陈" * 20_000)
    laptop.sync()
    assert laptop.line.log.count("push") == 3
    assert laptop.state().waiting == 0


@pytest.mark.parametrize("step", ["push", "pull"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_request_or_reply_costs_nothing(centre: Centre, laptop: Laptop, step: str, when: str) -> None:
    laptop.thing(), centre.thing()
    laptop.record(TOWN, "future.recorded", {})
    setattr(laptop.line, when, refuse(step, UNREACHABLE))
    with expect_problem("server-unreachable"):
        laptop.sync()
    assert laptop.state().waiting == 2
    assert laptop.state().trouble is None
    setattr(laptop.line, when, nothing)
    laptop.sync()
    assert laptop.state().waiting == 0
    assert laptop.state().quarantined == 1
    assert centre.digest(TOWN) == laptop.digest(TOWN)
    with centre.begin() as conn:
        assert set(times_applied(conn).values()) == {1}
    with laptop.begin() as conn:
        assert set(times_applied(conn).values()) == {1}


def test_a_lost_reply_hides_no_answer_of_the_ops_before(centre: Centre, laptop: Laptop) -> None:
    """What was held and restamped is told again, also when the next sync sends more than before."""
    laptop.clock += timedelta(days=365)
    with laptop.begin() as conn:
        log.remember(conn, offset_ms=0)
    laptop.thing(), laptop.record(TOWN, "future.recorded", {})
    laptop.line.after = refuse("push", UNREACHABLE)
    with expect_problem("server-unreachable"):
        laptop.sync()
    laptop.thing()
    laptop.line.after = nothing
    laptop.sync()
    assert [laptop.entry(laptop.device, seq).merge_hlc is not None for seq in (1, 2, 3)] == [True, True, True]
    assert laptop.state().quarantined == 1
    assert [laptop.entry(laptop.device, seq).clock for seq in (1, 2, 3)] == [
        centre.entry(laptop.device, seq).clock for seq in (1, 2, 3)
    ]


def test_an_enrolment_whose_reply_is_lost_costs_no_code(centre: Centre) -> None:
    laptop, code = Laptop(memory()), centre.code(TEAM)
    laptop.line = Line(centre, after=refuse("enrol", UNREACHABLE))
    with expect_problem("server-unreachable"):
        laptop.enrol(code)
    laptop.line.after = nothing
    with expect_problem("enrolment-code-invalid"):
        laptop.enrol("WRONG-WRONG")
    device = laptop.enrol(code.lower())
    assert json.loads(centre.states()[device])["team"] == TEAM
    assert sum('"device.enrolled"' in state for state in centre.states().values()) == 1


def test_another_code_after_a_lost_reply_is_another_key(centre: Centre) -> None:
    """The first code's device stays unused; the second code, of another team, is not refused for it."""
    laptop, other_team = Laptop(memory()), uuid7()
    laptop.line = Line(centre, after=refuse("enrol", UNREACHABLE))
    with expect_problem("server-unreachable"):
        laptop.enrol(centre.code(TEAM))
    laptop.line.after = nothing
    device = laptop.enrol(centre.code(other_team))
    assert json.loads(centre.states()[device])["team"] == other_team


def test_too_large_is_sent_in_halves(centre: Centre, laptop: Laptop) -> None:
    for _ in range(10):
        laptop.thing()
    sent: list[int] = []

    def at_most_three(name: str, document: dict[str, Any]) -> None:
        if name == "push":
            sent.append(len(document["ops"]))
            if len(document["ops"]) > 3:
                raise Problem("too-large", max_ops=3, max_bytes=1000)

    laptop.line.before = at_most_three
    laptop.sync()
    assert sent == [10, 5, 2, 2, 2, 2, 2]
    assert laptop.state().waiting == 0


def test_one_op_that_is_too_large_stops_and_is_shown(laptop: Laptop) -> None:
    laptop.thing()
    laptop.line.before = refuse("push", Problem("too-large", max_ops=0, max_bytes=0))
    with expect_problem("too-large"):
        laptop.sync()
    assert (laptop.state().trouble or {})["name"] == "too-large"
    assert laptop.state().waiting == 1


@pytest.mark.parametrize("name", ["unauthorized", "device-revoked", "malformed", "chain-broken", "bad-signature"])
@pytest.mark.parametrize("step", ["push", "pull"])
def test_what_stops_is_shown_and_the_ops_are_kept(centre: Centre, laptop: Laptop, name: str, step: str) -> None:
    laptop.thing()
    laptop.line.before = refuse(step, Problem(name, "why"))
    with expect_problem(name):
        laptop.sync()
    laptop.thing()
    state = laptop.state()
    assert (state.waiting, (state.trouble or {})["name"]) == (2, name)
    assert name in client.STOPPING
    laptop.line.before = nothing
    laptop.sync()
    assert (laptop.state().waiting, laptop.state().trouble) == (0, None)


@pytest.mark.parametrize(
    "name", ["too-many-requests", "unavailable", "server-unreachable", "hotel-wifi", "server-error"]
)
def test_what_passes_by_itself_is_no_trouble(laptop: Laptop, name: str) -> None:
    laptop.thing()
    laptop.line.before = refuse("push", Problem(name, retry_after=7, url="x", http_status=500))
    with expect_problem(name) as caught:
        laptop.sync()
    assert caught[0].retry_after == 7
    assert (laptop.state().waiting, laptop.state().trouble) == (1, None)


def test_a_gap_is_filled_also_where_the_receipt_says_more(centre: Centre, laptop: Laptop) -> None:
    for _ in range(3):
        laptop.thing()
    laptop.sync()
    laptop.thing()
    before, seen = laptop.recall("receipt"), []

    def lie_about_the_place(name: str, document: dict[str, Any]) -> None:
        if name == "push":
            seen.append(document["from"])
            if len(seen) == 1:
                raise Problem("gap", through=1)

    laptop.line.before = lie_about_the_place
    laptop.sync()
    assert seen == [4, 2]
    assert before["through"] == 3
    assert laptop.state().waiting == 0


def test_a_centre_that_always_says_gap_does_not_hold_the_laptop_for_ever(laptop: Laptop) -> None:
    laptop.thing()
    laptop.line.before = refuse("push", Problem("gap", through=0))
    with expect_problem("gap"):
        laptop.sync()


# --- receipts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["device", "through", "head", "at", "sig"])
def test_a_forged_receipt_acknowledges_nothing(centre: Centre, laptop: Laptop, member: str) -> None:
    laptop.thing()
    forged = {"device": uuid7(), "through": 2, "head": "ab" * 32, "at": "2020-12-30T01:30:01Z", "sig": "AA"}

    def forge(name: str, answer: dict[str, Any]) -> None:
        if name == "push":
            answer["receipt"][member] = forged[member]

    laptop.line.after = forge
    with expect_problem("receipt-invalid"):
        laptop.sync()
    assert laptop.state().waiting == 1
    assert laptop.state().receipt is None


@pytest.mark.parametrize("through", [0, 1, 3])
def test_a_signed_receipt_for_something_else_acknowledges_nothing(centre: Centre, laptop: Laptop, through: int) -> None:
    laptop.thing(), laptop.thing()

    def sign_another(name: str, answer: dict[str, Any]) -> None:
        if name == "push":
            with centre.begin() as conn:
                key = identity.KeyPair.from_private(log.recall(conn, "private_key"))
            head = laptop_hash(laptop, through)
            answer |= {"through": through, "head": head}
            answer["receipt"] = identity.make_receipt(key, laptop.device, through, head, "2020-12-30T01:30:00Z")

    laptop.line.after = sign_another
    with expect_problem("receipt-invalid"):
        laptop.sync()
    assert laptop.state().waiting == 2


def laptop_hash(laptop: Laptop, seq: int) -> str:
    with laptop.begin() as conn:
        return log.hash_at(conn, laptop.device, seq) if seq <= 2 else "ab" * 32


@pytest.mark.parametrize("step", ["push", "pull"])
@pytest.mark.parametrize("answer", [{}, {"through": "x"}, {"ok": True}])
def test_an_answer_that_is_none_changes_nothing(laptop: Laptop, step: str, answer: dict[str, Any]) -> None:
    """A portal that says JSON, a server of another program."""
    laptop.thing()

    def other(name: str, document: dict[str, Any]) -> None:
        if name == step:
            document.clear()
            document |= answer

    laptop.line.after = other
    with expect_problem("server-error"):
        laptop.sync()
    assert (laptop.state().waiting, laptop.state().trouble) == (1, None)


# --- clocks ----------------------------------------------------------------------------------------------------


def test_a_clock_is_later_than_what_was_seen_past_a_restart(centre: Centre, laptop: Laptop) -> None:
    centre.clock += timedelta(minutes=4)
    seen = centre.thing()
    laptop.thing()
    laptop.line.before = refuse("push", UNREACHABLE)
    with expect_problem("server-unreachable"):
        laptop.sync()
    again = Laptop(laptop.engine, clock=laptop.clock - timedelta(days=1))
    again.line = laptop.line
    assert again.thing().op.hlc > seen.clock
    assert again.thing().op.hlc > again.entry(again.device, 2).op.hlc


def test_the_offset_of_a_wrong_clock_is_learned_from_the_answers(centre: Centre, laptop: Laptop) -> None:
    laptop.clock += timedelta(days=400)
    laptop.sync()
    assert laptop.state().offset_ms == -400 * 86_400_000
    laptop.thing()
    laptop.sync()
    assert laptop.entry(laptop.device, 1).merge_hlc is None


def test_a_clock_told_of_a_merge_clock_moves_past_it_and_goes_back_when_all_is_acknowledged(
    centre: Centre, laptop: Laptop
) -> None:
    laptop.clock += timedelta(days=365)
    wrong = [laptop.thing(), laptop.thing()]
    assert wrong[1].op.hlc > wrong[0].op.hlc > "20211"
    laptop.clock -= timedelta(days=365)
    assert laptop.thing().op.hlc > wrong[1].op.hlc, "never back while something waits"
    laptop.sync()
    clocks = [laptop.entry(laptop.device, seq).clock for seq in (1, 2, 3)]
    assert clocks == sorted(set(clocks))
    assert clocks[-1] < "2021"
    right = laptop.thing()
    assert clocks[-1] < right.op.hlc < "2021"
    laptop.sync()
    assert laptop.entry(laptop.device, 4).merge_hlc is None


def test_a_restamp_replays_the_subject(centre: Centre, laptop: Laptop) -> None:
    """A clock a year ahead does not win every edit for a year."""
    other = connected(centre, TEAM)
    thing = centre.thing(name="first")
    laptop.sync(), other.sync()
    laptop.clock += timedelta(days=365)
    laptop.edit(thing, name="by a wrong clock")
    laptop.sync()
    other.sync()
    right = other.edit(thing, name="by a right clock")
    other.sync(), laptop.sync()
    states = [node.states()[thing.op.subject] for node in (centre, laptop, other)]
    assert states[0] == states[1] == states[2]
    assert json.loads(states[0])["fields"]["name"][0] == "by a right clock"
    assert right.clock > centre.entry(laptop.device, 1).clock


def test_a_restamp_that_is_learned_late_replays_the_subject(centre: Centre, laptop: Laptop) -> None:
    """The reply was lost; what others did since is later than what the laptop's wrong clock said."""
    other = connected(centre, TEAM)
    thing = centre.thing(name="first")
    laptop.sync(), other.sync()
    laptop.clock += timedelta(days=365)
    laptop.edit(thing, name="by a wrong clock")
    laptop.line.after = refuse("push", UNREACHABLE)
    with expect_problem("server-unreachable"):
        laptop.sync()
    centre.clock += timedelta(minutes=1)
    other.clock = centre.clock
    other.edit(thing, name="by a right clock")
    other.sync()
    laptop.line.after = nothing
    laptop.sync()
    assert json.loads(laptop.states()[thing.op.subject])["fields"]["name"][0] == "by a right clock"
    assert laptop.states()[thing.op.subject] == centre.states()[thing.op.subject]


def test_a_centre_that_always_says_more_does_not_hold_the_laptop_for_ever(laptop: Laptop) -> None:
    def more(name: str, answer: dict[str, Any]) -> None:
        if name == "pull":
            answer["more"] = True

    laptop.line.after = more
    with expect_problem("server-error"):
        laptop.sync()
    assert laptop.line.log.count("pull") < 6


def test_a_failed_page_stops_the_cursor_there(centre: Centre, laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 2)
    things = [centre.thing() for _ in range(5)]
    apply = laptop.app.apply

    def fail_at_the_fourth(conn: Any, entries: list[log.Entry], checked: bool) -> list[log.Entry]:
        if things[3].op.subject in {entry.op.subject for entry in entries}:
            raise OSError("disk full")
        return apply(conn, entries, checked)

    monkeypatch.setattr(laptop.app, "apply", fail_at_the_fourth)
    with pytest.raises(OSError, match="disk full"):
        laptop.sync()
    assert {t.op.subject for t in things[:2]} <= set(laptop.states())
    monkeypatch.setattr(laptop.app, "apply", apply)
    laptop.sync()
    assert {t.op.subject for t in things} <= set(laptop.states())
    assert laptop.digest(TOWN) == centre.digest(TOWN)


def test_a_revoked_laptop_goes_on_recording(centre: Centre, laptop: Laptop) -> None:
    with centre.begin() as conn:
        server.revoke(conn, laptop.device)
    laptop.thing()
    with expect_problem("device-revoked"):
        laptop.sync()
    laptop.thing()
    assert laptop.state().waiting == 2
