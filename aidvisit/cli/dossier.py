"""`aidvisit dossier` at the centre, and `aidvisit verify FILE` on any machine."""

from __future__ import annotations

import os
from argparse import Namespace
from contextlib import suppress
from dataclasses import asdict

from aidvisit.cli.home import Answer, opened, settings_of
from aidvisit.errors import Problem


def dossier(arguments: Namespace) -> Answer:
    """Write a trip's dossier; nothing stands under its name before it is whole."""
    from aidvisit.services.dossier.make import find, make
    from aidvisit.services.sync import own_device

    path = arguments.file
    if path.exists():
        raise Problem("backup-exists", path=str(path))
    beside = path.with_name(f".{path.name}.part")
    with opened(settings_of(arguments, "central")):
        trip = find(arguments.trip)
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                facts = make(own_device(), trip, file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise Problem("not-writable", path=str(path.parent)) from error
        finally:
            with suppress(FileNotFoundError):
                beside.unlink()
    size = path.stat().st_size
    document = {"file": str(path), "trip": trip, "facts": facts, "bytes": size}
    return Answer(document, [f"已写好 / written: {path}  {facts} 条记录 / facts  {size} 字节 / bytes"])


def verify(arguments: Namespace) -> Answer:
    """Exit code 1 where anything in it was altered."""
    from aidvisit.services.dossier.check import check

    told = check(arguments.file, arguments.key)
    lines = [
        f"{told.title}  {told.made_at}",
        f"{told.facts} 条记录全文,{told.photos} 个照片和签名 / {told.facts} facts, {told.photos} photos and signatures",
        f"盖章的中心指纹 / sealed by the centre with the fingerprint: {told.signer or '–'}",
    ]
    if told.known is None:
        lines.append("请与您知道的中心指纹比对(--key)/ compare it with the fingerprint that you know (--key)")
    if told.missing:
        count = len(told.missing)
        lines.append(f"{count} 个照片或签名做的时候就还没有传到 / {count} photos had not arrived when it was made")
    lines += told.findings or ["没有发现改动 / nothing was altered"]
    return Answer({"ok": not told.findings, **asdict(told)}, lines, exit_code=1 if told.findings else 0)
