"""The one way to write: a fact becomes an op of this node's log and changes the tables, in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import groupby, islice
from json import JSONDecodeError
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, delete, func, insert, or_, select, update

from aidvisit.domain.facts import KINDS
from aidvisit.domain.stream import trip_of
from aidvisit.domain.text import tidied
from aidvisit.errors import Problem
from aidvisit.store import apply, erasing, reminding
from aidvisit.store.apply import search
from aidvisit.store.database import scratch
from aidvisit.store.grants import grants_of
from aidvisit.store.judge import Judge, turns, unsalted, wrong
from aidvisit.store.tables import Release, Trip, metadata
from sync import blobs, chains, clock, log, tables, witness
from sync.erasing import erase
from sync.log import Draft, Entry, Grants
from sync.merge import same
from sync.op import Body, Op
from sync.rows import among

Progress = Callable[[int, int], None]
"""Told (done, of all) while long work goes on."""

STEP = 500
COPIED = (tables.op, tables.node, tables.device)
"""What the tables are made from."""
BY_CLOCK = "CREATE INDEX ix_op_clock ON op (clock, device, seq)"
"""The order of a replay: to sort would take every record into memory at once."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, as a person meant it; salt, device, number and clock are added when recorded."""

    stream: str
    kind: str
    subject: str
    body: dict[str, Any]


class House:
    """What the house gives to its log: which facts may stand, and what they change."""

    def check(self, op: Op, by_centre: bool) -> Problem | None:
        """What can be said against an op without the database."""
        return wrong(op, by_centre=by_centre)

    def judge(self, conn: Connection, ops: Sequence[Op], by_centre: bool) -> Judge:
        """Who judges ops that are not wrong by themselves."""
        return Judge(conn, ops, by_centre=by_centre)

    def turns(self, op: Op) -> bool:
        return turns(op)

    def apply(self, conn: Connection, entries: Sequence[Entry], checked: bool) -> list[Entry]:
        """Change the tables; returns what this version cannot read, or has no rows for."""
        unread: list[Entry] = []
        by_entity: dict[str, list[Entry]] = {}
        for entry in entries:
            if checked or wrong(entry.op, by_centre=True) is None:
                by_entity.setdefault(KINDS[entry.op.kind].entity, []).append(entry)
            else:
                unread.append(entry)
        log.wait_for_upgrade(conn, unread)  # first: their subjects' histories are read now
        for entity, read in by_entity.items():
            if not apply.apply(conn, entity, read):
                unread += read
        return unread

    def replay(self, conn: Connection, subjects: Collection[str]) -> None:
        """Make the subjects' rows anew; where nothing is held of one any more, they go."""
        if subjects:
            apply.replay(conn, log.histories(conn, subjects), _entities(conn, subjects))

    def forget(self, conn: Connection, stream: str) -> None:
        """Every row carries its stream, and none was made from another's."""
        for table in metadata.sorted_tables:
            conn.execute(delete(table).where(table.c.stream == stream))

    def remainders(self, conn: Connection, entries: Sequence[Entry]) -> dict[log.Place, Body]:
        """Of those of these ops that an erasure covers, by place the body that may be kept."""
        return erasing.remainders(conn, entries)

    def covered(self, conn: Connection, entries: Sequence[Entry]) -> Sequence[Entry]:
        """What these ops, just applied, may have put under an erasure, of all that is held."""
        return erasing.covered(conn, entries)

    def cleared(self, conn: Connection, entries: Sequence[Entry]) -> None:
        """Drafts, lists on their way in and answers that speak of those whose data were erased go, too."""
        erasing.clear(conn, entries)

    def reminders(self, conn: Connection, start: int, most: int) -> list[dict[str, Any]]:
        """The erasures that this laptop heard of, from one on."""
        return reminding.reminders(conn, start, most)

    def remind(self, conn: Connection, said: Sequence[Any], now: datetime) -> None:
        """Erasures that this centre signed and has lost are recorded anew."""
        reminding.take(conn, self, said, now)

    def grants(self, conn: Connection, device: str) -> Grants:
        return grants_of(conn, device)

    def opens(self, op: Op) -> bool:
        """Planning a trip gives a laptop that trip's stream, and nothing else."""
        return op.kind == "trip.planned" and trip_of(op.stream) == op.subject

    def enrolled(
        self, conn: Connection, device: str, name: str, public_key: str, team: str, earlier: str | None = None
    ) -> Sequence[Draft]:
        """The centre's facts about a new device, which may be what another one was before."""
        own, body = log.own(conn), {"name": name, "public_key": public_key, "team": team}
        return [Draft("org", own, "device.enrolled", 1, device, body), *_joined(conn, own, device, team, earlier)]


def _joined(conn: Connection, own: str, device: str, team: str, earlier: str | None) -> Iterator[Draft]:
    """A laptop that comes late gets its team's open trips, but for those whose groups were given out by name.

    One that was another device before goes on with all that it carried or planned as that one, in its groups.
    """
    given_out = or_(Trip.status == "released", and_(Trip.status == "planned", Trip.planned_by == own))
    held = or_(Trip.planned_by == earlier, Trip.id.in_(select(Release.trip).where(Release.device == earlier)))
    wanted = and_(Trip.team == team, given_out)
    trips = select(Trip.id, Trip.stream, Trip.planned_by).where(wanted if earlier is None else or_(wanted, held))
    for trip in conn.execute(trips.order_by(Trip.id)).all():
        query = select(Release.device, Release.groups).where(Release.trip == trip.id)
        groups = {row.device: row.groups for row in conn.execute(query)}
        if earlier is not None and (earlier in groups or trip.planned_by == earlier):
            groups[device] = groups.get(earlier, [])
        elif any(groups.values()):
            continue
        else:
            groups[device] = []
        devices = [{"device": one} | ({"groups": named} if named else {}) for one, named in sorted(groups.items())]
        yield Draft(trip.stream, own, "trip.released", 1, trip.id, {"devices": devices})


def _entities(conn: Connection, subjects: Collection[str]) -> dict[str, set[str]]:
    """By subject, what it is by all that is held about it, also what does not count."""
    found: dict[str, set[str]] = {subject: set() for subject in subjects}
    op = tables.op.c
    for row in conn.execute(select(op.subject, op.kind).distinct().where(among(conn, op.subject, subjects))):
        if row.kind in KINDS:
            found[row.subject].add(KINDS[row.kind].entity)
    return found


HOUSE = House()


def new_salt() -> str:
    """8 random bytes in base64url: a digest does not give the body away (docs/protocol.md section 1)."""
    return secrets.token_urlsafe(8)


def record(
    conn: Connection, actor: str, *facts: Fact, now: datetime | None = None, salt: Callable[[], str] = new_salt
) -> list[Entry]:
    """Append facts to this node's own log and apply them: all of them, or none. Returns an entry for each.

    A fact that makes a subject which an equal fact made already (salt aside) is not recorded again: its entry is
    the earlier one, so a double click or a second import changes nothing. Facts may name what those before them make.
    Raises: Problem `invalid-body` (member `errors`: messages by path), `not-allowed`, `not-permitted` (the actor lacks
    the right), `unknown-subject`, `subject-exists`, `malformed`.
    """
    by_centre, own = log.is_centre(conn), log.own(conn)
    asked = [Op(own, 0, f.stream, "", actor, f.kind, KINDS[f.kind].v, f.subject, tidied(f.body)) for f in facts]
    wrongs = [wrong(op, by_centre=by_centre) for op in asked]
    right = [op for op, problem in zip(asked, wrongs, strict=True) if problem is None]
    judge = Judge(conn, right, by_centre=by_centre, refusal="not-permitted")
    drafts: list[Draft] = []
    made: dict[str, int] = {}
    found: list[Entry | int] = []
    for op, wrong_by_itself in zip(asked, wrongs, strict=True):
        kind = KINDS[op.kind]
        maker = judge.maker(op.subject) if kind.creates else None
        if maker is not None and _stands(maker.op, op):
            found.append(maker)
            continue
        if kind.creates and op.subject in made:
            if not _stands(drafts[made[op.subject]], op):
                raise Problem("subject-exists", id=op.subject)
            found.append(made[op.subject])
            continue
        problem = wrong_by_itself or judge.why_not(op)
        if problem is not None:
            raise problem
        judge.accept(op)
        if kind.creates:
            made[op.subject] = len(drafts)
        body = op.body
        if kind.personal and "salt" not in body:
            body = {**body, "salt": salt()}
        found.append(len(drafts))
        drafts.append(Draft(op.stream, actor, op.kind, op.v, op.subject, body))
    written = log.author(conn, HOUSE, drafts, now or clock.wall()) if drafts else []
    return [written[one] if isinstance(one, int) else one for one in found]


def _stands(held: Op | Draft, asked: Op) -> bool:
    """Whether a fact that is held says what is asked for; who asks again does not know the salt."""
    if (held.stream, held.kind) != (asked.stream, asked.kind):
        return False
    return same(held.body if "salt" in asked.body else unsalted(held.body), asked.body)


# --- the tables are a projection: made again from the log, and proved to agree with it --------------------


def rebuild(conn: Connection, progress: Progress | None = None) -> int:
    """Empty the tables and replay the log into them, in the caller's transaction; returns how many ops."""
    for table in metadata.sorted_tables:
        conn.execute(delete(table))
    # What an older version could not read is read anew.
    conn.execute(update(tables.op).where(tables.op.c.applied.is_(False)).values(applied=True))
    total = count(conn)
    done = 0
    entries = log.iterate(conn)
    while step := list(islice(entries, STEP)):
        log.put(conn, HOUSE, step)
        done += len(step)
        if progress and len(step) == STEP:
            progress(done, total)
    if progress:
        progress(total, total)
    return done


def catch_up(conn: Connection) -> int:
    """After an upgrade: apply what an older version kept but could not read; returns how many ops it was."""
    waiting = tables.op.c.applied.is_(False)
    names = conn.execute(select(tables.op.c.device, tables.op.c.seq).where(waiting)).all()
    conn.execute(update(tables.op).where(waiting).values(applied=True))
    for start in range(0, len(names), STEP):
        found = log.at(conn, [(row.device, row.seq) for row in names[start : start + STEP]])
        log.put(conn, HOUSE, list(found.values()))
        erase(conn, HOUSE, erasing.covered(conn, list(found.values())))
    left = conn.execute(select(func.count()).select_from(tables.op).where(waiting)).scalar_one()
    return len(names) - left


def count(conn: Connection) -> int:
    """How many ops are held, of whatever standing."""
    return int(conn.execute(select(func.count()).select_from(tables.op)).scalar_one())


def digest(conn: Connection) -> dict[str, str]:
    """By stream, what two nodes that hold the same show alike (docs/protocol.md section 2, promise 6)."""
    return {stream: log.digest(conn, stream) for stream in log.streams(conn)}


def verify(conn: Connection, folder: Path | None = None) -> list[str]:
    """Findings in words, none when all is well. `conn` is only read; `folder`: as of `verify_tables`."""
    return verify_log(conn) + verify_tables(conn, folder)


def verify_log(conn: Connection) -> list[str]:
    """Whether the log's chains hold, a laptop's receipt is its own, and every photo and signature has its hash."""
    return chains.verify(conn) + witness.verify_receipt(conn) + list(blobs.verify(conn))


def verify_tables(conn: Connection, folder: Path | None = None) -> list[str]:
    """Whether the replay gives the tables as they are; it runs in a database of its own.

    `folder`: where that may stand as a file; without one it is in memory, as much as log and tables take.
    """
    findings: list[str] = []
    try:
        with scratch(folder) as replayed:
            for table in COPIED:
                table.create(replayed)
                _copy(conn, replayed, table)
            replayed.exec_driver_sql(BY_CLOCK)
            metadata.create_all(replayed)
            rebuild(replayed)
            for table in metadata.sorted_tables:
                findings += _compare(table, replayed, conn)
        findings += search.verify(conn)
        findings += erasing.verify(conn)
    except JSONDecodeError:  # `verify_log` names the op
        findings.append("the log cannot be read, so the tables were not compared with it")
    return findings


def _copy(source: Connection, target: Connection, table: Table) -> None:
    rows = source.execute(select(table), execution_options={"yield_per": STEP}).mappings()
    while batch := [dict(row) for row in islice(rows, STEP)]:
        target.execute(insert(table), batch)


Keyed = tuple[tuple[Any, ...], bool, Row[Any]]
"""A row with its key before it, and whether it comes of the log."""


def keys_of(table: Table) -> list[str]:
    """The columns that name a row of a projection, whichever database it is in."""
    return list(table.info.get("key") or (column.name for column in table.primary_key))


def _rows(conn: Connection, table: Table, of_log: bool) -> Iterator[Keyed]:
    """In the order of the keys, byte by byte on either database; what is a database's own is not compared."""
    own = table.info.get("own", ())
    columns = [column for column in table.c if column.name not in own]
    places = [[column.name for column in columns].index(key) for key in keys_of(table)]
    query = select(*columns).order_by(*(columns[place] for place in places))
    for row in conn.execute(query, execution_options={"yield_per": STEP}):
        yield tuple(row[place] for place in places), of_log, row


def _compare(table: Table, replayed: Connection, held: Connection) -> Iterator[str]:
    """Both are read once, side by side: neither is ever whole in memory."""
    both = merge(_rows(replayed, table, True), _rows(held, table, False), key=itemgetter(0))
    for key, same_key in groupby(both, key=itemgetter(0)):
        rows = {of_log: row for _, of_log, row in same_key}
        name = f"{table.name} {'/'.join(map(str, key))}"
        if False not in rows:
            yield f"{name}: the row is missing, the log has it"
        elif True not in rows:
            yield f"{name}: the row is not in the log"
        elif rows[True] != rows[False]:
            said = rows[True]._mapping
            fields = [field for field, value in rows[False]._mapping.items() if value != said[field]]
            yield f"{name}: {', '.join(fields)} differ from the log"
