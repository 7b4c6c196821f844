"""`python -m benchmarks.bundle`: bytes of a bundle and of its answer, for each delivery, and what a large one takes.

Deliveries as in a village: two items, every third with a note, random ids and as many different notes as there are.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from benchmarks.figure import timed_ms
from benchmarks.traffic import World
from sync import blobs, bundle_central, bundle_field, log
from sync.log import Draft
from sync.op import uuid7
from tests.support.toy import TOWN, Centre, Laptop, connected, memory, opened

PHOTO = 150_000
COUNTS = (1, 10, 100, 500)


def deliveries(laptop: Laptop, count: int, world: World, *, signed: bool) -> None:
    """Recorded one by one, three minutes apart, as kinds go that the toy house knows."""
    for i in range(count):
        body = {
            "household": world.new_id(), "trip": world.trip, "date": world.day(),
            "lines": [{"item": "rice", "quantity": 1}, {"item": "oil", "quantity": 1}],
            "received_by": {"as": "head", "name": world.name()}, "salt": world.secret(8),
            "proofs": [{"as": "signature", "sha256": world.hash(), "bytes": 1800, "media_type": "image/svg+xml"}]
            if signed else [{"as": "paper", "page": 1, "row": i % 24 + 1}],
        }  # fmt: skip
        if i % 3 == 0:
            body["note"] = (world.note() + world.note() + world.note())[:20]
        world.ms += 180_000
        with laptop.begin() as conn:
            log.author(
                conn, laptop.app, [Draft(TOWN, world.actor, "note.recorded", 1, world.new_id(), body)], laptop.now()
            )


def sizes(count: int, *, signed: bool) -> tuple[int, int]:
    """(bytes up, bytes down) of one bundle with so many deliveries."""
    centre = Centre(memory()).set_up()
    laptop = connected(centre, uuid7())
    deliveries(laptop, count, World(count + signed), signed=signed)
    up, down = io.BytesIO(), io.BytesIO()
    with laptop.begin() as conn:
        bundle_field.export(conn, up)
    taken = bundle_central.take(centre.begin, centre.app, up, centre.now())
    bundle_central.answer(centre.begin, centre.app, taken, down, centre.now())
    return len(up.getvalue()), len(down.getvalue())


@contextmanager
def on_disk(folder: Path) -> Iterator[tuple[Centre, Laptop]]:
    with opened(f"sqlite:///{folder / 'centre.db'}") as one, opened(f"sqlite:///{folder / 'laptop.db'}") as other:
        centre = Centre(one).set_up()
        yield centre, connected(centre, uuid7(), other)


def large(photos: int) -> None:
    """So many photos: seconds each way and the most memory that this process had."""
    with tempfile.TemporaryDirectory() as name, on_disk(Path(name)) as (centre, laptop):
        for _ in range(photos):
            data = os.urandom(PHOTO)
            named = sha256(data).hexdigest()
            with laptop.begin() as conn:
                draft = Draft(TOWN, laptop.actor, "note.recorded", 1, uuid7(), {"sha256": named})
                log.author(conn, laptop.app, [draft], laptop.now())
                blobs.put(conn, named, "image/jpeg", data)
        before = _most_mb()
        with (Path(name) / "up").open("w+b") as file:
            with laptop.begin() as conn:
                wrote = timed_ms(lambda: bundle_field.export(conn, file))
            size = file.tell()
            read = timed_ms(lambda: bundle_central.take(centre.begin, centre.app, file, centre.now()))
    print(
        f"{photos} photos, {size / 1e6:.0f} MB: written in {wrote / 1000:.1f} s, taken in {read / 1000:.1f} s; "
        f"memory {before} MB before, {_most_mb()} MB at most"
    )


def _most_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> int:
    print(f"load {os.getloadavg()[0]:.1f}")
    large(int(sys.argv[1]) if len(sys.argv) > 1 else 200)  # first: the most memory is that of the whole process
    for signed in (False, True):
        print(f"{'each names a signature' if signed else 'signed on paper':>24}{'up':>10}{'each':>8}{'answer':>10}")
        for count in COUNTS:
            up, down = sizes(count, signed=signed)
            print(f"{count:>24}{up:>10}{up / count:>8.0f}{down:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
