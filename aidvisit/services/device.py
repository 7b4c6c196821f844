"""Laptops, as the centre looks after them: codes and invitations for new ones, their names, and revoking one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from aidvisit.domain.rights import EVERYTHING, Scope
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.bodies import filled
from aidvisit.services.catalog import ORG
from aidvisit.services.reach import team_within
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import account as queries
from aidvisit.store.queries.account import DeviceRow
from sync import clock, enrolment, invitation, log
from sync.invitation import Invitation


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time enrolment code as it is shown, and when it expires (aware, UTC)."""

    code: str
    expires_at: datetime


def enrolment_codes(*, actor: str, team: str, count: int = 1, scope: Scope = EVERYTHING) -> list[Code]:
    """One-time codes, valid for 24 hours, each for one laptop of a team. Who asked for them goes to the audit.

    `scope`: of who asks. Raises: Problem `unknown-team`, `not-allowed`.
    """
    with transaction() as conn:
        _only_centre(conn, actor)
        team_within(conn, scope, team)
        codes = enrolment.new_codes(conn, team, count, clock.wall())
        audit.record(actor, audit.ENROLMENT_CODE, conn=conn, rows=count, detail=team)
    return [Code(code, expires_at) for code, expires_at in codes]


def fingerprint() -> str:
    """Of this centre's key, by which laptops know it again."""
    with reading() as conn:
        return invitation.fingerprint(enrolment.server_card(conn)["public_key"])


def invitations(codes: list[Code], server: str) -> list[Invitation]:
    """What cards and QR codes say; `server`: the address by which laptops reach this centre."""
    key = fingerprint()
    return [Invitation(server, code.code, key) for code in codes]


def rename(*, actor: str, device: str, name: str, scope: Scope = EVERYTHING) -> None:
    """Raises: Problem `unknown-device`, `invalid-body`, `not-allowed`."""
    with transaction() as conn:
        known = _known(conn, actor, device, scope)
        if known.name != name.strip():
            ledger.record(conn, actor, Fact(ORG, "device.renamed", device, filled(name=name.strip())))


def revoke(*, actor: str, device: str, reason: str, scope: Scope = EVERYTHING) -> None:
    """From now on the laptop gets and gives nothing, for good; once more changes nothing.

    Raises: Problem `unknown-device`, `invalid-body`, `not-allowed`.
    """
    with transaction() as conn:
        if not _known(conn, actor, device, scope).revoked:
            ledger.record(conn, actor, Fact(ORG, "device.revoked", device, filled(reason=reason.strip())))


def device_within(conn: Connection, scope: Scope, identity: str) -> DeviceRow:
    """A laptop of a team that somebody answers for. Raises: Problem `unknown-device`, also for one outside."""
    found = queries.device_row(conn, identity)
    if found is None or not scope.team(found.team):
        raise Problem("unknown-device", device=identity)
    return found


def _known(conn: Connection, actor: str, device: str, scope: Scope) -> DeviceRow:
    _only_centre(conn, actor)
    return device_within(conn, scope, device)


def _only_centre(conn: Connection, actor: str) -> None:
    if not log.is_centre(conn):
        raise Problem("not-allowed", actor_or_device=actor, kind="device")
