"""Record what this version of the software says on the line, for tests of later ones.

`python tests/data/protocol/record.py FOLDER` writes `traffic.json` (what one laptop and the centre said to each other,
unpacked) and both databases as they were before they said it, as SQL. Run it in a checkout of the version to record.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
import tempfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services import delivery, device, household
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from sync import clock, log
from sync.op import uuid7
from sync.wire import unpack
from tests.support import homes
from tests.support.meddler import Meddler, Passing
from tests.support.nodes import Node

DAY, DRAWING = "2020-12-30", b'{"v":1,"w":10,"h":10,"strokes":[[[1,1],[9,9]]]}'
KEPT = ("Aidvisit-Signature", "Content-Type", "Date", "Retry-After")


class Recorder(Meddler):
    """A `Meddler` that changes nothing and keeps both halves."""

    def __init__(self, centre: str) -> None:
        super().__init__(centre)
        self.traffic: list[dict[str, Any]] = []

    def ask(self, path: str, data: bytes, headers: dict[str, str]) -> Passing:
        answer = super().ask(path, data, headers)
        asked = unpack(data, headers.get("Content-Encoding"))
        said = unpack(answer.body, answer.headers.get("Content-Encoding"), 1 << 24)
        self.traffic.append({
            "path": path,
            "request": json.loads(asked),
            "token": headers.get("Authorization", "").removeprefix("Bearer ") or None,
            "status": answer.status,
            "headers": {name: answer.headers[name] for name in KEPT if name in answer.headers},
            "answer": said.decode(),
        })  # fmt: skip
        return answer


def dump(home: Path, target: Path) -> None:
    with sqlite3.connect(home / "aidvisit.db") as database:
        text = "\n".join(database.iterdump())
    target.write_bytes(gzip.compress(text.encode(), mtime=0))


def registered(actor: str, name: str) -> str:
    made = uuid7()
    household.register(actor=actor, household=made, body={
        "kind": "household", "name": name, "head": {"name": name, "phone": "13800000000"},
        "division": homes.VILLAGE, "group": "一组", "size": 3, "categories": [],
    })  # fmt: skip
    return made


def given(actor: str, to: str, **more: Any) -> None:
    delivery.record_delivery(
        actor=actor, delivery=uuid7(), household=to, trip=None, date=DAY, lines={"rice": 2, "oil": 1},
        received_by={"as": "head", "name": "本人"}, **more,
    )  # fmt: skip


def record_on_the_laptop(home: Path, household_at_centre: str) -> None:
    """A delivery with a drawing, one to nobody that anybody knows, one by a clock a year ahead, and a household."""
    with opened(config.load(home, {})):
        with transaction() as conn:
            own = log.own(conn)
        name = sha256(DRAWING).hexdigest()
        proof = {"as": "signature", "sha256": name, "bytes": len(DRAWING), "media_type": "image/svg+xml"}
        given(own, household_at_centre, proofs=[proof], blobs=[(name, "image/svg+xml", DRAWING)])
        new = registered(own, "新来户")
        with transaction() as conn:
            body = {
                "household": uuid7(), "date": DAY, "lines": [{"item": "rice", "quantity": 1}],
                "received_by": {"as": "head", "name": "本人"}, "proofs": [{"as": "none", "reason": "手伤"}],
                "salt": "AAECAwQFBgc",
            }  # fmt: skip
            draft = log.Draft(homes.TOWN, own, "delivery.recorded", 1, uuid7(), body)
            log.author(conn, ledger.HOUSE, [draft], clock.wall())
        with transaction() as conn:
            fact = Fact(homes.TOWN, "household.updated", new, {"set": {"address": "村口"}, "base": {}})
            ledger.record(conn, own, fact, now=clock.wall() + timedelta(days=365))


def ask_for_a_blob(url: str, token: str) -> dict[str, Any]:
    """What a photo or signature is answered."""
    headers = {"Authorization": f"Bearer {token}", "Upload-Offset": "0", "Upload-Length": str(len(DRAWING))}
    where = f"{url}/sync/v1/blobs/{sha256(DRAWING).hexdigest()}"
    answer = requests.patch(where, data=DRAWING, headers=headers, timeout=60)
    kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
    return {"status": answer.status_code, "headers": kept, "answer": answer.text}


def main(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with homes.centre(folder) as centre:
            there = registered(centre.device, "覃家")
            code = device.enrolment_codes(actor=centre.device, team=centre.team)[0].code
        office, laptop = Node(folder / "central", "central"), Node(folder / "field", "field")
        office.start()
        line = Recorder(office.url)
        with line.running():
            init = ("field", "init", "--server", line.url, "--code", code, "--name", "3 号", "--no-encryption")
            laptop.command(*init)
            record_on_the_laptop(laptop.home, there)
            dump(office.home, target / "central.sql.gz")
            dump(laptop.home, target / "field.sql.gz")
            laptop.command("sync")
            blob = ask_for_a_blob(office.url, line.traffic[-1]["token"])
            enrolled = json.loads(line.traffic[0]["answer"])
            office.stop()
            with opened(config.load(office.home, {})):
                device.revoke(actor=enrolled["server"]["device"], device=enrolled["device"], reason="丢失")
            office.start()
            line._centre = office.url
            try:
                laptop.command("sync")
            except AssertionError as refused:
                sys.stderr.write(f"as it should be: {refused}\n")
        office.stop()
    kept = {"code": code, "household": there, "blob": blob, "traffic": line.traffic}
    text = json.dumps(kept, ensure_ascii=False, indent=1)
    (target / "traffic.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
