"""A laptop becomes a device: one-time codes and what they are exchanged for (docs/protocol.md section 3, enrol)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from sync import age, identity, log, tables
from sync.log import Application, Begin
from sync.op import malformed, uuid7
from sync.problem import Problem
from sync.rows import insert_new
from sync.wire import EnrolRequest, load

CODE_LASTS = timedelta(hours=24)
_BY_TOKEN = sa.select(tables.device).where(tables.device.c.token_hash == sa.bindparam("hash")).with_for_update()
ATTEMPTS = 10
ATTEMPTS_WITHIN = timedelta(minutes=10)


def new_codes(conn: Connection, team: str, count: int, now: datetime) -> list[tuple[str, datetime]]:
    """Make one-time codes for one team: (code as shown, when it expires). Only their hashes are kept."""
    expires = now + CODE_LASTS
    codes = [identity.new_code() for _ in range(count)]
    rows = [
        {
            "hash": identity.hash_secret(identity.plain_code(code)),
            "team": team,
            "expires_at": expires.isoformat(),
        }
        for code in codes
    ]
    conn.execute(sa.insert(tables.enrolment_code), rows)
    return [(code, expires) for code in codes]


def enrol(
    begin: Begin, app: Application, document: Any, token: str | None, address: str, now: datetime
) -> dict[str, Any]:
    """Answer POST enrol: by a code, or by the token of the same laptop's earlier device.

    Raises: Problem `malformed`, `enrolment-code-invalid`, `too-many-attempts`, `unauthorized`, `device-revoked`.
    """
    request = load(EnrolRequest, document)
    if not identity.is_public_key(request["public_key"]):
        raise malformed("public_key is not an Ed25519 public key in base64url")
    if "code" not in request and not token:
        raise malformed("neither a code nor an Authorization of an earlier device")
    try:
        with begin() as conn:
            _throttle(conn, address, now)
            if "code" in request:
                team, code = _team_of_code(conn, request["code"], now)
                return _admit(conn, app, request, team, code, _proven(conn, request), now)
            earlier = device_of_token(conn, token)
            return _admit(conn, app, request, earlier.team, None, earlier.id, now)
    except Problem as problem:
        if problem.name == "enrolment-code-invalid":
            with begin() as conn:
                _count_failure(conn, address, now)
        raise


def _proven(conn: Connection, request: dict[str, Any]) -> str | None:
    """The last device that the same laptop was before, by the word of that device's key; also one that was revoked."""
    for told in request.get("earlier", []):
        known = sa.select(tables.device.c.public_key).where(tables.device.c.id == told["device"])
        public = conn.execute(known).scalar()
        text = identity.earlier_text(told["device"], request["public_key"])
        if public is not None and identity.verify(public, text, told["sig"]):
            return str(told["device"])
    return None


def _throttle(conn: Connection, address: str, now: datetime) -> None:
    row = conn.execute(sa.select(tables.enrolment_attempt).where(tables.enrolment_attempt.c.address == address)).first()
    if row is None:
        return
    left = datetime.fromisoformat(row.since) + ATTEMPTS_WITHIN - now
    if row.failures >= ATTEMPTS and left > timedelta(0):
        raise Problem("too-many-attempts", retry_after=max(1, int(left.total_seconds())))


def _count_failure(conn: Connection, address: str, now: datetime) -> None:
    table = tables.enrolment_attempt
    insert_new(conn, table, [{"address": address, "failures": 0, "since": now.isoformat()}])
    row = conn.execute(sa.select(table).where(table.c.address == address).with_for_update()).one()
    values = {"failures": row.failures + 1, "since": row.since}
    if datetime.fromisoformat(row.since) + ATTEMPTS_WITHIN <= now:
        values = {"failures": 1, "since": now.isoformat()}
    conn.execute(sa.update(table).where(table.c.address == address).values(**values))


def _team_of_code(conn: Connection, given: str, now: datetime) -> tuple[str, Row[Any] | None]:
    table = tables.enrolment_code
    hashed = identity.hash_secret(identity.plain_code(given))
    row = conn.execute(sa.select(table).where(table.c.hash == hashed).with_for_update()).first()
    if row is None or datetime.fromisoformat(row.expires_at) <= now:
        raise Problem("enrolment-code-invalid")
    return row.team, row


def device_of_token(conn: Connection, token: str | None) -> Row[Any]:
    """The device a token belongs to, its row locked.

    Raises: Problem `device-revoked`, `unauthorized`; who shows no token at all learns from it whose key answers.
    """
    if not token:
        raise Problem("unauthorized", public_key=server_card(conn)["public_key"])
    row = conn.execute(_BY_TOKEN, {"hash": identity.hash_secret(token)}).first()
    if row is None:
        raise Problem("unauthorized")
    if row.revoked:
        raise Problem("device-revoked")
    return row


def _admit(
    conn: Connection,
    app: Application,
    request: dict[str, Any],
    team: str,
    code: Row[Any] | None,
    earlier: str | None,
    now: datetime,
) -> dict[str, Any]:
    """A new device, or the same one again with a fresh token when the key is the same: a reply may get lost.

    `earlier`: what the same laptop was before.
    """
    token = identity.new_token()
    known = conn.execute(sa.select(tables.device).where(tables.device.c.public_key == request["public_key"])).first()
    if code is not None and code.device is not None and (known is None or known.id != code.device):
        raise Problem("enrolment-code-invalid")
    if known is not None and known.revoked:
        raise Problem("device-revoked")
    if known is not None and known.team == team:
        device = known.id
        where = tables.device.c.id == device
        told = {"age_recipient": _recipient(request)} if _recipient(request) else {}
        conn.execute(sa.update(tables.device).where(where).values(token_hash=identity.hash_secret(token), **told))
    elif known is not None:
        raise Problem("enrolment-code-invalid")
    else:
        device = uuid7()
        log.add_device(
            conn, device, name=request["name"], public_key=request["public_key"], now=now, team=team,
            age_recipient=_recipient(request), token_hash=identity.hash_secret(token), earlier=earlier,
        )  # fmt: skip
        carried = earlier if code is None else None  # a code makes a laptop of its team, and no more
        facts = app.enrolled(conn, device, request["name"], request["public_key"], team, carried)
        log.author(conn, app, facts, now)
    if code is not None:
        where = tables.enrolment_code.c.hash == code.hash
        conn.execute(sa.update(tables.enrolment_code).where(where).values(device=device))
    age.own_recipient(conn)
    return {
        "device": device,
        "token": token,
        "server": server_card(conn),
        "epoch": log.recall(conn, "epoch"),
        "grants": sorted(app.grants(conn, device).streams),
    }


def _recipient(request: dict[str, Any]) -> str | None:
    """What its answers by bundle are encrypted to; what is no recipient is none."""
    told: str | None = request.get("age_recipient")
    return told if age.recipient_of(told) else None


def server_card(conn: Connection) -> dict[str, Any]:
    """How this centre names itself to its devices."""
    key = identity.KeyPair.from_private(log.recall(conn, "private_key"))
    return {
        "device": log.own(conn),
        "public_key": key.public,
        "age_recipient": age.recipient(conn),
    }
