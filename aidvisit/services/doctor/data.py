"""Checks of what a home's database holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from aidvisit import __version__
from aidvisit.errors import Problem
from aidvisit.services.backup import room_to_replay
from aidvisit.services.doctor.model import Check, Patient, State, UncheckedError, Words, words
from aidvisit.store import ledger, migrations
from aidvisit.store.queries import health
from aidvisit.store.queries.account import device_rows
from aidvisit.store.queries.backup import backup_state
from sync import clock, log

OFF_MS = 5 * 60_000
BEHIND_MS = 60_000
SHOWN = 10
"""So many findings are told; `verify` lists all."""
RESTORE = words(
    "先把整个数据目录拷一份留着,再用最近的备份恢复(aidvisit restore);没有上报的先想办法带出来。",
    "First copy the whole home and keep that; then restore the last backup (aidvisit restore). Nothing that was "
    "not sent may be thrown away.",
)
OFFICE = words(
    "先备份,再把核对结果(aidvisit verify)交给办公室;表可以由记录重建:aidvisit rebuild。",
    "Back up, then give what aidvisit verify says to the office; tables can be made again from the log: "
    "aidvisit rebuild.",
)
EMPTY = words("数据库是空的,或不是本程序的。", "The database is empty, or not this program's.")
SET_CLOCK = words("请校对日期和时间;已登记的照样有效。", "Set date and time; what was recorded stays valid.")


def clocks(patient: Patient) -> Iterator[Check]:
    """Against the centre as of the last sync, and against the newest fact that is held."""
    state = log.state(_known(patient).conn())
    off, newest = state.offset_ms, state.newest_clock
    if abs(off) > OFF_MS:
        minutes, slow = abs(off) // 60_000, off > 0
        found = words(
            f"比中心{'慢' if slow else '快'} {minutes} 分钟(上次同步时)。",
            f"{minutes} minutes {'behind' if slow else 'ahead of'} the centre, at the last sync.",
        )
        yield Check("clock", "look", found, SET_CLOCK)
    elif newest and newest > clock.EARLIEST and clock.parse(newest)[0] - clock.to_ms(patient.now) - off > BEHIND_MS:
        newer = datetime.fromtimestamp(clock.parse(newest)[0] / 1000, patient.settings.zone)
        found = words(
            f"比最新的记录({newer:%Y-%m-%d %H:%M})还早。",
            f"It is earlier than the newest record ({newer:%Y-%m-%d %H:%M}).",
        )
        yield Check("clock", "look", found, SET_CLOCK)
    else:
        here = patient.now.astimezone(patient.settings.zone)
        yield Check(
            "clock",
            "ok",
            words(f"{here:%Y-%m-%d %H:%M},与记录相合。", f"{here:%Y-%m-%d %H:%M}, as the records have it."),
        )


def database(patient: Patient) -> Iterator[Check]:
    """Whether it opens at all, is of a version that this program knows, and stores every character."""
    if patient.why is not None:
        locked = patient.why.name in ("locked", "laptop-revoked")
        yield Check("database", "unknown" if locked else "broken", _of(patient.why), None if locked else RESTORE)
        return
    found = health.health(patient.conn())
    if not found.known:
        problem = Problem("database-from-future", found=found.revision)
        yield Check(
            "database",
            "broken",
            _of(problem),
            words("请安装那个版本或更新的版本。", "Install that version, or a later one."),
        )
        return
    if found.revision is None:
        yield Check("database", "broken", EMPTY, RESTORE)
        return
    if found.missing:
        told = words(f"少了 {len(found.missing)} 张表。", f"Tables are missing: {len(found.missing)}.")
        yield Check("database", "broken", told, RESTORE, found.missing[:SHOWN])
        return
    if found.encoding.upper() != "UTF8":
        told = words(
            f"编码是 {found.encoding},存不下所有汉字。",
            f"Its encoding is {found.encoding}, which cannot hold all text.",
        )
        yield Check(
            "database",
            "broken",
            told,
            words("请另建一个 UTF8 的数据库,再从备份恢复。", "Make a database in UTF8 and restore a backup into it."),
        )
        return
    late = "" if found.revision == migrations.HEAD else f" → {migrations.HEAD}"
    told = words(
        f"{found.product},结构 {found.revision}{late},打得开。",
        f"{found.product}, revision {found.revision}{late}: it opens.",
    )
    start = words("下次启动时会先备份再升级。", "At the next start it is backed up and brought up to date.")
    yield Check("database", "look" if late else "ok", told, start if late else None)


def pages(patient: Patient) -> Iterator[Check]:
    wrong = health.broken_pages(patient.conn())
    fine = words("数据库文件每一页都完好。", "Every page of the database's file is whole.")
    yield _listed("pages", wrong, fine, RESTORE)


def chain(patient: Patient) -> Iterator[Check]:
    wrong = ledger.verify_log(_known(patient).conn())
    fine = words(
        "记录一条不缺,没有改动过;照片和签名都与编号相符。",
        "No record is missing or altered; photos and signatures have their hashes.",
    )
    yield _listed("chain", wrong, fine, OFFICE)


def tables(patient: Patient) -> Iterator[Check]:
    conn = _known(patient).conn()
    with room_to_replay(conn, patient.settings) as folder:
        wrong = ledger.verify_tables(conn, folder)
    fine = words("各表与记录一致。", "The tables are what the log says.")
    yield _listed("tables", wrong, fine, OFFICE)


def versions(patient: Patient) -> Iterator[Check]:
    """A laptop's beside the centre's, as the centre last said; at the centre, laptops that are behind."""
    conn = _known(patient).conn()
    own = words(f"本机 {__version__}。", f"This machine has {__version__}.")
    if patient.settings.role == "field":
        other = log.recall(conn, "centre_version")
        if other and other != __version__:
            found = words(f"本机 {__version__},中心 {other}。", f"This machine has {__version__}, the centre {other}.")
            yield Check(
                "versions",
                "look",
                found,
                words("方便时装成一样的版本。", "Install the same version when there is time."),
            )
            return
        yield Check("versions", "ok", own)
        return
    others = [one for one in device_rows(conn) if not one.revoked and one.version and one.version != __version__]
    if others:
        found = words(
            f"本机 {__version__};{len(others)} 台笔记本的版本不同。",
            f"This machine has {__version__}; {len(others)} laptops have another version.",
        )
        named = tuple(f"{one.name} {one.version}" for one in others[:SHOWN])
        yield Check("versions", "look", found, words("下次见面时升级。", "Upgrade them when you see them."), named)
        return
    yield Check("versions", "ok", own)


def backups(patient: Patient) -> Iterator[Check]:
    """How old the last good one is, beside how often there should be one."""
    state, hours = backup_state(_known(patient).conn(), patient.now), patient.settings.backup_hours
    do = words("请做一次:aidvisit backup,或在“备份”页上。", "Make one: aidvisit backup, or on the page Backups.")
    if state.recipient is None and not patient.vault.exists:
        found = words("没有备份:还没有恢复密钥。", "There is no backup: no recovery key was made.")
        yield Check(
            "backup",
            "look",
            found,
            words("请运行 aidvisit backup-key,把密钥抄在纸上。", "Run aidvisit backup-key and write the key down."),
        )
        return
    since = state.last.at if state.last else state.since
    old = patient.now - since > timedelta(hours=2 * (hours or 24))
    if state.last is None:
        yield (
            Check("backup", "look", words("还没有备份。", "No backup was made yet."), do)
            if old or not hours
            else Check(
                "backup",
                "ok",
                words("第一份备份还没有到时候,会自动做。", "The first backup is not due yet; it is made by itself."),
            )
        )
        return
    at = state.last.at.astimezone(patient.settings.zone)
    found = words(
        f"最近一份好的是 {at:%Y-%m-%d %H:%M} 的:{state.last.path}",
        f"The last good one is of {at:%Y-%m-%d %H:%M}: {state.last.path}",
    )
    failed: State = "look" if old or state.failed else "ok"
    if state.failed:
        why = Problem.from_dict(state.failed)
        found = words(
            f"{found['zh']};后来一次没有做成:{why.words('zh')}", f"{found['en']}; a later one failed: {why.words('en')}"
        )
    yield Check("backup", failed, found, do if failed != "ok" else None)


def _known(patient: Patient) -> Patient:
    """Only tables as this version has them can be read. Raises: Problem, UncheckedError."""
    found = health.health(patient.conn())
    if not found.known:
        raise Problem("database-from-future", found=found.revision)
    if found.revision is None:
        raise UncheckedError(EMPTY)
    if found.revision != migrations.HEAD:
        raise UncheckedError(
            words("数据库还没有升级,升级后再查。", "The database is of an older version; look again after the upgrade.")
        )
    return patient


def _listed(name: str, wrong: list[str], fine: Words, do: Words) -> Check:
    if not wrong:
        return Check(name, "ok", fine)
    found = words(f"{len(wrong)} 处不对。", f"{len(wrong)} findings.")
    return Check(name, "broken", found, do, tuple(wrong[:SHOWN]))


def _of(problem: Problem) -> Words:
    return words(problem.words("zh"), problem.words("en"))
