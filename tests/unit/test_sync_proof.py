"""Only the server that was enrolled with is believed: whoever else answers there changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import sqlalchemy as sa

from sync import client, identity, joining, log, renewal, server, tables
from sync.agent import delay
from sync.identity import KeyPair
from sync.op import uuid7
from sync.problem import Problem
from sync.proof import Proof, answered_text, is_nonce, new_nonce
from sync.transport import Reply
from tests.support.toy import Centre, Laptop, Line, expect_problem, memory
from tests.support.toy_house import TOWN

TEAM = uuid7()
Meddle = Callable[[Proof], Proof]


def stripped(proof: Proof) -> Proof:
    return replace(proof, signature=None)


@dataclass
class SigningLine(Line):
    """A line to a centre that signs; `meddle` is what somebody on the way does to the proof."""

    meddle: Meddle = lambda proof: proof
    proofs: list[Proof] = field(default_factory=list)

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        nonce = new_nonce()
        try:
            reply = super().call(name, document, token)
        except Problem as problem:
            if "type" in problem.to_dict():
                problem.proof = self._sign(nonce, problem.to_dict())
            raise
        return replace(reply, proof=self._sign(nonce, reply.document))

    def _sign(self, nonce: str, document: dict[str, Any]) -> Proof:
        key = KeyPair.from_private(self.centre.recall("private_key"))
        text = answered_text(nonce, json.dumps(document).encode())
        proof = self.meddle(Proof(text, key.sign(text)))
        self.proofs.append(proof)
        return proof


@pytest.fixture
def centre() -> Centre:
    return Centre(memory()).set_up()


@pytest.fixture
def laptop(centre: Centre) -> Laptop:
    laptop = Laptop(memory(), clock=centre.clock)
    laptop.line = SigningLine(centre)
    centre.grant(laptop.enrol(centre.code(TEAM)), TOWN)
    laptop.sync()
    return laptop


def meddle(laptop: Laptop, how: Meddle) -> None:
    assert isinstance(laptop.line, SigningLine)
    laptop.line.meddle = how


def mend(laptop: Laptop) -> None:
    meddle(laptop, lambda proof: proof)


def by_another(proof: Proof) -> Proof:
    return replace(proof, signature=KeyPair.generate().sign(proof.text))


def of_another_answer(proof: Proof) -> Proof:
    return replace(proof, text=proof.text + "0")


def no_signature_at_all(proof: Proof) -> Proof:
    return replace(proof, signature="é" * 86)


@pytest.mark.parametrize("how", [stripped, by_another, of_another_answer, no_signature_at_all])
def test_an_answer_without_the_right_signature_changes_nothing(centre: Centre, laptop: Laptop, how: Meddle) -> None:
    laptop.thing(), centre.thing()
    before = laptop.states()
    meddle(laptop, how)
    with expect_problem("other-server") as caught:
        laptop.sync()
    assert laptop.states() == before
    state = laptop.state()
    assert (state.waiting, state.receipt) == (1, None)
    assert state.trouble is not None
    assert state.trouble["name"] == "other-server"
    assert "登记码" in caught[0].words("zh")
    assert laptop.line.log.count("push") == 0, "nothing was sent to whoever that is"
    laptop.thing()
    mend(laptop)
    laptop.sync()
    assert (laptop.state().waiting, laptop.state().trouble) == (0, None)
    assert centre.digest(TOWN) == laptop.digest(TOWN)


def test_an_answer_of_earlier_is_no_answer(laptop: Laptop) -> None:
    assert isinstance(laptop.line, SigningLine)
    earlier = laptop.line.proofs[-1]
    meddle(laptop, lambda proof: replace(proof, signature=earlier.signature))
    with expect_problem("other-server"):
        laptop.sync()


@pytest.mark.parametrize("name", ["device-revoked", "unauthorized", "fork", "too-large"])
def test_a_refusal_counts_only_when_it_is_signed(laptop: Laptop, name: str) -> None:
    """Else anybody on the way could make a laptop lock itself."""
    members = {"fork": {"seq": 1}, "too-large": {"max_ops": 1, "max_bytes": 1}}.get(name, {})
    laptop.thing()

    def refuse(called: str, _: dict[str, Any]) -> None:
        raise Problem(name, **members)

    laptop.line.before = refuse
    with expect_problem(name) as caught:
        laptop.sync()
    assert caught[0].verified
    meddle(laptop, stripped)
    with expect_problem("other-server"):
        laptop.sync()


def test_an_unsigned_excuse_only_makes_it_wait_as_long_as_it_likes(laptop: Laptop) -> None:
    """A centre that cannot read its own key cannot sign; it is not another one, and not believed on how long."""

    def refuse(*_: Any) -> None:
        raise Problem("unavailable", retry_after=10**9)

    laptop.line.before = refuse
    meddle(laptop, stripped)
    with expect_problem("server-error") as caught:
        laptop.sync()
    assert caught[0].retry_after is None
    assert laptop.state().trouble is None


def test_a_server_that_never_signed_is_still_believed(centre: Centre) -> None:
    laptop = Laptop(memory(), clock=centre.clock)
    laptop.line = SigningLine(centre, meddle=stripped)
    laptop.enrol(centre.code(TEAM))
    laptop.sync()
    assert laptop.recall("server")["signs"] is False
    laptop.line.before = lambda *_: (_ for _ in ()).throw(Problem("device-revoked"))
    with expect_problem("device-revoked") as caught:
        laptop.sync()
    assert not caught[0].verified
    laptop.line.before = lambda *_: None
    meddle(laptop, by_another)
    with expect_problem("other-server"):
        laptop.sync()


def test_one_that_signs_after_an_upgrade_must_go_on_signing(centre: Centre) -> None:
    """A laptop that was enrolled before servers signed pins at the first right signature."""
    laptop = Laptop(memory(), clock=centre.clock)
    laptop.line = SigningLine(centre, meddle=stripped)
    laptop.enrol(centre.code(TEAM))
    mend(laptop)
    laptop.sync()
    meddle(laptop, stripped)
    with expect_problem("other-server"):
        laptop.sync()


@pytest.mark.parametrize("how", [by_another, of_another_answer, no_signature_at_all])
def test_an_enrolment_signed_by_another_key_is_none(centre: Centre, how: Meddle) -> None:
    laptop = Laptop(memory(), clock=centre.clock)
    laptop.line = SigningLine(centre, meddle=how)
    with expect_problem("other-server"):
        laptop.enrol(centre.code(TEAM))
    assert laptop.recall("device") is None


@pytest.mark.parametrize(("right", "how"), [(False, lambda proof: proof), (True, stripped), (True, by_another)])
def test_another_than_the_server_that_is_meant_is_not_enrolled_with(centre: Centre, right: bool, how: Meddle) -> None:
    laptop = Laptop(memory(), clock=centre.clock)
    laptop.line = SigningLine(centre, meddle=how)
    code = centre.code(TEAM)
    with expect_problem("uninvited-server"):
        joining.enrol(laptop.link, name="n", code=code, expects=lambda _: right)
    assert laptop.recall("device") is None
    laptop.line = SigningLine(centre)
    assert joining.enrol(laptop.link, name="n", code=code), "the code was not shown to it"
    assert len(devices(centre)) == 2, "the centre and this laptop, and nobody that never was"


def devices(centre: Centre) -> list[str]:
    with centre.begin() as conn:
        return list(conn.execute(sa.select(tables.device.c.id)).scalars())


def test_a_server_that_says_no_key_is_not_shown_the_code(centre: Centre) -> None:
    """As one written by others: who asks for a fingerprint asks for that proof."""
    laptop = Laptop(memory(), clock=centre.clock)
    laptop.line = Line(centre)
    with expect_problem("uninvited-server"):
        joining.enrol(laptop.link, name="n", code=centre.code(TEAM), expects=lambda _: True)
    assert len(devices(centre)) == 1


def test_the_server_that_is_meant_is_known_by_its_key(centre: Centre) -> None:
    laptop = Laptop(memory(), clock=centre.clock)
    laptop.line = SigningLine(centre)
    meant = KeyPair.from_private(centre.recall("private_key")).public
    assert joining.enrol(laptop.link, name="n", code=centre.code(TEAM), expects=lambda key: key == meant)
    assert laptop.recall("server")["signs"] is True


def test_a_restored_centre_is_the_same_server(centre: Centre, laptop: Laptop) -> None:
    with centre.begin() as conn:
        server.new_epoch(conn, centre.now())
    laptop.thing()
    laptop.sync()
    assert laptop.state().trouble is None


def test_a_new_centre_is_another_until_somebody_enrols_anew(laptop: Laptop) -> None:
    """Another key is never taken quietly; with a code of the new centre the whole log goes there."""
    other = Centre(memory(), clock=laptop.clock).set_up()
    laptop.thing()
    laptop.line = SigningLine(other)
    for _ in range(2):
        with expect_problem("other-server"):
            laptop.sync()
    with expect_problem("other-server"):
        renewal.enrol_again(laptop.link)
    assert laptop.state().waiting == 1
    device = renewal.enrol_again(laptop.link, other.code(TEAM))
    other.grant(device, TOWN)
    laptop.sync()
    assert laptop.state().waiting == 0
    assert len(other.states()) >= 1
    with other.begin() as conn:
        assert [entry.op.kind for entry in log.entries_of(conn, laptop_thing(laptop))] == ["thing.registered"]


def laptop_thing(laptop: Laptop) -> str:
    return next(subject for subject, state in laptop.states().items() if '"thing.registered"' in state)


def test_sending_stops_for_an_hour_or_until_somebody_asks() -> None:
    assert "other-server" in client.STOPPING
    assert delay(1, True, 0.5) == 3600


def test_nonces() -> None:
    nonces = {new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(is_nonce(nonce) and len(identity.decode(nonce)) == 12 for nonce in nonces)
    for wrong in ("", "A" * 15, "A" * 17, "A" * 15 + ":", "A" * 15 + "=", "A" * 15 + "é", "A" * 16 + "\n"):
        assert not is_nonce(wrong)
