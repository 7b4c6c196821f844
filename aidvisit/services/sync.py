"""Where this laptop's log stands, and sending it; the demo's switch for the line."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app

from aidvisit import __version__
from aidvisit.config import Settings
from aidvisit.errors import Problem
from aidvisit.services import preview
from aidvisit.services.address import check_server, is_own_line
from aidvisit.services.erasing import write_anew
from aidvisit.services.vault import reseal, seal_off, vault
from aidvisit.store import ledger
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.ledger import House
from sync import blobs, client, clock, comparison, log, pace, server, witness
from sync.agent import Agent, Result
from sync.blobs import Waiting
from sync.client import Outcome
from sync.identity import KeyPair
from sync.link import Link
from sync.log import LogState
from sync.proof import answered_text
from sync.transport import HttpTransport

VERSION = __version__
AGENT = "aidvisit.sync_agent"
KEY = "aidvisit.server_key"
OP_BYTES = 100
"""About what an op takes on the line, of a batch."""


def status() -> LogState:
    """What the chip and `aidvisit sync status` are made of."""
    with reading() as conn:
        return log.state(conn)


@dataclass(frozen=True, slots=True)
class Meter:
    """What is still to go up. `speed`: bytes a second, as seen lately; `seconds`: how long it takes at that speed.

    Both None before anything was sent. `text_only`: photos and signatures wait for a better line.
    """

    ops: int
    blobs: Waiting
    speed: int | None
    seconds: int | None
    text_only: bool


def meter() -> Meter:
    """The meter of the sync page, now."""
    with reading() as conn:
        ops, waits = log.state(conn).waiting, blobs.waiting(conn)
        speed, text_only = blobs.speed(conn) or pace.speed(conn), bool(log.recall(conn, "text_only"))
    size = ops * OP_BYTES + (0 if text_only else waits.bytes)
    seconds = -(-size // speed) if speed else None
    return Meter(ops, waits, speed, seconds, text_only)


def send_text_only(only: bool) -> None:
    """Whether photos and signatures wait for a better line; remembered until it is said otherwise."""
    with transaction() as conn:
        log.remember(conn, text_only=only or None)
    running = agent()
    if running is not None:
        running.poke()


def fetch_blob(name: str) -> bool:
    """Get a proof that another laptop recorded, now; false where the centre has not got it. Raises: Problem."""
    return blobs.fetch(link(current_settings()), name)


def sync_now(progress: Callable[[int, int], None] | None = None) -> Outcome:
    """Pull and push everything, once, by the running agent if there is one. Raises: Problem."""
    running = agent()
    if running is not None:
        return running.sync_now()
    with resealing():
        return client.sync_once(link(current_settings()), progress)


def alone(work: Callable[[], Result]) -> Result:
    """Something else that needs the line, while no sync runs. Raises: Problem."""
    running = agent()
    if running is not None:
        return running.alone(work)
    with resealing():
        return work()


@contextmanager
def resealing() -> Iterator[None]:
    """Around a sync: afterwards the laptop opens for whom it should, after a revocation for nobody."""
    try:
        yield
    except Problem as problem:
        if problem.name == "device-revoked" and vault().exists and _is_the_centres(problem):
            _seal_off()
        raise
    reseal()
    write_anew()


def _is_the_centres(problem: Problem) -> bool:
    """Signed by the server that was enrolled with; where that never signed, said over a line that nobody else answers.

    Without it, a hotel's network could lock a laptop for good.
    """
    return problem.verified or (problem.proof is not None and is_own_line(current_settings().server_url))


def _seal_off() -> None:
    """Only the recovery key opens this laptop from here on. What was not sent stays in it, and the agent rests."""
    seal_off()
    db.engine.dispose()
    running = agent()
    if running is not None:
        running.rest()


def link(settings: Settings) -> Link:
    """What a sync of this home needs. Raises: Problem `bad-address`, `insecure-line`, `practice-alone`."""
    if settings.practice:
        raise Problem("practice-alone")
    check_server(settings.server_url, insecure=settings.insecure)
    transport = HttpTransport(settings.server_url, verify=str(settings.ca_file) if settings.ca_file else True)
    return Link(transaction, House(), transport, clock.wall, _about(settings), preview.look)


def _about(settings: Settings) -> dict[str, Any]:
    """What the laptop says of itself with every pull."""
    return {
        "version": __version__,
        "disk_free_bytes": shutil.disk_usage(settings.home).free,
        "clock": clock.wall().isoformat(timespec="milliseconds"),
    }


def compare() -> list[str] | None:
    """What differs between this laptop and the centre, asked now; None where the server cannot tell.

    Raises: Problem, as a sync does.
    """
    return comparison.compare(link(current_settings()))


def restored() -> int:
    """How often the centre went on as a new device since this laptop began to watch it."""
    with reading() as conn:
        return witness.restored(conn)


def start_agent(app: Flask, settings: Settings) -> Agent:
    """Sync in the background for as long as the process runs."""
    line = link(settings)

    @contextmanager
    def around() -> Iterator[None]:
        line.status = _about(settings)
        with app.app_context():
            if vault().locked:
                raise Problem("locked")
            with resealing():
                yield

    def look() -> bool | None:
        with app.app_context():
            if vault().locked or not _something_waits():
                return None
        return isinstance(line.transport, HttpTransport) and line.transport.is_there()

    running = Agent(line, around, look)
    app.extensions[AGENT] = running
    running.start()
    return running


def _something_waits() -> bool:
    with reading() as conn:
        return log.state(conn).waiting > 0 or (not log.recall(conn, "text_only") and blobs.waiting(conn).count > 0)


def agent() -> Agent | None:
    """The agent of this process; none at the centre and in commands."""
    return current_app.extensions.get(AGENT)


def current_settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def take_up() -> None:
    """At a start: after an upgrade, apply what the version before kept but could not read."""
    with reading() as conn:
        if log.recall(conn, "version") == __version__:
            return
    with transaction() as conn:
        ledger.catch_up(conn)
        log.remember(conn, version=__version__)


def new_epoch() -> str:
    """After the centre's database was restored by other means: laptops then compare everything anew."""
    with transaction() as conn:
        return server.new_epoch(conn, clock.wall())


def sign_answer(nonce: str, body: bytes) -> str | None:
    """The centre's word that it answers this request so; None where its key cannot be read just now."""
    key = current_app.extensions.get(KEY)
    if key is None:
        try:
            with reading() as conn:
                key = KeyPair.from_private(log.recall(conn, "private_key"))
        except Problem:
            return None
        current_app.extensions[KEY] = key  # never another one: also a restored centre keeps it
    signature: str = key.sign(answered_text(nonce, body))
    return signature


def own_device() -> str:
    """The device that a command line acts as."""
    with reading() as conn:
        return log.own(conn)


def line_is_up() -> bool | None:
    """The demo's line between laptop and centre; None outside of the demo."""
    switch = current_settings().demo_line
    return None if switch is None else not switch.exists()


def cut_line() -> None:
    """Pull the demo's plug (拔掉网线)."""
    switch = current_settings().demo_line
    if switch is not None:
        switch.touch()


def mend_line() -> None:
    """Put it back (插回) and try to send at once."""
    switch = current_settings().demo_line
    running = agent()
    if switch is not None:
        switch.unlink(missing_ok=True)
        if running is not None:
            running.poke()
