"""Tokens of other systems, and the answers that their requests got.

Tables of the centre's own: no fact, in no log (docs/adr/0020). A token itself is kept nowhere, only its hash; of an
answer only ids.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync.rows import insert_new

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

token = sa.Table(
    "api_token",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("acts_as", sa.String(36), nullable=False),
    sa.Column("rights", sa.Text, nullable=False),
    sa.Column("divisions", sa.Text, nullable=False),
    sa.Column("made_by", sa.String(36), nullable=False),
    sa.Column("made_at", sa.String, nullable=False),
    sa.Column("expires_at", sa.String, nullable=False),
    sa.Column("revoked_at", sa.String),
    sa.Column("used_at", sa.String),
)
"""`acts_as`: the user in whose name it acts. `rights`, `divisions`: JSON lists; no division: wherever that one may."""

answer = sa.Table(
    "api_answer",
    metadata,
    sa.Column("token", sa.String(36), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("asked", sa.String(64), nullable=False),
    sa.Column("said", sa.Text),
    sa.Column("made_at", sa.String, nullable=False, index=True),
)
"""`key`: the idempotency key. `asked`: SHA-256 of what was asked. `said`: JSON of the answer, which holds ids only;
empty while it is worked at, which nobody else sees."""

KEPT = timedelta(days=90)
"""So long an answer is told again."""
USED_EVERY_S = 60
"""How exact the time of the last use is: a busy token does not write at each request."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. Times: aware, UTC."""

    id: str
    name: str
    acts_as: str
    rights: frozenset[str]
    divisions: tuple[str, ...]
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and now < self.expires_at


def keep(conn: Connection, made: Token, hashed: str) -> None:
    conn.execute(
        sa.insert(token),
        {
            "id": made.id,
            "hash": hashed,
            "name": made.name,
            "acts_as": made.acts_as,
            "rights": json.dumps(sorted(made.rights)),
            "divisions": json.dumps(made.divisions),
            "made_by": made.made_by,
            "made_at": made.made_at.isoformat(),
            "expires_at": made.expires_at.isoformat(),
        },
    )


def by_hash(conn: Connection, hashed: str) -> Token | None:
    row = conn.execute(sa.select(token).where(token.c.hash == hashed)).first()
    return None if row is None else _token(row)


def find(conn: Connection, identity: str) -> Token | None:
    row = conn.execute(sa.select(token).where(token.c.id == identity)).first()
    return None if row is None else _token(row)


def every(conn: Connection) -> list[Token]:
    """All that were ever made, the newest first."""
    return [_token(row) for row in conn.execute(sa.select(token).order_by(token.c.made_at.desc(), token.c.id))]


def revoke(conn: Connection, identity: str, now: datetime) -> None:
    """From now on it opens nothing; once more changes nothing."""
    still = sa.and_(token.c.id == identity, token.c.revoked_at.is_(None))
    conn.execute(sa.update(token).where(still).values(revoked_at=now.isoformat()))


def used(conn: Connection, identity: str, now: datetime) -> None:
    conn.execute(sa.update(token).where(token.c.id == identity).values(used_at=now.isoformat()))


def _token(row: sa.Row[Any]) -> Token:
    return Token(
        row.id, row.name, row.acts_as, frozenset(json.loads(row.rights)), tuple(json.loads(row.divisions)),
        row.made_by, datetime.fromisoformat(row.made_at), datetime.fromisoformat(row.expires_at),
        _time(row.revoked_at), _time(row.used_at),
    )  # fmt: skip


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# --- answers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """`asked`: the hash of the request that it answered; `said`: its document."""

    asked: str
    said: dict[str, Any]


def answered(conn: Connection, owner: str, key: str, asked: str, now: datetime) -> Answer | None:
    """What was answered to this key; None when it is new, and from then on taken by what is asked now.

    Who asks with the same key meanwhile waits for the end of this transaction.
    """
    conn.execute(sa.delete(answer).where(answer.c.made_at < (now - KEPT).isoformat()))
    new = {"token": owner, "key": key, "asked": asked, "said": None, "made_at": now.isoformat()}
    insert_new(conn, answer, [new])
    row = conn.execute(sa.select(answer).where(answer.c.token == owner, answer.c.key == key)).one()
    return Answer(row.asked, json.loads(row.said)) if row.said else None


def say(conn: Connection, owner: str, key: str, said: dict[str, Any]) -> None:
    mine = sa.and_(answer.c.token == owner, answer.c.key == key)
    conn.execute(sa.update(answer).where(mine).values(said=json.dumps(said)))
