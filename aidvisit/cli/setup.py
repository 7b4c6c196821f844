"""A laptop's home is made: by one command, or by the first page that `field run` shows where there is none yet."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from aidvisit import config
from aidvisit.cli.home import new_home, opened, ready, serve
from aidvisit.config import Settings
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.services.address import check_listening
from aidvisit.services.setup import Counting, Made, SetUp, Tell, Wanted
from aidvisit.services.vault import reseal
from aidvisit.store.database import encryption_here
from aidvisit.store.vault import Vault
from sync.client import sync_once
from sync.joining import enrol
from sync.link import Link

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TRIES = 3


def make_home(asked: Wanted, tell: Tell, *, home: Path, ca: Path | None, insecure: bool, plain: bool) -> Made:
    """Enrol, fetch everything once, encrypt it; nothing is left behind when that fails.

    `ca`: the authority of the centre's certificate. `plain`: without encryption.
    Raises: Problem `home-exists`, `not-writable`, `no-encryption-here`, `uninvited-server`, and those of a sync.
    """
    with new_home(home) as making:
        settings = config.write(
            making,
            role="field",
            server_url=asked.server,
            ca_file=str(ca.expanduser().absolute()) if ca else "",
            insecure=insecure,
            no_encryption=plain,
        )
        vault = Vault(making)
        recovery = None if plain else _new_key(vault)
        with opened(settings, vault):
            link = sync.link(settings)
            device = _enrol(link, asked)
            tell(0)
            link.transport = Counting(link.transport, tell)
            pulled = sync_once(link).pulled
            people = reseal()
    return Made(device, pulled, people, recovery)


def _new_key(vault: Vault) -> str:
    """Raises: Problem `no-encryption-here`."""
    if not encryption_here():
        raise Problem("no-encryption-here")
    return vault.create()


def _enrol(link: Link, asked: Wanted) -> str:
    """A lost reply must not cost the code, and the key that would get it again goes with the home: so try again."""
    expects = asked.expects if asked.fingerprint is not None else None
    for left in reversed(range(TRIES)):
        try:
            return enrol(link, name=asked.name, code=asked.code, expects=expects)
        except Problem as problem:
            if problem.name != "server-unreachable" or not left:
                raise
            time.sleep(0.5)
    raise AssertionError("unreachable")


class Door:
    """What the server calls: the set-up pages, and once the home is made, the laptop's own."""

    def __init__(self, home: Path, arguments: Namespace) -> None:
        from aidvisit.app import create_set_up

        self._settings = Settings(home, "field")
        self.app: Flask = create_set_up(home, SetUp(self._make, insecure=arguments.insecure), self._finish)
        self._arguments = arguments

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.app(environ, start_response)

    def _make(self, asked: Wanted, tell: Tell) -> Made:
        given = self._arguments
        return make_home(
            asked, tell, home=self._settings.home, ca=given.ca, insecure=given.insecure, plain=given.no_encryption
        )

    def _finish(self) -> None:
        settings = config.load(self._settings.home)
        app = ready(settings)
        sync.start_agent(app, settings)
        self.app = app

    def serve(self) -> Iterator[str]:
        """The address once it answers, then serve until stopped. Never beyond this machine: nobody signs in here.

        Raises: Problem `insecure-listening`, `port-in-use`.
        """
        check_listening(self._arguments.host or self._settings.host, insecure=False)
        yield from serve(self, self._settings, self._arguments)
        agent = self.app.extensions.get(sync.AGENT)
        if agent is not None:
            agent.stop()
