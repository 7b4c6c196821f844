"""A new laptop's first pull of a whole town: seconds, megabytes, memory, and whether it can be searched meanwhile.

`python -m benchmarks.first_pull [--households N] [--deliveries N]`: a centre as a process, on SQLite; the laptop is an
encrypted home in a process of its own, over HTTP on this machine. What rows cost by the
driver alone is in `benchmarks.push`.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services.device import enrolment_codes
from aidvisit.store.database import open_engine, reading, transaction
from aidvisit.store.ledger import House
from aidvisit.store.queries import search as searching
from aidvisit.store.vault import Vault
from benchmarks import township
from benchmarks.push import BATCH, push
from sync import client, clock, joining
from sync.link import Link
from sync.transport import HttpTransport, Reply
from tests.support.homes import TOWN, centre
from tests.support.nodes import Node

SEARCH_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Pulled:
    """What the laptop's process says of its first sync."""

    seconds: float
    ops: int
    pages: int
    received: int
    peak_mb: float
    searches: list[tuple[float, int, float]]
    """(seconds since the start, households found in all, milliseconds)."""


class _Counted(HttpTransport):
    """The line, with what came over it."""

    pages = received_bytes = 0

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        reply = super().call(name, document, token)
        if name == "pull":
            self.pages += 1
            self.received_bytes += reply.received
        return reply


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=20_000)
    parser.add_argument("--deliveries", type=int, default=200_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code = _fill(folder, given.households, given.deliveries)
        node = Node(folder / "central", "central")
        node.start()
        try:
            pulled = _in_its_own_process(folder / "field", node.url, code)
            server_mb = _peak_mb(node)
        finally:
            node.stop()
        size_mb = (folder / "field" / "aidvisit.db").stat().st_size / 1e6
    _tell(pulled, given.households + given.deliveries, size_mb, server_mb)
    return 0


def _fill(folder: Path, count: int, deliveries: int) -> str:
    """A centre that another laptop has pushed a town to; an enrolment code for a team that works there."""
    with centre(folder) as made:
        code = enrolment_codes(actor=made.device, team=made.team)[0].code
        url = made.settings.database_url
    engine = open_engine(url)
    laptop = township.enrol(engine, TOWN)
    push(engine, laptop, township.documents(laptop, township.facts(TOWN, count, deliveries, 1), BATCH))
    engine.dispose()
    return code


def _in_its_own_process(home: Path, url: str, code: str) -> Pulled:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_laptop, args=(home, url, code, theirs))
    process.start()
    theirs.close()
    found: Pulled = ours.recv()
    process.join()
    return found


def _laptop(home: Path, url: str, code: str, told: Connection) -> None:
    settings = config.write(home, role="field", server_url=url)
    vault = Vault(home)
    vault.create()
    with opened(settings, vault) as app:
        line = _Counted(url)
        link = Link(transaction, House(), line, clock.wall)
        joining.enrol(link, name="bench", code=code)
        over, searches, began = threading.Event(), [], time.monotonic()

        def search() -> None:
            while not over.wait(SEARCH_EVERY_S):
                asked = time.monotonic()
                with app.app_context(), reading() as conn:
                    found = searching.search(conn, "陈1")
                searches.append((asked - began, found.searched, (time.monotonic() - asked) * 1000))

        person = threading.Thread(target=search)
        person.start()
        outcome = client.sync_once(link)
        seconds = time.monotonic() - began
        over.set()
        person.join()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told.send(Pulled(seconds, outcome.pulled, line.pages, line.received_bytes, peak_mb, searches))


def _peak_mb(node: Node) -> float:
    assert node.process is not None
    status = Path(f"/proc/{node.process.pid}/status")
    if not status.is_file():
        return float("nan")
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024


def _tell(pulled: Pulled, expected: int, size_mb: float, server_mb: float) -> None:
    assert pulled.ops >= expected, f"{pulled.ops} of {expected}"
    ms = pulled.seconds * 1000 / pulled.ops
    print(f"{pulled.ops} ops in {pulled.pages} pages: {pulled.seconds:.1f} s, {ms:.2f} ms each")
    print(f"{pulled.received / 1e6:.1f} MB on the line; the laptop's file {size_mb:.0f} MB")
    print(f"peak memory: laptop {pulled.peak_mb:.0f} MB, centre {server_mb:.0f} MB")
    while_it_came = [one for one in pulled.searches if one[1]]
    if while_it_came:
        first, slowest = while_it_came[0], max(one[2] for one in while_it_came)
        print(
            f"{len(while_it_came)} searches meanwhile: the first after {first[0]:.1f} s among {first[1]} households, "
            f"the slowest took {slowest:.0f} ms"
        )


if __name__ == "__main__":
    sys.exit(main())
