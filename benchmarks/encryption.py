"""What encryption costs: the same work on a laptop with SQLCipher, beside one whose data stand in the clear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.services import passwords
from aidvisit.services.device import enrolment_codes
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact, House
from aidvisit.store.queries.search import search
from aidvisit.store.vault import Holder, Vault
from benchmarks.figure import Figure, median_ms, timed_ms
from benchmarks.house import Direct, open_world, record
from sync import client, clock, joining
from sync.link import Link
from sync.op import uuid7
from sync.transport import Reply
from tests.support.homes import TOWN, VILLAGE, Centre, centre

ROWS = 10_000
UNLOCK_MS = 1000


def costs(folder: Path) -> Iterator[Figure]:
    """Each figure's floor is the plain laptop, measured in the same run."""
    plain, sealed = (_writes(folder / name, encrypted=name == "sealed") for name in ("plain", "sealed"))
    for name in plain:
        yield Figure(f"{name}, encrypted", sealed[name], floor=plain[name])
    with centre(folder / "many") as made:
        _register(made)
        took = {name: _pull(made, folder / name / "reader", encrypted=name == "sealed") for name in ("plain", "sealed")}
    yield Figure(f"pull of {ROWS} records, encrypted", took["sealed"], floor=took["plain"])
    yield Figure("unlocking a laptop (argon2id)", _unlock(folder / "unlock"), bound=UNLOCK_MS)


def _writes(folder: Path, *, encrypted: bool) -> dict[str, float]:
    with open_world(folder, encrypted=encrypted) as world:
        found = {"save a delivery": record(world.device, world.trip)}
        with reading() as conn:
            found["search"] = median_ms(lambda: search(conn, "陈1"))
        return found


def _register(made: Centre) -> None:
    """At the centre, by its own hand: a laptop then pulls them all."""
    body = {"kind": "household", "division": VILLAGE, "group": "一队", "size": 2, "categories": []}
    for start in range(0, ROWS, 500):
        facts = [
            Fact(TOWN, "household.registered", uuid7(), body | {"head": {"name": f"陈{number}"}})
            for number in range(start, start + 500)
        ]
        with transaction() as conn:
            ledger.record(conn, made.device, *facts)


class _Timed:
    """A line that says how long it was used: what is left is the laptop's own work."""

    def __init__(self, line: Direct) -> None:
        self._line = line
        self.ms = 0.0

    def call(self, name: str, document: dict[str, Any], token: str | None) -> Reply:
        found: list[Reply] = []
        self.ms += timed_ms(lambda: found.append(self._line.call(name, document, token)))
        return found[0]


def _pull(made: Centre, folder: Path, *, encrypted: bool) -> float:
    settings = config.write(folder, role="field", server_url="http://centre.invalid")
    code = enrolment_codes(actor=made.device, team=made.team)[0].code
    vault = Vault(folder)
    if encrypted:
        vault.create()
    line = _Timed(Direct(made.app))
    with opened(settings, vault):
        link = Link(transaction, House(), line, clock.wall)
        joining.enrol(link, name="bench", code=code)
        line.ms = 0.0
        return timed_ms(lambda: client.sync_once(link)) - line.ms


def _unlock(folder: Path) -> float:
    folder.mkdir()
    vault = Vault(folder)
    vault.create()
    password = "correct horse battery"
    vault.seal_to([Holder(uuid7(), "luo", passwords.wrapped_key(password))])
    open_key: Callable[[dict[str, Any]], bytes] = lambda key: passwords.unwrap_key(key, password)  # noqa: E731
    return median_ms(lambda: vault.unlock("luo", open_key), times=5)
