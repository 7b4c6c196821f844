"""A laptop that the centre does not take for the one it was goes on as a new device; nothing is lost or double."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.vault import readmit
from aidvisit.store.database import reading, transaction
from sync import invitation, log, renewal

Why = Literal["copied", "older", "unknown", "other-server", "revoked"]
WHY: dict[str, Why] = {"unauthorized": "unknown", "other-server": "other-server", "device-revoked": "revoked"}


@dataclass(frozen=True, slots=True)
class Offer:
    """What stopped the sending, and what going on takes. `unsent`: own ops that the centre has not acknowledged.

    `seq`: of a copy, the first op that is known to differ. `with_code`: a new enrolment code is needed;
    `with_fingerprint`: that of the other server too, for nobody else is to be shown the code.
    """

    why: Why
    unsent: int
    seq: int | None = None

    @property
    def with_code(self) -> bool:
        return self.why in WHY.values()

    @property
    def with_fingerprint(self) -> bool:
        return self.why == "other-server"


def offer() -> Offer | None:
    """Where going on as a new device helps; None where nothing of the kind stopped the sending."""
    with reading() as conn:
        state = log.state(conn)
    trouble = state.trouble or {}
    name = str(trouble.get("name", ""))
    if name in WHY:
        return Offer(WHY[name], state.waiting)
    if name != "fork":
        return None
    seq = int(trouble.get("seq", 1))
    return Offer("older" if seq > state.last_seq else "copied", state.waiting, seq)


def renew(code: str = "", fingerprint: str = "") -> str:
    """Become a new device of the centre, author there what only this laptop has, and go on syncing. Its new id.

    Asked again after a failure at any point it ends well, with the same code too.
    Raises: Problem: those of a sync, `enrolment-code-invalid`, `fingerprint-invalid`, `uninvited-server`.
    """
    known = invitation.read_fingerprint(fingerprint) if fingerprint.strip() else None
    if code and known is None and _is_other():
        raise Problem("fingerprint-invalid")

    def expects(key: str) -> bool:
        return known is not None and invitation.is_of(known, key)

    line = sync.link(sync.current_settings())
    try:
        device = sync.alone(lambda: renewal.enrol_again(line, code.strip() or None, expects))
    except Problem as problem:
        if problem.name in ("unauthorized", "other-server", "fork"):  # revoked it is sealed already
            with transaction() as conn:
                log.remember(conn, trouble=problem.to_dict() | {"name": problem.name})
        raise
    readmit()
    return device


def _is_other() -> bool:
    found = offer()
    return found is not None and found.with_fingerprint
