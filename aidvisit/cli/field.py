"""`aidvisit field …`: enrol a laptop and run it."""

from __future__ import annotations

import json
import sys
import time
import webbrowser
from argparse import Namespace
from typing import TYPE_CHECKING

from aidvisit import config
from aidvisit.cli.home import Answer, new_home, opened, secret_of, serve, settings_of
from aidvisit.errors import Problem

if TYPE_CHECKING:
    from aidvisit.store.vault import Vault
    from sync.client import Link

TRIES = 3


def init(arguments: Namespace) -> Answer:
    """Enrol with a one-time code and fetch everything once; nothing is left behind when that fails."""
    from aidvisit.services import sync
    from aidvisit.services.vault import reseal
    from aidvisit.store.vault import Vault
    from sync.client import sync_once

    plain: bool = arguments.no_encryption
    with new_home(arguments) as (making, home):
        settings = config.write(
            making,
            role="field",
            server_url=arguments.server,
            ca_file=str(arguments.ca.expanduser().absolute()) if arguments.ca else "",
            insecure=arguments.insecure,
            no_encryption=plain,
        )
        vault = Vault(making)
        recovery = None if plain else _new_key(vault)
        with opened(settings, vault):
            link = sync.link(settings)
            device = _enrol(link, arguments)
            pulled = sync_once(link).pulled
            people = reseal()
    document = {"home": str(home), "device": device, "pulled": pulled, "recovery_key": recovery}
    lines = [f"已登记,收到 {pulled} 条记录 / enrolled, {pulled} records: {home}"]
    lines += _plain_words() if recovery is None else _recovery_words(recovery, people)
    return Answer(document, [*lines, "运行 / run: aidvisit field run"])


def _new_key(vault: Vault) -> str:
    """Raises: Problem `no-encryption-here`."""
    from aidvisit.store.database import encryption_here

    if not encryption_here():
        raise Problem("no-encryption-here")
    return vault.create()


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


def _enrol(link: Link, arguments: Namespace) -> str:
    """A lost reply must not cost the code, and the key that would get it again goes with the home: so try again."""
    from sync.client import enrol

    for left in reversed(range(TRIES)):
        try:
            return enrol(link, name=arguments.name, code=arguments.code)
        except Problem as problem:
            if problem.name != "server-unreachable" or not left:
                raise
            time.sleep(0.5)
    raise AssertionError("unreachable")


def run(arguments: Namespace) -> None:
    """Serve the laptop's pages; the sync agent runs beside them."""
    from aidvisit.app import create_app
    from aidvisit.services import lock, sync
    from aidvisit.store.vault import Vault

    settings = settings_of(arguments, "field")
    if not Vault(settings.home).exists:
        if not (settings.no_encryption or arguments.no_encryption):
            raise Problem("not-encrypted")
        print("\n".join(_plain_words()), file=sys.stderr, flush=True)
    app = create_app(settings)
    if arguments.password_stdin:
        with app.app_context():
            lock.unlock_any(secret_of(settings, arguments) or "")
    for address in serve(app, settings, arguments):
        agent = sync.start_agent(app, settings)
        print(json.dumps({"url": address}) if arguments.json else f"笔记本 / laptop: {address}", flush=True)
        if arguments.open:
            webbrowser.open(address)
    agent.stop()
