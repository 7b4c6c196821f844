"""`python -m benchmarks.line`: seconds and bytes of a laptop's backlog at 64 kbit/s with a round trip of 600 ms.

Not part of `make bench`, for it waits for a slow line. Both ends are the real ones: the laptop's code with its own
transport, `central run` in a process of its own, TLS between them through tests/support/slow_line.py. The floor is
arithmetic: bytes over the rate, and a round trip each for TCP, TLS and every request.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from flask import Flask

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services import sync
from aidvisit.services.device import enrolment_codes
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.vault import Vault
from benchmarks import packets
from sync import blobs, joining, log, sending
from sync.client import sync_once
from sync.op import uuid7
from tests.support.authority import Authority
from tests.support.homes import TOWN, VILLAGE, centre
from tests.support.nodes import Node
from tests.support.slow_line import RATE_BITS_S, ROUND_TRIP_S, SlowLine
from tests.support.soon import soon

COUNTS = (1, 50, 500)
PHOTO_BYTES = 150_000
AWAY_S = 20.0
WORDS = "老人身体尚好由儿子代领下次请提前电话通知路窄车进不去门口有狗小心房屋漏雨需要修补家中无人独自生活听力不好"


class Line(Protocol):
    """What is measured over: bytes that went both ways, connections that were made, and its switches."""

    connections: int
    url: str

    def used(self) -> tuple[int, int]: ...
    def slow_down(self) -> None: ...
    def cut(self) -> None: ...
    def mend(self) -> None: ...
    def stop(self) -> None: ...


class ByPackets:
    """The line of `packets`, with the TLS end of a slow line behind it."""

    def __init__(self, inner: SlowLine, loss: float) -> None:
        self._inner, self._packets = inner, packets.Packets(RATE_BITS_S, ROUND_TRIP_S, loss)
        listener = self._packets.listener()
        inner.front(listener)
        self.url = f"https://{packets.FAR}:{listener.getsockname()[1]}"
        packets.enter(self._packets.near)  # this thread and those that it starts: the laptop

    @property
    def connections(self) -> int:
        return self._inner.connections

    def used(self) -> tuple[int, int]:
        return self._packets.counts[0], self._packets.counts[1]

    def slow_down(self) -> None:
        self._packets.state[0] = 0

    def cut(self) -> None:
        self._packets.state[1] = 1

    def mend(self) -> None:
        self._packets.state[1] = 0

    def stop(self) -> None:
        self._packets.close()
        self._inner.stop()


@dataclass(slots=True)
class World:
    app: Flask
    settings: config.Settings
    line: Line
    chance: random.Random
    trip: str
    households: list[str]


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.line")
    parser.add_argument("--counts", type=int, nargs="*", default=COUNTS)
    parser.add_argument("--packets", action="store_true", help="packet by packet, with --loss (Linux, root)")
    parser.add_argument("--loss", type=float, default=0.01, metavar="SHARE")
    parser.add_argument("--only", choices=("push", "photo", "cut", "return"), nargs="*")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the namespaces go with it
    if arguments.packets and (why := packets.missing()) is not None:
        print(f"not measured packet by packet: {why}")
        return 0
    loss: float | None = arguments.loss if arguments.packets else None
    said = "bytes of TCP's content" if loss is None else f"whole packets, {loss:.1%} lost"
    print(f"64 kbit/s, 600 ms round trip, TLS 1.3, {said}; load before: {os.getloadavg()[0]:.1f}")
    print(f"{'':46}{'seconds':>9}{'floor':>9}{'ratio':>8}{'bytes':>9}{'each':>8}")
    with tempfile.TemporaryDirectory() as name, _world(Path(name), loss) as world:
        most = max(arguments.counts)
        works: dict[str, Callable[[], None]] = {
            "push": lambda: _pushes(world, arguments.counts),
            "photo": lambda: _photo(world),
            "cut": lambda: _cut(world, most),
            "return": lambda: _return(world, most),
        }
        world.line.slow_down()
        for part in arguments.only or works:
            works[part]()
    return 0


@contextmanager
def _world(folder: Path, loss: float | None) -> Iterator[World]:
    """A centre in its process, an enrolled laptop in this one, the line between them."""
    authority = Authority(folder / "authority")
    with centre(folder) as made:
        code = enrolment_codes(actor=made.device, team=made.team)[0].code
    node = Node(folder / "central", "central")
    node.start()
    inner = SlowLine(node.port, authority.give("localhost", "127.0.0.1", packets.FAR))
    inner.start()
    line: Line = inner if loss is None else ByPackets(inner, loss)
    settings = config.write(folder / "field", role="field", server_url=line.url, ca_file=str(authority.path))
    vault = Vault(settings.home)
    vault.create()
    try:
        with opened(settings, vault) as app:
            joining.enrol(sync.link(settings), name="bench", code=code)
            world = World(app, settings, line, random.Random(20201230), uuid7(), [uuid7() for _ in range(300)])
            _register(world)
            sync.sync_now()
            yield world
    finally:
        line.stop()
        node.stop()


def _register(world: World) -> None:
    body = {"kind": "household", "division": VILLAGE, "group": "一组", "size": 2, "categories": []}
    with transaction() as conn:
        ledger.record(
            conn,
            log.own(conn),
            *(
                Fact(TOWN, "household.registered", each, body | {"head": {"name": f"陈{number}"}})
                for number, each in enumerate(world.households)
            ),
        )


def _deliver(world: World, count: int, *, photos: int = 0) -> None:
    """Ordinary deliveries, each its own transaction as on a laptop: two items, 20 characters of note on every third."""
    chance = world.chance
    for number in range(count):
        body = {
            "household": chance.choice(world.households), "trip": world.trip, "date": "2020-12-30",
            "lines": [{"item": "rice", "quantity": 1}, {"item": "oil", "quantity": chance.choice((1, 1, 2))}],
            "received_by": {"as": "head", "name": f"陈{chance.randrange(300)}"},
            "proofs": [{"as": "paper", "page": number // 24 + 1, "row": number % 24 + 1}],
        }  # fmt: skip
        if number % 3 == 0:
            body["note"] = "".join(chance.sample(WORDS, 20))
        with transaction() as conn:
            if number < photos:
                data = chance.randbytes(PHOTO_BYTES)
                blobs.put(conn, sha256(data).hexdigest(), "image/jpeg", data)
                body["proofs"] = [{"as": "photo", "sha256": sha256(data).hexdigest(), "bytes": PHOTO_BYTES}]
            ledger.record(conn, log.own(conn), Fact(TOWN, "delivery.recorded", uuid7(), body))


def _measured(world: World, name: str, count: int, round_trips: int, work: Callable[[], object]) -> None:
    line = world.line
    before, began, connections = sum(line.used()), time.monotonic(), line.connections
    work()
    took = time.monotonic() - began
    used = sum(line.used()) - before
    trips = round_trips + 2 * (line.connections - connections)  # TCP and TLS
    least = used * 8 / RATE_BITS_S + trips * ROUND_TRIP_S
    _row(name, took, least, used, count)


def _row(name: str, took: float, least: float, used: int, count: int) -> None:
    print(f"{name:46}{took:>9.2f}{least:>9.2f}{took / least:>8.2f}{used:>9}{used / count:>8.0f}", flush=True)


def _pushes(world: World, counts: Sequence[int]) -> None:
    for count in counts:
        _push(world, count)


def _push(world: World, count: int) -> None:
    """Push alone on a new TLS connection, then on that same one; then a whole sync (pull, push, what else there is)."""
    said = "delivery" if count == 1 else "deliveries"
    link = sync.link(world.settings)
    push = partial(sending.push_all, link, None)
    for kind in ("new connection", "warm connection"):
        _deliver(world, count)
        _measured(world, f"push of {count} {said}, {kind}", count, 1, push)
    _deliver(world, count)
    _measured(world, f"whole sync of {count} {said}, new connection", count, 2, sync.sync_now)


def _photo(world: World) -> None:
    """The record is there long before its photo."""
    _deliver(world, 1, photos=1)
    link = sync.link(world.settings)
    began = time.monotonic()
    acked: list[float] = []

    def told(_done: int, _total: int) -> None:
        acked.append(time.monotonic() - began)

    _measured(world, "whole sync of 1 delivery with a photo", 1, 3, lambda: sync_once(link, told))
    print(f"{'  its record was on its way after':46}{acked[0]:>9.2f}")


def _cut(world: World, count: int) -> None:
    """The line breaks when half of it is sent, and is back after a second: what is sent twice?"""
    _deliver(world, count)
    link = sync.link(world.settings)

    def work() -> None:
        before = world.line.used()[0]

        def cut() -> None:
            soon(lambda: world.line.used()[0] - before > 30 * count, within_s=60)
            world.line.cut()
            time.sleep(1.0)
            world.line.mend()

        threading.Thread(target=cut).start()
        while sync.status().waiting:
            try:
                sending.push_all(link, None)
            except Exception as error:
                print(f"  cut: {error}"[:70])
                time.sleep(0.5)

    _measured(world, f"push of {count}, cut in the middle", count, 1, work)


def _return(world: World, count: int) -> None:
    """From the line's return to “all sent”, the agent running, nobody pressing anything."""
    world.line.cut()
    agent = sync.start_agent(world.app, world.settings)
    _deliver(world, count)
    time.sleep(AWAY_S)
    world.line.mend()

    before, began, seen_after = world.line.used()[0], time.monotonic(), 0.0
    reached = {sync.status().through}

    def all_sent() -> bool:
        nonlocal seen_after
        if not seen_after and world.line.used()[0] > before:
            seen_after = time.monotonic() - began
        status = sync.status()
        reached.add(status.through)
        return status.waiting == 0

    def work() -> None:
        with world.app.app_context():
            assert soon(all_sent, within_s=600)

    _measured(world, f"line's return to “all sent”, {count}, agent", count, 2, work)
    agent.stop()
    print(f"{'  the line was seen after':46}{seen_after:>9.2f}   in {len(reached) - 1} pushes or more")
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    sys.exit(main())
