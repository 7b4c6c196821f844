"""A trip's dossier is made and checked: seconds of a processor, memory, and how often that of a bare zip.

`python -m benchmarks.dossier [--households N]`: one trip of a laptop, a delivery with a photo of 60 kB to each
household; `aidvisit dossier` and `aidvisit verify FILE` as processes of their own. The floor is the zip of the same
members, written or read, without a fact being looked at.
"""

from __future__ import annotations

import os
import tempfile
import time
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from aidvisit.store.database import open_engine, viewing, writing
from aidvisit.store.ledger import Fact
from benchmarks import township
from benchmarks.backup import PHOTO_BYTES, Ran, run
from benchmarks.push import BATCH, push
from sync import blobs
from sync.op import uuid7
from sync.tables import device
from tests.support.centre import Centre

TOWN = "440785500"


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=2000)
    count = parser.parse_args().households
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        centre, file, trip = Centre(folder / "central"), folder / "trip.zip", uuid7()
        engine = open_engine(centre.database)
        _fill(engine, trip, count)
        engine.dispose()
        made = run(centre.home, "dossier", trip, str(file))
        size, facts = file.stat().st_size, made.document["facts"]
        print(f"{count:,} households, {facts:,} facts, {size / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}")
        _tell("made", made, _written_s(file, folder / "bare.zip"))
        checked = run(folder / "nowhere", "verify", str(file))
        assert (checked.document["ok"], checked.document["photos"]) == (True, count), checked.document
        _tell("checked", checked, _read_s(file))
    return 0


def _tell(what: str, ran: Ran, floor: float) -> None:
    print(
        f"  {what:10}{ran.cpu_s:.1f} s of CPU ({ran.seconds:.1f} s), {ran.peak_mb:.0f} MB peak; "
        f"a bare zip {floor:.1f} s, × {ran.cpu_s / floor:.1f}",
        flush=True,
    )


def _fill(engine: Engine, trip: str, count: int) -> None:
    laptop = township.enrol(engine, TOWN)
    with viewing(engine) as conn:
        team = conn.execute(sa.select(device.c.team).where(device.c.id == laptop.device)).scalar_one()
    documents = township.documents(laptop, _facts(engine, trip, team, count), BATCH)
    push(engine, laptop, documents)


def _facts(engine: Engine, trip: str, team: str, count: int) -> Iterator[Fact]:
    planned = {"title": "bench", "starts": "2020-12-30", "ends": "2020-12-30", "team": team, "divisions": [TOWN]}
    yield Fact(f"trip-{trip}", "trip.planned", trip, planned)
    for fact in township.facts(TOWN, count, count, 1):
        if fact.kind != "delivery.recorded":
            yield fact
            continue
        data = os.urandom(PHOTO_BYTES)
        photo = {"as": "photo", "sha256": sha256(data).hexdigest(), "bytes": PHOTO_BYTES, "media_type": "image/jpeg"}
        with writing(engine) as conn:
            blobs.put(conn, photo["sha256"], "image/jpeg", data)
        yield Fact(fact.stream, fact.kind, fact.subject, {**fact.body, "trip": trip, "proofs": [photo]})


def _written_s(file: Path, bare: Path) -> float:
    """Seconds of a processor to pack the same members in the same way."""
    spent = 0.0
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(bare, "w") as target:
        for one in source.infolist():
            data = source.read(one)
            began = time.process_time()
            target.writestr(one.filename, data, one.compress_type)
            spent += time.process_time() - began
    return spent


def _read_s(file: Path) -> float:
    """Seconds of a processor to unpack them and compare zip's own sums."""
    began = time.process_time()
    with zipfile.ZipFile(file) as source:
        assert source.testzip() is None
    return time.process_time() - began


if __name__ == "__main__":
    raise SystemExit(main())
