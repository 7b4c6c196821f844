"""Sync, and what proves that log and tables agree."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from dataclasses import asdict
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aidvisit.cli.home import Answer, local, opened_for, settings_of
from aidvisit.errors import Problem
from sync import clock, pause, receipt

if TYPE_CHECKING:
    from aidvisit.config import Settings
    from sync.blobs import Waiting
    from sync.log import LogState


def sync(arguments: Namespace) -> Answer | None:
    """Once; or with --watch, by the agent, until stopped."""
    from aidvisit.services import sync as service

    with opened_for(arguments, "field") as app:
        if arguments.watch:
            agent = service.start_agent(app, service.current_settings())
            try:
                _watch(arguments)
            finally:
                agent.stop()
            return None
        outcome = service.sync_now(_show_progress)
        state, waits = service.status(), service.meter().blobs
    document = {"pushed": outcome.pushed, "pulled": outcome.pulled, **_status(state, waits)}
    done = f"上报 {outcome.pushed} 条,收到 {outcome.pulled} 条 / {outcome.pushed} sent, {outcome.pulled} received"
    return Answer(document, [done, *_status_lines(state, waits, settings_of(arguments))])


def _watch(arguments: Namespace) -> None:
    """Print the state whenever it changes."""
    from aidvisit.services import sync as service

    shown = ""
    while True:
        lines = _status_lines(service.status(), service.meter().blobs, settings_of(arguments))
        now = "  ".join(lines)
        if now != shown:
            print(now, file=sys.stderr if arguments.json else sys.stdout, flush=True)
            shown = now
        time.sleep(1)


def sync_status(arguments: Namespace) -> Answer:
    from aidvisit.services import sync as service

    with opened_for(arguments, "field"):
        state, waits = service.status(), service.meter().blobs
    return Answer(_status(state, waits), _status_lines(state, waits, settings_of(arguments)))


def sync_lost(arguments: Namespace) -> Answer:
    """What this laptop knows of the centre's own records that a restore took from the centre: a list for people."""
    from aidvisit.store.database import reading
    from aidvisit.store.queries.lost import lost

    with opened_for(arguments, "field"), reading() as conn:
        found = lost(conn)
    document = [asdict(one) | {"at": one.at.isoformat(timespec="seconds")} for one in found]
    lines = [f"{one['at']}  {one['kind']}  {one['stream']}  {one['about'] or one['subject']}" for one in document]
    return Answer({"lost": document}, lines or ["没有 / nothing"])


def sync_renew(arguments: Namespace) -> Answer:
    """Go on as a new device, then sync; a sync that fails is told, and costs nothing."""
    from aidvisit.services import renewal
    from aidvisit.services import sync as service

    with opened_for(arguments, "field"):
        device = renewal.renew(arguments.code, arguments.fingerprint)
        lines = [f"现在是新的一台 / now a new laptop: {device}"]
        try:
            service.sync_now(_show_progress)
        except Problem as problem:
            lines.append(f"{problem.words('zh')} / {problem.words('en')}")
        state, waits = service.status(), service.meter().blobs
    return Answer(
        {"device": device, **_status(state, waits)}, [*lines, *_status_lines(state, waits, settings_of(arguments))]
    )


def _status(state: LogState, waits: Waiting) -> dict[str, Any]:
    return {
        "waiting": state.waiting,
        "through": state.through,
        "head": state.head,
        "receipt": state.receipt,
        "check_code": None if state.receipt is None else receipt.code_of(state.receipt),
        "quarantined": state.quarantined,
        "paused_until": None if (ends := _paused(state)) is None else ends.isoformat(timespec="seconds"),
        "blobs_waiting": waits.count,
        "blob_bytes_waiting": waits.bytes,
    }


def _paused(state: LogState) -> datetime | None:
    return pause.until(state.paused, clock.wall())


def _status_lines(state: LogState, waits: Waiting, settings: Settings) -> list[str]:
    lines = [
        f"已保存,{state.waiting} 条待上报 / {state.waiting} waiting",
        f"中心收到第 {state.through} 条为止 / held through {state.through}",
    ]
    if state.receipt:
        until, code = state.receipt["through"], receipt.code_of(state.receipt)
        lines.append(f"回执到第 {until} 条,核对码 {code} / receipt through {until}, check code {code}")
    if waits.count:
        count, size = waits.count, waits.bytes
        lines.append(f"照片和签名 {count} 个待传,{size} 字节 / {count} photos and signatures to go, {size} bytes")
    if (ends := _paused(state)) is not None:
        at = local(ends, settings)
        lines.append(f"先停一停,{at} 自动再报 / paused, sends again by itself at {at}")
    if state.quarantined:
        lines.append(f"{state.quarantined} 条已收存待核 / {state.quarantined} held for review")
    if state.trouble:
        lines.append(str(state.trouble.get("detail", "")))
    return lines


def verify(arguments: Namespace) -> Answer:
    """This home by itself, on a laptop also against the centre, unless --offline or without a line; or a file."""
    if arguments.file is not None:
        from aidvisit.cli.dossier import verify as verify_file

        return verify_file(arguments)
    from aidvisit.services import sync as service
    from aidvisit.services.backup import room_to_replay
    from aidvisit.store import ledger
    from aidvisit.store.database import reading
    from sync import blobs

    with opened_for(arguments):
        with reading() as conn, room_to_replay(conn, service.current_settings()) as folder:
            findings, missing = ledger.verify(conn, folder), blobs.missing(conn)
        compared, notes = ([], []) if arguments.offline else _against_the_centre(service)
    findings += compared
    if missing:
        notes = [
            f"{missing} 个照片或签名的原件不在这里,还没有传到 / photos and signatures that are named and not here yet",
            *notes,
        ]
    lines = findings or ["记录完整,各表与记录一致 / the log is whole and the tables agree with it"]
    document = {"ok": not findings, "findings": findings} | ({"notes": notes} if notes else {})
    document |= {"blobs_missing": missing} if missing else {}
    return Answer(document, lines + notes, exit_code=1 if findings else 0)


def _against_the_centre(service: ModuleType) -> tuple[list[str], list[str]]:
    """(findings, notes): what differs; why nothing was compared, or what cannot be."""
    if service.current_settings().role != "field":
        return [], []
    try:
        findings = service.compare()
    except Problem as problem:
        return [], [f"没有和中心核对:{problem.words('zh')} / not compared with the centre: {problem.words('en')}"]
    notes = [] if findings is not None else ["中心不回答核对 / the centre does not tell what it holds"]
    if service.restored():
        notes.append(
            "中心恢复过备份,以新的身份继续;恢复之前见过的,不能再核对 / the centre was restored and went on as a new"
            " device: what was seen of its log before cannot be compared"
        )
    return findings or [], notes


def digest(arguments: Namespace) -> Answer:
    from aidvisit.store import ledger
    from aidvisit.store.database import reading

    with opened_for(arguments), reading() as conn:
        digests = ledger.digest(conn)
    if arguments.stream is not None:
        if arguments.stream not in digests:
            raise Problem("stream-not-held", stream=arguments.stream)
        digests = {arguments.stream: digests[arguments.stream]}
    return Answer(dict(digests), [f"{stream}  {value}" for stream, value in digests.items()])


def rebuild(arguments: Namespace) -> Answer:
    from aidvisit.store import ledger
    from aidvisit.store.database import transaction

    with opened_for(arguments), transaction() as conn:
        done = ledger.rebuild(conn, _show_progress)
    return Answer({"ops": done}, [f"由 {done} 条记录重建 / made again from {done} records"])


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)
