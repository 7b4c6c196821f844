"""`aidvisit backup`, `backup-key` and `restore`: on a laptop and at the centre alike."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from aidvisit import config
from aidvisit.cli.home import Answer, ask, command_of, local, new_home, opened_for, settings_of
from aidvisit.errors import Problem


def backup(arguments: Namespace) -> Answer:
    """Write a backup and prove it."""
    from aidvisit.services import backup as service

    settings = settings_of(arguments)
    with opened_for(arguments):
        made = service.make(None if arguments.file is None else arguments.file.absolute())
    document = {
        "file": made.path, "at": made.at.isoformat(), "bytes": made.bytes, "seconds": made.seconds, "ops": made.ops,
    }  # fmt: skip
    lines = [
        f"已备份并恢复核对过 / backed up, restored and verified: {made.path}",
        f"{local(made.at, settings)}  {made.ops} 条记录 / records  {made.bytes} 字节 / bytes  {made.seconds} s",
    ]
    return Answer(document, lines)


def backup_key(arguments: Namespace) -> Answer:
    """Whom backups are for: a new recovery key, one that is there already, or what is set."""
    from aidvisit.services import backup as service
    from aidvisit.store.database import reading

    with opened_for(arguments):
        if arguments.recipient:
            chosen = service.use_key(arguments.recipient)
            return Answer({"recipient": chosen}, [f"以后的备份给这把公钥 / backups are for: {chosen}"])
        if arguments.show:
            with reading() as conn:
                shown = str(service.recipient(conn))
            return Answer({"recipient": shown}, [f"备份给这把公钥 / backups are for: {shown}"])
        text, made = service.new_key()
    lines = [
        f"备份恢复密钥 / recovery key for backups:   {text}",
        "只显示这一次。请抄在纸上,锁好,不要和电脑放在一起。没有它,备份谁也打不开。",
        "Shown only this once. Write it down and lock it away, never with the machine. Nothing else opens the backups.",
        f"公钥 / recipient: {made}",
        f"别的机器也用这把 / for another machine: {command_of(arguments, 'backup-key --recipient ' + made)}",
    ]
    return Answer({"recovery_key": text, "recipient": made}, lines)


def restore(arguments: Namespace) -> Answer:
    """Make a new home of a backup; what is there already is left as it is."""
    from aidvisit.services import restore as service

    home = config.find_home(arguments.home)
    with new_home(home) as making:
        done = service.restore(arguments.file, _secret(arguments), making, arguments.database or "")
    document = {"home": str(home), "role": done.role, "made_at": done.made_at, "ops": done.ops, "epoch": done.epoch}
    lines = [f"已恢复到 / restored into: {home}", f"备份时间 / as of: {done.made_at}"]
    if done.role == "central":
        lines += [
            f"新的纪元 / new epoch: {done.epoch}。启动之前请先做完 docs/operations.md “A restored centre” 里的几步",
            "Before it is started, do the steps in docs/operations.md, “A restored centre”.",
            f"运行 / run: {command_of(arguments, 'central run')}",
        ]
    else:
        lines += [
            "这是一份拷贝:下次同步时若中心不认,请按“上报”页上的按钮,作为新的一台继续,什么都不丢。",
            "This is a copy: where the centre says so at the next sync, go on as a new laptop by the button on the "
            "page Sync; nothing is lost.",
            f"运行 / run: {command_of(arguments, 'field run')}",
        ]
    return Answer(document, lines)


def _secret(arguments: Namespace) -> str:
    """The recovery key, from a file, from stdin's first line, or asked for. Raises: Problem `no-such-file`."""
    if arguments.key_file is not None:
        path: Path = arguments.key_file
        try:
            return path.read_text(encoding="ascii", errors="replace").strip().splitlines()[-1]
        except (OSError, IndexError):
            raise Problem("no-such-file", path=str(path)) from None
    if arguments.key_stdin:
        return sys.stdin.readline().strip()
    return ask("备份恢复密钥 / recovery key: ")
