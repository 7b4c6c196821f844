"""Becoming a device of the centre (docs/protocol.md section 3, enrol)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync import age, identity, log
from sync.link import Link
from sync.problem import Problem

Expects = Callable[[str], bool]


def enrol(
    link: Link, *, name: str, code: str | None = None, token: str | None = None, expects: Expects | None = None
) -> str:
    """Become a device. Returns its id.

    `expects`: whether a public key is that of the server that is meant; no other one is shown the code.
    Raises: Problem.
    """
    if expects is not None:
        meet(link, expects)
    key = next_key(link, code)
    with link.begin() as conn:
        recipient = age.next_recipient(conn)
    request = {"name": name, "public_key": key.public, "age_recipient": recipient} | ({"code": code} if code else {})
    answer = ask_to_enrol(link, request, token, anew=True, expects=expects)
    with link.begin() as conn:
        log.add_device(conn, answer["device"], name=name, public_key=key.public, now=link.now())
        log.remember(
            conn, role="field", device=answer["device"], name=name, private_key=key.private, next_keys=None,
            token=answer["token"], server=answer["server"], epoch=answer["epoch"], grants=answer["grants"],
            acked=0, receipt=None, trouble=None,
        )  # fmt: skip
        age.adopt(conn)
    return str(answer["device"])


def meet(link: Link, expects: Expects) -> None:
    """Who answers proves its key before anything is given away: a pull without a token is refused with it."""
    try:
        link.call("pull", {}, None, anew=True)
    except Problem as problem:
        if problem.name != "unauthorized":
            raise
        key = str(problem.members.get("public_key"))
        if problem.proof is not None and problem.proof.by(key) and expects(key):
            return
    raise Problem("uninvited-server")


def ask_to_enrol(
    link: Link, request: dict[str, Any], token: str | None, *, anew: bool, expects: Expects | None = None
) -> dict[str, Any]:
    """The answer to enrol. Its `server` says `signs` when it is signed by the very key that it names."""
    reply = link.call("enrol", request, token, anew=anew)
    card, proof = reply.document["server"], reply.proof
    key = str(card.get("public_key"))
    signs = proof is not None and proof.by(key)
    forged = proof is not None and proof.signature is not None and not signs
    if forged or (expects is not None and not (signs and expects(key))):
        raise Problem("other-server")
    return reply.document | {"server": card | {"signs": signs}}


def next_key(link: Link, code: str | None) -> identity.KeyPair:
    """The key pair is kept before the call, one for each code, so that a lost reply costs no code."""
    use = identity.hash_secret(identity.plain_code(code or ""))
    with link.begin() as conn:
        keys = log.recall(conn, "next_keys", {})
        keys.setdefault(use, identity.KeyPair.generate().private)
        log.remember(conn, next_keys=keys)
    return identity.KeyPair.from_private(keys[use])
