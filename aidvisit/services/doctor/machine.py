"""Checks of the machine around a home: its disk, its key files, and the line."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from aidvisit import config
from aidvisit.services.address import check_server
from aidvisit.services.doctor.model import Check, Patient, words
from aidvisit.store import snapshot
from aidvisit.store.queries import health
from aidvisit.store.vault import FILE as KEYS
from sync import tls
from sync.transport import HttpTransport

LEAST, ENOUGH = 200 * 1024**2, 1024**3
DAYS = 14
"""So long before a certificate ends somebody should know."""
WAIT_S = 10.0
PRIVATE = (config.FILE, KEYS, "secret", "aidvisit.db", "doors.db")


def disk(patient: Patient) -> Iterator[Check]:
    """Where records go and where backups go: room for a day's work, and for a backup with its proof."""
    home, backups = patient.settings.home, patient.settings.backups
    free = shutil.disk_usage(home).free
    needed = ENOUGH if patient.view is None else max(ENOUGH, int(2.5 * snapshot.size(patient.view)))
    for folder, room, wanted in ((home, free, needed), (backups, _free(backups), ENOUGH)):
        if folder == backups and (room is None or patient.settings.backup_folder is None):
            if room is None:
                found = words(
                    f"备份目录 {folder} 现在没有接上。", f"The folder of backups, {folder}, is not there now."
                )
                yield Check("disk", "look", found, words("请接上那块盘。", "Connect that disk."))
            continue
        megabytes = (room or 0) // 2**20
        found = words(f"{folder} 还有 {megabytes} MB。", f"{folder} has {megabytes} MB left.")
        state = "broken" if (room or 0) < LEAST else "look" if (room or 0) < wanted else "ok"
        do = words(f"请腾出空间,最好有 {wanted // 2**20} MB。", f"Free some space; {wanted // 2**20} MB would do.")
        yield Check("disk", state, found, None if state == "ok" else do)  # type: ignore[arg-type]


def _free(folder: Path) -> int | None:
    """None where neither the folder nor the one that it is made in is there."""
    there = next((one for one in (folder, folder.parent) if one.is_dir()), None)
    return None if there is None else shutil.disk_usage(there).free


def keys(patient: Patient) -> Iterator[Check]:
    """Who may read the files; whether the vault opens for anybody; whether the node signs as who it is known as."""
    home, vault = patient.settings.home, patient.vault
    wide = [
        name
        for name in PRIVATE
        if os.name == "posix" and (home / name).exists() and (home / name).stat().st_mode & 0o077
    ]
    if wide:
        listed = "、".join(wide)
        found = words(f"别的用户也能读:{listed}", f"Other users of this machine can read: {', '.join(wide)}")
        yield Check("keys", "look", found, words(f"请运行 chmod go-rwx {home}/*", f"Run chmod go-rwx {home}/*"))
    settings, file = patient.settings, patient.settings.database_file
    expected = settings.role == "field" and not settings.no_encryption
    if expected and not vault.exists and file is not None and file.is_file() and not _plain(file):
        found = words(f"密钥文件 {KEYS} 不见了。", f"The key file {KEYS} is gone.")
        do = words(
            "没有它打不开资料。请从备份或旧的拷贝找回它,别的文件都不要删。",
            "Nothing opens without it: bring it back from a backup or a copy of the home, and delete nothing else.",
        )
        yield Check("keys", "broken", found, do)
        return
    if vault.exists and not vault.slots and not vault.revoked:
        found = words("只有恢复密钥打得开这台笔记本。", "Only the recovery key opens this laptop.")
        yield Check(
            "keys",
            "look",
            found,
            words("请联网同步一次,队员的密码就打得开了。", "Sync once: then its people's passwords open it."),
        )
        return
    if patient.view is not None and not health.signs_as_itself(patient.view):
        found = words(
            "本机的签名密钥与登记的不符。", "The key that this machine signs with is not the one that it is known by."
        )
        yield Check(
            "keys",
            "broken",
            found,
            words(
                "请用最近的备份恢复,或作为新的一台继续(aidvisit sync renew)。",
                "Restore the last backup, or go on as a new laptop (aidvisit sync renew).",
            ),
        )
        return
    if not vault.exists and patient.settings.role == "field":
        found = words("资料没有加密。", "The data are not encrypted.")
        yield Check(
            "keys",
            "look",
            found,
            words(
                "请开启整盘加密,或重新登记到加密的目录。",
                "Encrypt the whole disk, or enrol anew into an encrypted home.",
            ),
        )
        return
    if wide:
        return
    if vault.exists:
        people = vault.slots
        found = words(
            f"密钥都在,{people} 人的密码打得开。", f"The keys are there; {people} people's passwords open it."
        )
    else:
        found = words("密钥都在,只有本程序的用户能读。", "The keys are there, for this program's user alone.")
    yield Check("keys", "ok", found)


def _plain(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(6) in (b"SQLite", b"")


def line(patient: Patient) -> Iterator[Check]:
    """A laptop's way to its centre. Raises: Problem `bad-address`, `insecure-line`."""
    settings = patient.settings
    if settings.role != "field" or settings.practice:
        return
    check_server(settings.server_url, insecure=settings.insecure)
    began = time.monotonic()
    if HttpTransport(settings.server_url).is_there():
        took = int((time.monotonic() - began) * 1000)
        yield Check(
            "line",
            "ok",
            words(
                f"连得上中心 {settings.server_url},{took} 毫秒。",
                f"The centre {settings.server_url} answers, {took} ms.",
            ),
        )
        return
    found = words(f"现在连不上中心 {settings.server_url}。", f"The centre {settings.server_url} cannot be reached now.")
    yield Check(
        "line",
        "look",
        found,
        words(
            "没有网络时照样登记;要上报请连网,或走 U 盘。",
            "Recording goes on without; to send, find a line or use the USB stick.",
        ),
    )


def certificate(patient: Patient) -> Iterator[Check]:
    """Until when the centre's certificate holds, as this machine sees it over the line."""
    where = urlsplit(patient.settings.address)
    if where.scheme != "https" or patient.settings.practice:
        return
    ca = patient.settings.ca_file
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        with (
            socket.create_connection((where.hostname or "", where.port or 443), WAIT_S) as raw,
            context.wrap_socket(raw, server_hostname=where.hostname) as secured,
        ):
            until = datetime.fromtimestamp(
                ssl.cert_time_to_seconds(str((secured.getpeercert() or {})["notAfter"])), UTC
            )
    except (OSError, LookupError) as error:
        why = tls.reason(error, patient.now)
        if why is not None:
            yield Check("certificate", "broken", why)
            return
        yield Check(
            "certificate", "unknown", words("没有连上,看不到证书。", "There was no connection, so it was not seen.")
        )
        return
    days = (until - patient.now).days
    found = words(
        f"中心的证书到 {until:%Y-%m-%d},还有 {days} 天。",
        f"The centre's certificate holds until {until:%Y-%m-%d}, {days} days.",
    )
    do = words("请在到期前换新的。", "Renew it before then.")
    yield Check("certificate", "look" if days < DAYS else "ok", found, do if days < DAYS else None)
