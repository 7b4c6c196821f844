"""A client as somebody else would write it from the protocol's page alone: no code of ours but keys and bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import rfc8785

from sync import clock
from sync.identity import KeyPair
from sync.op import Op, uuid7
from tests.support.toy import Centre
from tests.support.toy_house import TOWN

TRAVELLING = ("stream", "hlc", "actor", "kind", "v", "subject", "body")


def canonical(op: Op) -> bytes:
    return rfc8785.dumps({name: getattr(op, name) for name in ("device", "seq", *TRAVELLING)})


@dataclass
class Foreign:
    """One device's key, token and log."""

    centre: Centre
    key: KeyPair
    device: str
    token: str
    ops: list[Op] = field(default_factory=list)

    @classmethod
    def enrolled(cls, centre: Centre, *streams: str, team: str | None = None) -> Foreign:
        """A device of a new team, granted `streams` (a town when none is named)."""
        key = KeyPair.generate()
        document = {"code": centre.code(team or uuid7()), "name": "foreign", "public_key": key.public}
        answer = centre.answer("enrol", json.dumps(document).encode(), None)
        centre.grant(answer["device"], *(streams or (TOWN,)))
        return cls(centre, key, answer["device"], answer["token"])

    def op(self, kind: str, body: dict[str, Any], **members: Any) -> Op:
        """Author an op now. `members`: what is not as usual."""
        moment = clock.to_ms(self.centre.clock)
        latest = self.ops[-1].hlc if self.ops else clock.EARLIEST
        usual = {"stream": TOWN, "hlc": clock.tick(latest, moment), "actor": uuid7(), "v": 1, "subject": uuid7()}
        op = Op(device=self.device, seq=len(self.ops) + 1, kind=kind, body=body, **(usual | members))
        self.ops.append(op)
        return op

    def thing(self, **members: Any) -> Op:
        return self.op("thing.registered", {"fields": {"name": "x"}}, **members)

    def hash(self, seq: int) -> str:
        head = bytes(32)
        for op in self.ops[:seq]:
            head = sha256(head + sha256(canonical(op)).digest()).digest()
        return head.hex()

    def document(self, first: int = 1, last: int | None = None, **changed: Any) -> dict[str, Any]:
        """A push of ops first…last, signed; `changed` members are put in after signing."""
        last = len(self.ops) if last is None else last
        head = self.hash(last)
        items = [{name: getattr(op, name) for name in TRAVELLING} for op in self.ops[first - 1 : last]]
        document = {"device": self.device, "from": first, "prev": self.hash(first - 1), "ops": items, "head": head}
        return document | {"sig": self.sign(last, head)} | changed

    def sign(self, last: int, head: str) -> str:
        return self.key.sign(f"aidvisit-push-1:{self.device}:{last}:{head}")

    def push(self, first: int = 1, last: int | None = None, **changed: Any) -> dict[str, Any]:
        return self.centre.push(self.token, self.document(first, last, **changed))

    def pull(self, **document: Any) -> dict[str, Any]:
        return self.centre.pull(self.token, **document)

    def pull_all(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Every op of every page, from the start."""
        ops: list[dict[str, Any]] = []
        asked: dict[str, Any] = {"epoch": self.pull()["epoch"], "cursors": {}}
        while True:
            page = self.pull(limit=limit, **asked)
            ops += page["ops"]
            asked = {"epoch": page["epoch"], "cursors": page["cursors"]}
            if not page["more"]:
                return ops

    def copy(self) -> Foreign:
        """The same laptop restored from a copy."""
        return replace(self, ops=list(self.ops))
