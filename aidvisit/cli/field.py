"""`aidvisit field …`: enrol a laptop and run it."""

from __future__ import annotations

import json
import time
import webbrowser
from argparse import Namespace
from typing import TYPE_CHECKING

from aidvisit import config
from aidvisit.cli.home import Answer, new_home, opened, serve, settings_of
from aidvisit.errors import Problem

if TYPE_CHECKING:
    from sync.client import Link

TRIES = 3


def init(arguments: Namespace) -> Answer:
    """Enrol with a one-time code and fetch everything once; nothing is left behind when that fails."""
    from aidvisit.services import sync
    from sync.client import sync_once

    with new_home(arguments) as (making, home):
        settings = config.write(
            making,
            role="field",
            server_url=arguments.server,
            ca_file=str(arguments.ca.expanduser().absolute()) if arguments.ca else "",
            insecure=arguments.insecure,
        )
        with opened(settings):
            link = sync.link(settings)
            device = _enrol(link, arguments)
            pulled = sync_once(link).pulled
    document = {"home": str(home), "device": device, "pulled": pulled}
    return Answer(
        document,
        [f"已登记,收到 {pulled} 条记录 / enrolled, {pulled} records: {home}", "运行 / run: aidvisit field run"],
    )


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
    settings = settings_of(arguments, "field")

    from aidvisit.app import create_app
    from aidvisit.services import sync

    app = create_app(settings)
    for address in serve(app, settings, arguments):
        agent = sync.start_agent(app, settings)
        print(json.dumps({"url": address}) if arguments.json else f"笔记本 / laptop: {address}", flush=True)
        if arguments.open:
            webbrowser.open(address)
    agent.stop()
