"""Opening a home for one command, making a new one, and serving pages from it."""

from __future__ import annotations

import errno
import gc
import getpass
import shlex
import shutil
import signal
import socket
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aidvisit import config
from aidvisit.config import Role, Settings
from aidvisit.errors import Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask

    from aidvisit.store.vault import Vault

MAX_REQUEST_BYTES = 8 * 1024 * 1024
MAX_LAPTOP_REQUEST_BYTES = 40 * 1024 * 1024
"""Of the one who sits at it: a photo as the camera made it, whose form is kept when it is too large."""
# waitress writes longer requests and answers to the folder for temporary files, where anybody may read the disk later.
IN_MEMORY_BYTES = 1024 * MAX_LAPTOP_REQUEST_BYTES
# One hop is believed: whoever connects is the proxy. Otherwise waitress drops what anybody says of where he is.
BEHIND_PROXY: dict[str, Any] = {
    "trusted_proxy": "*",
    "trusted_proxy_count": 1,
    "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says: one JSON object, or lines for people."""

    document: dict[str, Any]
    lines: list[str] = field(default_factory=list)
    exit_code: int = 0


def settings_of(arguments: Namespace, role: Role | None = None) -> Settings:
    """The settings of the home that was asked for. Raises: Problem `not-a-home`, `wrong-role`, `practice-home`."""
    settings = config.load(config.find_home(arguments.home))
    if settings.practice:
        raise Problem("practice-home", home=str(settings.home))
    if role is not None and settings.role != role:
        raise Problem("wrong-role", home=str(settings.home), role=settings.role)
    return settings


def command_of(arguments: Namespace, words: str) -> str:
    """A command to run next, as it has to be typed for the same home."""
    home = f" --home {shlex.quote(str(arguments.home))}" if arguments.home else ""
    return f"aidvisit{home} {words}"


def local(when: datetime, settings: Settings) -> str:
    """A time as the clock on the wall shows it, and how far that is from UTC: `2020-12-30 11:05+08:00`."""
    return when.astimezone(settings.zone).isoformat(sep=" ", timespec="minutes")


@contextmanager
def opened(settings: Settings, vault: Vault | None = None, secret: str | None = None) -> Iterator[Flask]:
    """An application context with the home's database, brought up to date, and without any page.

    An encrypted home is opened by an open `vault`, or by a `secret`: a password or the recovery key.
    Raises: Problem `locked`, `wrong-password`, `recovery-key-mistyped`.
    """
    from flask import Flask

    from aidvisit.services import upgrade
    from aidvisit.services.lock import unlock_any
    from aidvisit.services.sync import take_up
    from aidvisit.services.vault import VAULT
    from aidvisit.store import database
    from aidvisit.store.vault import Vault

    vault = vault or Vault(settings.home)
    app = Flask("aidvisit")
    app.config["SETTINGS"] = settings
    app.extensions[VAULT] = vault
    database.init_app(app, settings.database_url, vault)
    with app.app_context():
        try:
            if vault.locked and secret is not None:
                unlock_any(secret)
            else:
                upgrade.upgrade(settings, vault)
                if not vault.locked:
                    take_up()
            yield app
        finally:
            database.db.engine.dispose()


@contextmanager
def opened_for(arguments: Namespace, role: Role | None = None) -> Iterator[Flask]:
    """The home that was asked for, opened; a laptop's password comes from stdin's first line, or is asked for.

    Raises: Problem `not-a-home`, `wrong-role`, and as `opened`.
    """
    settings = settings_of(arguments, role)
    with opened(settings, secret=secret_of(settings, arguments)) as app:
        try:
            yield app
        except Problem as problem:
            if who := _opened_by():
                problem.members.setdefault("opened_by", who)
            raise


def _opened_by() -> str:
    """The login of the person whose password opened the home; empty where it was not a password."""
    from aidvisit.services.vault import vault
    from aidvisit.store.database import reading
    from aidvisit.store.queries.account import user

    who = None if vault().locked else vault().opened_by
    if who is None:
        return ""
    with reading() as conn:
        found = user(conn, who)
    return found.login if found else ""


def secret_of(settings: Settings, arguments: Namespace) -> str | None:
    """What opens an encrypted home; None when nothing must, or nobody is there to be asked."""
    from aidvisit.store.vault import Vault

    if not Vault(settings.home).exists:
        return None
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return ask("密码或恢复密钥 / password or recovery key: ") if sys.stdin.isatty() else None


def is_free(home: Path) -> bool:
    """Whether a home may be made there: nothing is, or an empty directory."""
    return not home.exists() or (home.is_dir() and not any(home.iterdir()))


@contextmanager
def new_home(home: Path) -> Iterator[Path]:
    """Where the home is made: it is whole at the end, or not there at all.

    Raises: Problem `home-exists`, `not-writable`.
    """
    if not is_free(home):
        raise Problem("home-exists", home=str(home))
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    except OSError as error:
        raise Problem("not-writable", path=str(home.parent)) from error
    try:
        yield making
        if home.exists():
            home.rmdir()  # empty; Windows renames onto nothing else
        making.rename(home)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def read_password(arguments: Namespace) -> str:
    """From stdin's first line, or asked for twice. Raises: Problem `password-missing`."""
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    while True:
        password = ask("密码 / password: ")
        if password == ask("再输一次 / again: "):
            return password
        print("两次不一样 / these differ", file=sys.stderr)


def ask(words: str) -> str:
    """What is typed and not shown. Raises: Problem `password-missing`."""
    try:
        return getpass.getpass(words)
    except EOFError:
        raise Problem("password-missing") from None


def ready(settings: Settings) -> Flask:
    """The application of a home, with what an upgrade lets it take up; a locked one does that when it is opened."""
    from aidvisit.app import create_app
    from aidvisit.services.erasing import write_anew
    from aidvisit.services.sync import take_up
    from aidvisit.services.vault import vault

    app = create_app(settings)
    with app.app_context():
        if not vault().locked:
            take_up()
            write_anew()
    # What is there now stays: to look through all of it again takes 80 ms, in which a page waits.
    gc.collect()
    gc.freeze()
    return app


def kept(app: Flask, settings: Settings) -> Flask:
    """The same application, of which backups are made by itself from now on; not before a process is forked."""
    from aidvisit.services.keeper import Keeper

    Keeper(app, settings).start()
    return app


def serve(app: WSGIApplication, settings: Settings, arguments: Namespace) -> Iterator[str]:
    """Yield the address once it answers, then serve a laptop's pages until stopped.

    Raises: Problem `port-in-use`, `insecure-listening`.
    """
    from waitress.server import create_server

    listener, address = listening(settings, arguments)
    try:
        server = create_server(
            app,
            sockets=[listener],
            threads=8,
            max_request_body_size=MAX_LAPTOP_REQUEST_BYTES,
            inbuf_overflow=IN_MEMORY_BYTES,
            outbuf_overflow=IN_MEMORY_BYTES,
            **(BEHIND_PROXY if settings.behind_proxy else {}),
        )
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        yield address
        server.run()
    finally:
        listener.close()


def listening(settings: Settings, arguments: Namespace) -> tuple[socket.socket, str]:
    """A socket that listens where the settings or the command say, and its address.

    Raises: Problem `port-in-use`, `insecure-listening`.
    """
    from aidvisit.services.address import check_listening

    host, port = arguments.host or settings.host, arguments.port or settings.port
    check_listening(host, insecure=arguments.insecure or settings.insecure)
    return _listen(host, port), f"http://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise Problem("port-in-use", port=port) from error
        raise
