"""The line of all laptops to the centre: it loses, doubles, delays, cuts and alters; it watches what is promised."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from sync import log
from sync.bundle_central import Taken
from sync.identity import KeyPair
from sync.op import Op, digest_of
from sync.problem import Problem
from sync.proof import Proof, answered_text
from sync.transport import Reply
from tests.simulation.nodes import EXPECTED, Crash, SimCentre, Weather, suppressed


class Honest(Proof):
    """The proof of an answer that nobody touched; `signature` is the signer's public key, and costs no arithmetic."""

    def by(self, public_key: str) -> bool:
        return public_key == self.signature


@dataclass
class SimLine:
    """`key`: the centre's. `signs`: it proves its answers; one that does not is believed over TLS, where nobody alters.

    An altered request is always TLS's business but for a push, whose ops are chained and signed.
    """

    centre: SimCentre
    weather: Weather
    key: KeyPair
    signs: bool
    most_ops: int = 1000
    late: list[tuple[str, bytes, str | None]] = field(default_factory=list)
    numbers: dict[tuple[str, str, int], tuple[str, int]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    whole: dict[tuple[str, str], int] = field(default_factory=dict)  # (epoch, stream): no hole up to here
    meanwhile: Callable[[], None] = lambda: None

    def call(self, name: str, document: dict[str, Any], token: str | None, *, proven: bool = True) -> Reply:
        raw = json.dumps(document, ensure_ascii=False).encode()
        raw = self._on_the_way_there(name, raw, token)
        if name == "push" and len(document["ops"]) > self.most_ops:
            self.weather.story.counts["push too large"] += 1
            return self._hear(Problem("too-large", max_ops=self.most_ops, max_bytes=1), proven)
        try:
            said: Problem | dict[str, Any] = self._deliver(name, raw, token)
        except Problem as problem:
            said = problem
        return self._hear(said, proven)

    def _on_the_way_there(self, name: str, raw: bytes, token: str | None) -> bytes:
        """What becomes of a request before it arrives."""
        strikes, lost = self.weather.story.strikes, self.weather.lost
        if strikes("laptop crashed before a call", self.weather.crash):
            raise Crash
        if strikes("request lost", lost):
            raise unreachable()
        # A second enrolment would put a new token in place of the one that the laptop was just given.
        if name != "enrol" and strikes("request delayed", lost):
            self.late.append((name, raw, token))
            raise unreachable()
        if strikes("centre was busy", lost / 2):
            raise Problem("unavailable", retry_after=1)
        if strikes("others acted in the middle of a sync", lost):
            self.meanwhile()
        if strikes("request cut", lost / 2):
            self._deliver_quietly(name, raw[: self.weather.story.random.randrange(len(raw))], token)
            raise unreachable()
        if strikes("request doubled", lost):
            self._deliver_quietly(name, raw, token)
        if name == "push" and strikes("push altered", 2 * self.weather.altered):
            return self._altered(raw)
        return raw

    def _hear(self, said: Problem | dict[str, Any], proven: bool) -> Reply:
        """What becomes of an answer or a refusal on its way back."""
        strikes = self.weather.story.strikes
        if strikes("answer lost", self.weather.lost):
            raise unreachable()
        if strikes("laptop crashed after a call", self.weather.crash):
            raise Crash
        refusal = said if isinstance(said, Problem) else None
        raw = json.dumps(refusal.to_dict() if refusal else said, ensure_ascii=False).encode()
        if strikes("answer cut", self.weather.lost / 2):
            raise Problem("hotel-wifi", url="sim")
        proof: Proof | None = None
        if self.signs and proven:
            proof = Honest("", self.key.public)
            if strikes("answer altered", self.weather.altered):
                raw, proof = self._forged(raw)
        try:
            document = json.loads(raw)
        except ValueError:
            raise Problem("hotel-wifi", url="sim") from None
        if refusal is not None:
            heard = Problem.from_dict({"status": refusal.status, **document})
            heard.proof = proof
            raise heard
        return Reply(document, self.centre.now().replace(microsecond=0), proof)

    def _forged(self, raw: bytes) -> tuple[bytes, Proof]:
        altered = self._altered(raw)
        signature = self.key.sign(answered_text("A" * 16, raw))
        return altered, Proof(answered_text("A" * 16, altered), signature)

    def _altered(self, raw: bytes) -> bytes:
        """One bit is another one."""
        random = self.weather.story.random
        data = bytearray(raw)
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        return bytes(data)

    # --- at the centre's door --------------------------------------------------------------------------------

    def deliver_late(self) -> None:
        """One of the requests that were on their way for long arrives."""
        if self.late:
            self.weather.story.counts["late request arrived"] += 1
            self._deliver_quietly(*self.late.pop(self.weather.story.random.randrange(len(self.late))))

    def _deliver_quietly(self, name: str, raw: bytes, token: str | None) -> None:
        with suppressed(EXPECTED | {"gap"}):
            self._deliver(name, raw, token)

    def _deliver(self, name: str, raw: bytes, token: str | None) -> dict[str, Any]:
        try:
            answer = self.centre.answer(name, raw, token)
        except Crash:
            raise unreachable() from None
        with self.centre.engine.begin() as conn:
            if name == "push":
                self._watch_push(conn, json.loads(raw), answer)
            elif name == "pull":
                self._watch_pull(conn, token, answer)
        return answer

    def _watch_push(self, conn: Connection, document: dict[str, Any], answer: dict[str, Any]) -> None:
        """Promise 2: what is acknowledged is there, and is what was sent."""
        device, through, first = document["device"], answer["through"], document["from"]
        held = "SELECT count(*), max(CASE WHEN seq = ? THEN hash END) FROM op WHERE device = ? AND seq <= ?"
        count, head = conn.exec_driver_sql(held, (through, device, through)).one()
        assert (count, head) == (through, answer["head"]), "acknowledged, but not held"
        last = first + len(document["ops"]) - 1
        assert last <= through, "acknowledged less than it took"
        digests = "SELECT digest FROM op WHERE device = ? AND seq BETWEEN ? AND ? ORDER BY seq"
        kept = conn.exec_driver_sql(digests, (device, first, last)).scalars().all()
        sent = [
            op["erased"] if set(op) == {"erased"} else digest_of(Op(device, first + i, **op))
            for i, op in enumerate(document["ops"])
        ]
        assert kept == sent, "the centre holds something else than was sent"

    def watch_bundle(self, taken: Taken) -> None:
        """What a bundle's answer acknowledges is there too."""
        with self.centre.engine.begin() as conn:
            for said in taken.said:
                through = said["through"]
                held = "SELECT count(*) FROM op WHERE device = ? AND seq <= ?"
                count = conn.exec_driver_sql(held, (taken.device, through)).scalar()
                assert count == through, "acknowledged, but not held"
            assert not (taken.device in self.revoked and not taken.revoked), "a revoked device's bundle was welcome"

    def _watch_pull(self, conn: Connection, token: str | None, answer: dict[str, Any]) -> None:
        """Promises 5 and 7: numbers are gapless and stand for one op within an epoch; nothing is given away."""
        device = self.centre.device_of(conn, token)
        assert device not in self.revoked, "a revoked device was answered"
        may_have = self.centre.may_have(conn, device)
        epoch = answer["epoch"]
        assert epoch == log.recall(conn, "epoch")
        for op in answer["ops"]:
            assert may_have(op["stream"]), f"{op['stream']} was sent to a device that was not granted it"
            name = (op["device"], op["seq"])
            known = self.numbers.setdefault((epoch, op["stream"], op["n"]), name)
            assert known == name, f"{op['stream']} {op['n']} became another op"
        for stream, cursor in answer["cursors"].items():
            if cursor > self.whole.get((epoch, stream), 0):
                count = "SELECT count(*) FROM op WHERE stream = ? AND n <= ?"
                held = conn.exec_driver_sql(count, (stream, cursor)).scalar()
                assert held == cursor, f"{stream} has a hole below its cursor"
                self.whole[epoch, stream] = cursor


class LeanLine(SimLine):
    """A line that can also ask without a proof: what is answered then is TLS's business, where nobody alters."""

    def lean(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        return self.call(name, document, token, proven=False)


def unreachable() -> Problem:
    return Problem("server-unreachable", url="sim")
