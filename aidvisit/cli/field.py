"""`aidvisit field …`: enrol a laptop and run it."""

from __future__ import annotations

import json
import sys
import webbrowser
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aidvisit import config
from aidvisit.cli.home import Answer, command_of, is_free, kept, ready, secret_of, serve, settings_of
from aidvisit.errors import Problem

if TYPE_CHECKING:
    from flask import Flask

    from sync.agent import Agent


def init(arguments: Namespace) -> Answer:
    """Enrol with a one-time code and fetch everything once; nothing is left behind when that fails."""
    from aidvisit.cli.setup import make_home
    from aidvisit.services.setup import wanted

    if bool(arguments.code) == bool(arguments.invitation):
        arguments.misused("--server URL --code CODE, or --invitation TEXT")
    asked = wanted(
        name=arguments.name,
        text=arguments.invitation or "",
        server=arguments.server or "",
        code=arguments.code or "",
        fingerprint=arguments.fingerprint or "",
    )
    home = config.find_home(arguments.home)
    plain: bool = arguments.no_encryption
    made = make_home(asked, lambda _: None, home=home, ca=arguments.ca, insecure=arguments.insecure, plain=plain)
    document = {"home": str(home), "device": made.device, "pulled": made.pulled, "recovery_key": made.recovery}
    lines = [f"已登记,收到 {made.pulled} 条记录 / enrolled, {made.pulled} records: {home}"]
    lines += _plain_words() if made.recovery is None else _recovery_words(made.recovery, made.people)
    return Answer(document, [*lines, f"运行 / run: {command_of(arguments, 'field run')}"])


def _recovery_words(recovery: str, people: int) -> list[str]:
    lines = [
        "",
        f"恢复密钥 / recovery key:   {recovery}",
        "只显示这一次。请抄在纸上,交办公室保管,不要和电脑放在一起。",
        "Shown only this once. Write it down, keep it at the office, never with the laptop.",
        "",
    ]
    if not people:
        lines += [
            "这个队还没有人:现在只有恢复密钥打得开。请在中心添加人员,再用恢复密钥同步一次。",
            "The team has no people yet: only the recovery key opens this laptop. Add them at the centre, "
            "then sync once with the recovery key.",
        ]
    return lines


def _plain_words() -> list[str]:
    return [
        "注意:资料没有加密,电脑丢了谁都能看。请务必开启整盘加密。",
        "WARNING: the data are NOT encrypted. Whoever finds this laptop can read them. Encrypt the whole disk.",
    ]


def run(arguments: Namespace) -> None:
    """Serve the laptop's pages; the sync agent runs beside them. Without a home, the first page makes one."""
    if arguments.practice:
        from aidvisit.cli import practice

        for address in practice.pages(arguments):
            _say(address, arguments)
        return
    home = config.find_home(arguments.home)
    if is_free(home):
        _set_up(home, arguments)
        return
    from aidvisit.services import lock
    from aidvisit.store.vault import Vault

    settings = settings_of(arguments, "field")
    if not Vault(settings.home).exists:
        if not (settings.no_encryption or arguments.no_encryption):
            raise Problem("not-encrypted")
        print("\n".join(_plain_words()), file=sys.stderr, flush=True)
    app = ready(settings)
    secret = secret_of(settings, arguments) if arguments.password_stdin else None
    if secret is not None:
        with app.app_context():
            lock.unlock_any(secret)
    for address in serve(app, settings, arguments):
        agent = _agent(kept(app, settings), settings)
        _say(address, arguments)
    if agent is not None:
        agent.stop()


def _agent(app: Flask, settings: config.Settings) -> Agent | None:
    """An address that may not be spoken to stops the sending, not the recording; the sync page says why as well."""
    from aidvisit.services import sync

    try:
        return sync.start_agent(app, settings)
    except Problem as problem:
        print(f"{problem.words('zh')}\n{problem.words('en')}", file=sys.stderr, flush=True)
        return None


def _set_up(home: Path, arguments: Namespace) -> None:
    from aidvisit.cli.setup import Door

    for address in Door(home, arguments).serve():
        _say(address, arguments)


def _say(address: str, arguments: Namespace) -> None:
    print(json.dumps({"url": address}) if arguments.json else f"笔记本 / laptop: {address}", flush=True)
    if arguments.open:
        webbrowser.open(address)
