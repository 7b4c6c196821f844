"""Every op that a node holds, its own log's head, and the streams they are numbered in (docs/protocol.md 1, 2).

All functions take the connection of the caller's transaction: what they write is durable when that commits.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from sync import clock, erasing, node, rows, tables
from sync.model import Application as Application
from sync.model import Begin as Begin
from sync.model import Draft as Draft
from sync.model import Entry as Entry
from sync.model import Grants as Grants
from sync.model import Judge as Judge
from sync.model import Place as Place
from sync.naming import rows_of
from sync.node import as_json as as_json
from sync.node import is_centre as is_centre
from sync.node import own as own
from sync.node import recall as recall
from sync.node import recall_all as recall_all
from sync.node import remember as remember
from sync.op import ZERO, Op, chain, check_op
from sync.problem import URN
from sync.streams import Streams
from sync.tables import metadata as metadata
from sync.tables import op as op_table

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode
# What every transaction asks, said once: to put a statement together costs several times what running it does.
_DEVICE = sa.select(tables.device).where(tables.device.c.id == sa.bindparam("name"))
_LOCKED = _DEVICE.with_for_update()
_HELD = (
    sa.select(op_table.c.dismissed, sa.func.count())
    .where(op_table.c.problem.is_not(None))
    .group_by(op_table.c.dismissed)
)
_OWN_HELD = _HELD.where(op_table.c.device == sa.bindparam("name"))
_NEWEST = sa.select(sa.func.max(tables.stream.c.clock))
_TO_CLOCK = sa.update(tables.device).where(tables.device.c.id == sa.bindparam("which")).values(clock=sa.bindparam("to"))
_GO_ON = (
    sa.update(tables.device)
    .where(tables.device.c.id == sa.bindparam("which"))
    .values(through=sa.bindparam("seq"), head=sa.bindparam("hash"), clock=sa.bindparam("to"))
)
_HASH = sa.select(op_table.c.hash).where(
    op_table.c.device == sa.bindparam("name"), op_table.c.seq == sa.bindparam("number")
)
_AT = sa.select(op_table).where(op_table.c.device == sa.bindparam("name"), rows.one_of(op_table.c.seq, "seqs"))
_COUNTS = sa.and_(
    op_table.c.body.is_not(None),
    sa.or_(
        sa.and_(op_table.c.device != sa.bindparam("me"), op_table.c.problem.is_(None)),
        sa.and_(op_table.c.device == sa.bindparam("me"), sa.not_(rows.one_of(op_table.c.stream, "withdrawn"))),
    ),
)
"""What the tables are made of: what others say and is not in quarantine, and the own log, but for streams that
were taken from this device.
"""
_HISTORIES = sa.select(op_table).where(_COUNTS, rows.one_of(op_table.c.subject, "subjects"), op_table.c.applied)
_OF_KINDS = _HISTORIES.where(rows.one_of(op_table.c.kind, "kinds"))
_LENGTHS = (
    sa.select(op_table.c.subject, sa.func.count().label("held"))
    .where(rows.one_of(op_table.c.subject, "subjects"))
    .group_by(op_table.c.subject)
)
_WAITS = sa.and_(op_table.c.problem.is_not(None), op_table.c.dismissed.is_(False))
_QUARANTINED = sa.select(op_table).where(_WAITS).order_by(op_table.c.received_at, op_table.c.device, op_table.c.seq)
_MANY_QUARANTINED = sa.select(sa.func.count()).where(_WAITS, op_table.c.body.is_not(None))
_EVERYTHING = sa.select(op_table).where(_COUNTS).order_by(op_table.c.clock, op_table.c.device, op_table.c.seq)


def add_device(conn: Connection, device: str, *, name: str, public_key: str, now: datetime, **more: Any) -> None:
    conn.execute(
        sa.insert(tables.device).values(
            id=device, name=name, public_key=public_key, enrolled_at=now.isoformat(), revoked=False,
            through=0, head=ZERO, clock=clock.EARLIEST, **more,
        )
    )  # fmt: skip


def lock_device(conn: Connection, device: str) -> Row[Any]:
    """The first lock of every transaction that writes ops (docs/protocol.md, one lock order)."""
    node.forget(conn)
    return conn.execute(_LOCKED, {"name": device}).one()


def set_clock(conn: Connection, device: str, latest: str) -> None:
    """A device's latest merge clock; of the own device: its HLC."""
    conn.execute(_TO_CLOCK, {"which": device, "to": latest})


def go_on(conn: Connection, device: str, through: int, head: str, latest: str) -> None:
    """A device's log is held up to `through`; its hash there, and its latest merge clock."""
    conn.execute(_GO_ON, {"which": device, "seq": through, "hash": head, "to": latest})


def hash_at(conn: Connection, device: str, seq: int) -> str:
    """The chain of a whole log at one op."""
    if seq == 0:
        return ZERO
    return str(conn.execute(_HASH, {"name": device, "number": seq}).scalar_one())


# --- writing -------------------------------------------------------------------------------------------------


def new_entry(op: Op, digest: str, now: datetime, **more: Any) -> Entry:
    """An op as it is to be kept. `more`: n, merge_hlc, hash, problem, erased."""
    known = more.get
    problem, merge_hlc, erased = known("problem"), known("merge_hlc"), bool(known("erased"))
    return Entry(op, known("n"), merge_hlc, digest, known("hash"), problem, False, now.isoformat(), erased)


def insert_entries(conn: Connection, entries: Sequence[Entry]) -> None:
    made = [_row(entry) for entry in entries]
    rows.insert(conn, op_table, made)
    naming = [e for e, row in zip(entries, made, strict=True) if '"sha256"' in row["body"]]  # looking is dearer
    named = [row for entry in naming for row in rows_of(entry.op.device, entry.op.seq, entry.op.body)]
    rows.insert_new(conn, tables.blob_name, named)


def _row(entry: Entry) -> dict[str, Any]:
    op = entry.op
    return {
        "device": op.device, "seq": op.seq, "stream": op.stream, "n": entry.n, "hlc": op.hlc,
        "merge_hlc": entry.merge_hlc, "clock": entry.clock, "actor": op.actor, "kind": op.kind, "v": op.v,
        "subject": op.subject, "body": _encode(op.body),
        "digest": entry.digest, "hash": entry.hash, "problem": as_json(entry.problem),
        "dismissed": entry.dismissed, "applied": True, "erased": entry.erased, "received_at": entry.received_at,
    }  # fmt: skip


def keep(conn: Connection, app: Application, entries: Sequence[Entry], *, checked: bool = False) -> None:
    """Insert new entries, and apply those that are not quarantined. `checked`: those have passed the house's check.

    Of those that an erasure covers, only what may stay.
    """
    entries = erasing.reduced(conn, app, entries)
    insert_entries(conn, entries)
    put(conn, app, entries, checked=checked)
    erasing.erase(conn, app, app.covered(conn, entries))


def put(conn: Connection, app: Application, entries: Sequence[Entry], *, checked: bool = False) -> None:
    """Apply entries that are held and count; what is not understood waits for an upgrade, what is withdrawn for its
    grant, what is set aside for its number.
    """
    withdrawn, me = recall(conn, "withdrawn", []), own(conn)
    counting = [entry for entry in entries if entry.problem is None or entry.op.device == me]
    told = [e for e in counting if not e.op.kind.startswith("op.") and e.op.stream not in withdrawn]
    if told:
        wait_for_upgrade(conn, app.apply(conn, told, checked))


def wait_for_upgrade(conn: Connection, entries: Iterable[Entry]) -> None:
    """What this version does not understand is in no history: neither read with those that it came with, nor later."""
    change(conn, {(entry.op.device, entry.op.seq): {"applied": False} for entry in entries})


def change(conn: Connection, values: Mapping[Place, Mapping[str, Any]]) -> None:
    """Set columns of ops that are held, of each the same."""
    if values:
        where = (op_table.c.device == sa.bindparam("at_device"), op_table.c.seq == sa.bindparam("at_seq"))
        found = [{"at_device": device, "at_seq": seq, **each} for (device, seq), each in values.items()]
        names = next(iter(values.values()))
        conn.execute(sa.update(op_table).where(*where).values({name: sa.bindparam(name) for name in names}), found)


def wall_ms(conn: Connection, now: datetime) -> int:
    """The wall clock corrected by the last offset seen from the server, in milliseconds."""
    return clock.to_ms(now) + int(recall(conn, "offset_ms", 0))


def author(conn: Connection, app: Application, drafts: Iterable[Draft], now: datetime) -> list[Entry]:
    """Append facts to this node's own log and apply them; the centre numbers them in their streams as well.

    Raises: Problem `malformed` before anything is kept, so that no op can block its own log.
    """
    drafts = list(drafts)
    central = is_centre(conn)
    me = lock_device(conn, own(conn))
    streams = Streams(conn, {d.stream for d in drafts}) if central else None
    latest = me.clock
    if central:
        latest = max(latest, conn.execute(_NEWEST).scalar() or latest)
    seq, head, wall = me.through, me.head, wall_ms(conn, now)
    entries = []
    for draft in drafts:
        seq += 1
        hlc = draft.hlc or clock.tick(latest, wall)
        latest = max(latest, hlc)
        op = Op(me.id, seq, draft.stream, hlc, draft.actor, draft.kind, draft.v, draft.subject, draft.body)
        digest = sha256(check_op(op)).hexdigest()
        head = chain(head, digest)
        n = streams.take(op.stream, hlc) if streams else None
        entries.append(new_entry(op, digest, now, n=n, hash=head))
    keep(conn, app, entries)
    if streams:
        streams.save()
    go_on(conn, me.id, seq, head, latest)
    return entries


# --- reading -------------------------------------------------------------------------------------------------


def to_entry(row: Row[Any]) -> Entry:
    op = Op(
        row.device,
        row.seq,
        row.stream,
        row.hlc,
        row.actor,
        row.kind,
        row.v,
        row.subject,
        _decode(row.body),
    )
    problem = None if row.problem is None else _decode(row.problem)
    return Entry(op, row.n, row.merge_hlc, row.digest, row.hash, problem, row.dismissed, row.received_at, row.erased)


def _node(conn: Connection) -> dict[str, Any]:
    """The parameters of `_COUNTS`."""
    return {"me": own(conn), "withdrawn": recall(conn, "withdrawn", [])}


def entries_of(conn: Connection, subject: str, kinds: Collection[str] | None = None) -> list[Entry]:
    """The ops about one subject that count, in their order."""
    return histories(conn, [subject], kinds)[subject]


def histories(
    conn: Connection, subjects: Collection[str], kinds: Collection[str] | None = None
) -> dict[str, list[Entry]]:
    """By subject, all ops about it that count, in their order."""
    found: dict[str, list[Entry]] = {subject: [] for subject in subjects}
    asked = _node(conn) | {"subjects": [*found]} | ({} if kinds is None else {"kinds": sorted(kinds)})
    for row in conn.execute(_HISTORIES if kinds is None else _OF_KINDS, asked):
        found[row.subject].append(to_entry(row))
    for held in found.values():
        held.sort(key=attrgetter("order"))
    return found


def histories_with(
    conn: Connection, entries: Iterable[Entry], kinds: Collection[str] | None = None
) -> dict[str, list[Entry]]:
    """`histories` of the subjects of entries that count; only what is not among them is read."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.op.subject, []).append(entry)
    for held in found.values():
        held.sort(key=attrgetter("order"))  # they came in the order of their numbers
    # Also those that do not count: then an index is all that is looked at.
    lengths = conn.execute(_LENGTHS, {"subjects": [*found]})
    longer = [row.subject for row in lengths if row.held != len(found[row.subject])]
    return found | (histories(conn, longer, kinds) if longer else {})


def find(conn: Connection, device: str, seq: int) -> Entry | None:
    return at(conn, [(device, seq)]).get((device, seq))


def at(conn: Connection, places: Iterable[Place]) -> dict[Place, Entry]:
    """By place, those of these ops that are held and not erased."""
    return {place: to_entry(row) for place, row in rows_at(conn, places).items() if row.body is not None}


def rows_at(conn: Connection, places: Iterable[Place]) -> dict[Place, Row[Any]]:
    """By place, those of these ops that are held."""
    seqs: dict[str, list[int]] = {}
    for device, seq in places:
        seqs.setdefault(device, []).append(seq)
    found = {}
    for device, wanted in seqs.items():
        for row in conn.execute(_AT, {"name": device, "seqs": wanted}):
            found[device, row.seq] = row
    return found


def iterate(conn: Connection, stream: str | None = None) -> Iterator[Entry]:
    """Everything that counts, in order: what a rebuild replays."""
    query = _EVERYTHING if stream is None else _EVERYTHING.where(op_table.c.stream == stream)
    for row in conn.execute(query, _node(conn), execution_options={"yield_per": 500}):
        yield to_entry(row)


def quarantined(conn: Connection) -> list[Entry]:
    """What waits for a release or a dismissal, oldest first."""
    return [to_entry(row) for row in conn.execute(_QUARANTINED) if row.body is not None]


def held_for(conn: Connection, reasons: Collection[str]) -> list[Entry]:
    """Those of `quarantined` whose problem has one of these names."""
    types = frozenset(URN + reason for reason in reasons)
    found = [to_entry(row) for row in conn.execute(_held_for(types))]
    return [entry for entry in found if (entry.problem or {}).get("type") in types]


@cache
def _held_for(types: frozenset[str]) -> sa.Select[Any]:
    said = sa.or_(*(op_table.c.problem.contains(named, autoescape=True) for named in sorted(types)))
    return _QUARANTINED.where(op_table.c.body.is_not(None), said)


def count_quarantined(conn: Connection) -> int:
    """How many are in `quarantined`."""
    return int(conn.execute(_MANY_QUARANTINED).scalar_one())


def streams(conn: Connection) -> list[str]:
    """The names of all streams of which an op is held."""
    names = conn.execute(sa.select(op_table.c.stream).distinct().where(op_table.c.stream.is_not(None))).scalars()
    return sorted(names)


def digest(conn: Connection, stream: str) -> str:
    """SHA-256 over the numbered ops of a stream: equal on two replicas that hold the same (protocol, promise 6)."""
    mine = sa.and_(
        op_table.c.device == own(conn),
        op_table.c.seq <= int(recall(conn, "acked", 0)),
        op_table.c.problem.is_(None),
    )
    query = sa.select(op_table.c.device, op_table.c.seq, op_table.c.digest, op_table.c.clock).where(
        op_table.c.stream == stream, sa.or_(op_table.c.n.is_not(None), mine)
    )
    lines = sorted(f"{r.device}/{r.seq} {r.digest} {r.clock}\n" for r in conn.execute(query))
    return sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LogState:
    """What the sync chip and `sync status` are derived from: log and receipt, nothing that is set by hand."""

    device: str
    last_seq: int
    head: str
    through: int
    receipt: dict[str, Any] | None
    quarantined: int
    synced_at: str | None
    offset_ms: int
    trouble: dict[str, Any] | None
    newest_clock: str | None
    dismissed: int = 0
    """Own ops that the centre dismissed since somebody last took note of it."""
    paused: dict[str, Any] | None = None

    @property
    def waiting(self) -> int:
        """Own ops that the server has not acknowledged."""
        return self.last_seq - self.through


def state(conn: Connection) -> LogState:
    """The state of this node's own log, in four statements."""
    known = {key: json.loads(value) for key, value in node.values(conn).items()}
    me = conn.execute(_DEVICE, {"name": known["device"]}).one()
    # Not what this laptop sent as an earlier device.
    held = conn.execute(_HELD) if known.get("role") == "central" else conn.execute(_OWN_HELD, {"name": me.id})
    counts = {bool(dismissed): count for dismissed, count in held}
    newest = conn.execute(_NEWEST).scalar()
    return LogState(
        me.id, me.through, me.head, int(known.get("acked", 0)), known.get("receipt"), counts.get(False, 0),
        known.get("synced_at"), int(known.get("offset_ms", 0)), known.get("trouble"), newest,
        max(0, counts.get(True, 0) - int(known.get("heard", 0))),
        known.get("paused"),
    )  # fmt: skip


def hear_dismissals(conn: Connection) -> None:
    """Somebody took note of what the centre dismissed of the own log."""
    where = (op_table.c.device == own(conn), op_table.c.problem.is_not(None), op_table.c.dismissed)
    remember(conn, heard=conn.execute(sa.select(sa.func.count()).where(*where)).scalar_one())
