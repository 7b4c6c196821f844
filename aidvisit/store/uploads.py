"""Lists on their way in: files that somebody brought, what they said of them, and what would come of it.

A table of this node's own: no fact, in no log, gone when the list is imported or after a day.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

metadata = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s"})

upload = sa.Table(
    "sheet_upload",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("owner", sa.String(36), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made_at", sa.String, nullable=False),
    sa.Column("step", sa.String, nullable=False),
    sa.Column("doing", sa.String),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("shown", sa.LargeBinary),
    sa.Column("bytes", sa.LargeBinary),
    sa.Column("refused", sa.LargeBinary),
)
"""`step`: `new`, `columns`, `preview`, `done`. `doing`: the step that is worked at. `said`: JSON, what somebody chose.
`shown`: zlib of JSON, what the page shows. `bytes`: the file; `refused`: the spreadsheet of refused rows."""

KEPT = timedelta(days=1)
_HEAD = [column for column in upload.c if column.name not in ("shown", "bytes", "refused")]


@dataclass(frozen=True, slots=True)
class Upload:
    """One list, without its large parts."""

    id: str
    owner: str
    name: str
    made_at: str
    step: str
    doing: str | None
    said: dict[str, Any]


def keep(conn: Connection, identity: str, owner: str, name: str, raw: bytes, now: datetime) -> None:
    """A new list of somebody's; those that are older than a day, or were done before by the same person, go."""
    forget_old(conn, now)
    conn.execute(sa.delete(upload).where(upload.c.owner == owner, upload.c.step == "done"))
    made = {"id": identity, "owner": owner, "name": name, "made_at": now.isoformat(), "step": "new", "said": "{}"}
    conn.execute(sa.insert(upload), {**made, "bytes": raw})


def forget_old(conn: Connection, now: datetime) -> None:
    """Whatever step they are at: nobody comes back to a list after a day."""
    conn.execute(sa.delete(upload).where(upload.c.made_at < (now - KEPT).isoformat()))


def forget_all(conn: Connection) -> None:
    """Somebody's data were erased, and packed files cannot be searched: whoever needs a list brings it again."""
    conn.execute(sa.delete(upload))


def of(conn: Connection, owner: str) -> list[Upload]:
    """Somebody's lists, the newest first."""
    query = sa.select(*_HEAD).where(upload.c.owner == owner).order_by(upload.c.made_at.desc())
    return [_upload(row) for row in conn.execute(query)]


def find(conn: Connection, identity: str, owner: str) -> Upload | None:
    row = conn.execute(sa.select(*_HEAD).where(*_is(identity, owner))).first()
    return _upload(row) if row else None


def shown(conn: Connection, identity: str) -> dict[str, Any]:
    """What the page shows of a list; empty before the first step."""
    packed = conn.execute(sa.select(upload.c.shown).where(upload.c.id == identity)).scalar()
    found: dict[str, Any] = json.loads(zlib.decompress(packed)) if packed else {}
    return found


def raw(conn: Connection, identity: str) -> bytes | None:
    return conn.execute(sa.select(upload.c.bytes).where(upload.c.id == identity)).scalar()


def refused(conn: Connection, identity: str) -> bytes | None:
    return conn.execute(sa.select(upload.c.refused).where(upload.c.id == identity)).scalar()


def claim(conn: Connection, identity: str, owner: str, doing: str) -> bool:
    """Whether the work is ours to begin: nobody is at it, and the list is not done."""
    free = (upload.c.doing.is_(None), upload.c.step != "done", *_is(identity, owner))
    return conn.execute(sa.update(upload).where(*free).values(doing=doing)).rowcount == 1


def say(conn: Connection, identity: str, said: dict[str, Any]) -> None:
    conn.execute(sa.update(upload).where(upload.c.id == identity).values(said=json.dumps(said, ensure_ascii=False)))


def finish(conn: Connection, identity: str, step: str | None, show: dict[str, Any], **more: bytes | None) -> None:
    """The work is over; `step` is where the list stands now, None: where it stood. `more`: other columns."""
    values: dict[str, Any] = {"doing": None, "shown": zlib.compress(json.dumps(show, ensure_ascii=False).encode())}
    values |= more | ({"step": step} if step else {})
    conn.execute(sa.update(upload).where(upload.c.id == identity).values(values))


def release(conn: Connection, identity: str) -> None:
    """Whoever worked at it is gone."""
    conn.execute(sa.update(upload).where(upload.c.id == identity).values(doing=None))


def drop(conn: Connection, identity: str, owner: str) -> None:
    conn.execute(sa.delete(upload).where(*_is(identity, owner)))


def _is(identity: str, owner: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return upload.c.id == identity, upload.c.owner == owner


def _upload(row: sa.Row[Any]) -> Upload:
    return Upload(row.id, row.owner, row.name, row.made_at, row.step, row.doing, json.loads(row.said))
