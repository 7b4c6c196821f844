"""A push asks for no signature, for its receipt is one; and what no receipt proves is asked for again with one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from sync import identity, log, server
from sync.identity import KeyPair
from sync.problem import Problem
from sync.transport import Lean, Reply
from tests.support.toy import Centre, Laptop, Line, expect_problem, memory
from tests.support.toy_house import TOWN
from tests.unit.test_sync_proof import TEAM, SigningLine, by_another, meddle


@dataclass
class LeanLine(SigningLine):
    """A line that can also ask without a proof; `lies`: what somebody on the way says to such a question."""

    lies: list[Problem | dict[str, Any]] = field(default_factory=list)
    leanly: list[str] = field(default_factory=list)

    def lean(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        self.leanly.append(name)
        if self.lies:
            lie = self.lies.pop()
            if isinstance(lie, Problem):
                raise lie
            return Reply(lie, None)
        return Line.call(self, name, document, token)


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def line(centre: Centre) -> LeanLine:
    return LeanLine(centre)


@pytest.fixture
def laptop(centre: Centre, line: LeanLine) -> Laptop:
    laptop = Laptop(memory(), clock=centre.clock)
    laptop.line = line
    centre.grant(laptop.enrol(centre.code(TEAM)), TOWN)
    laptop.thing()
    laptop.sync()
    return laptop


def test_only_pushes_go_without(laptop: Laptop, line: LeanLine) -> None:
    assert isinstance(line, Lean)
    laptop.thing()
    laptop.sync()
    assert line.leanly == ["push", "push"]
    assert laptop.state().waiting == 0


@pytest.mark.parametrize(
    "name", ["device-revoked", "unauthorized", "fork", "bad-signature", "chain-broken", "malformed", "gap", "too-large"]
)
def test_a_refusal_that_nobody_signed_changes_nothing(laptop: Laptop, line: LeanLine, name: str) -> None:
    """Whoever is on the way may say so; the centre, asked once more, does not."""
    laptop.thing()
    line.lies = [Problem(name, seq=1, through=0)]
    laptop.sync()
    state = laptop.state()
    assert (state.waiting, state.trouble) == (0, None)
    assert laptop.recall("acked") == 2


def test_a_refusal_by_the_centre_is_believed_when_it_is_signed(centre: Centre, laptop: Laptop, line: LeanLine) -> None:
    laptop.thing()
    line.after = lambda name, _: revoke(centre, laptop) if name == "pull" else None
    with expect_problem("device-revoked") as caught:
        laptop.sync()
    assert caught[0].verified
    assert line.leanly[-1] == line.log[-1] == "push"


def revoke(centre: Centre, laptop: Laptop) -> None:
    with centre.begin() as conn:
        server.revoke(conn, laptop.device)


def test_an_answer_of_another_server_is_not_believed(laptop: Laptop, line: LeanLine) -> None:
    laptop.thing()
    with laptop.begin() as conn:
        head = log.hash_at(conn, laptop.device, 2)
    receipt = identity.make_receipt(KeyPair.generate(), laptop.device, 2, head, "2020-12-30T01:30:00Z")
    line.lies = [{"through": 2, "head": head, "quarantined": [], "restamped": [], "receipt": receipt}]
    with expect_problem("receipt-invalid"):
        laptop.sync()
    assert laptop.state().waiting == 1


def test_nobody_else_sets_the_clock(laptop: Laptop, line: LeanLine) -> None:
    """The Date of an answer without a proof is anybody's."""
    laptop.thing()
    line.after = lambda name, _: late(laptop, line) if name == "push" else None
    laptop.sync()
    assert laptop.state().offset_ms == 0


def late(laptop: Laptop, line: LeanLine) -> None:
    line.centre.clock = line.centre.clock.replace(year=2030)


def test_what_a_receipt_was_given_for_before_is_proved_anew(centre: Centre, laptop: Laptop, line: LeanLine) -> None:
    """The centre came back from a backup and has lost it: the old receipt, played again by somebody, would do."""
    line.leanly.clear()
    with centre.begin() as conn:
        server.new_epoch(conn, centre.now())
    laptop.thing()
    laptop.sync()
    assert line.leanly == [], "from op 1 on, with what is new in the same push"
    meddle(laptop, by_another)
    laptop.thing()
    with expect_problem("other-server"):
        laptop.sync()
