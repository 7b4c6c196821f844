"""Households that may be registered twice: found over all, and for one person while somebody types.

    python -m benchmarks.pairs [--households 200000] [--url postgresql+psycopg://…]

One household in a hundred is registered again, a third of them with another character in the name, a third without the
ID number. Without a URL an encrypted file is used, as on a laptop.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from sqlalchemy import Connection, Engine, select, text

from aidvisit.domain.likeness import Someone, keys
from aidvisit.store import migrations
from aidvisit.store.apply.rows import add
from aidvisit.store.database import open_engine, writing
from aidvisit.store.queries.likeness import candidates, candidates_of, everybody
from aidvisit.store.queries.pair import pairs, still
from aidvisit.store.tables import Household, LikenessKey
from aidvisit.store.vault import Vault
from benchmarks import people
from benchmarks.figure import Figure, median_ms, timed_ms
from sync.op import uuid7

STEP = 5_000
ROWS = 20_000
"""Of an import."""


def fill(conn: Connection, households: int) -> list[Someone]:
    """Households with their keys, some of them twice; returns the heads."""
    chance = random.Random(2)
    ids = people.fill(conn, households)
    heads: list[Someone] = []
    for start in range(0, len(ids), STEP):
        known = everybody(conn, ids[start : start + STEP])
        heads += [someone for (_, member), (_, someone) in known.items() if not member]
        rows = [
            {"household": home, "person": member, "stream": row.division[:9], **asdict(keys(someone))}
            for (home, member), (row, someone) in known.items()
        ]
        add(conn, LikenessKey, rows)
    _again(conn, chance, ids)
    conn.execute(text("ANALYZE"))
    return heads


def _again(conn: Connection, chance: random.Random, ids: Sequence[str]) -> None:
    homes, found = [], []
    for row in conn.execute(select(Household.__table__)).mappings().all()[:: len(ids) // (len(ids) // 100 or 1)]:
        home = dict(row) | {"id": uuid7()}
        changed = chance.randrange(3)
        if changed == 0:
            home["head_name"] = home["name"] = home["head_name"][:-1] + chance.choice(people.GIVEN)
        if changed == 1:
            home["head_id_number"] = None
        someone = Someone(
            home["head_name"], home["head_id_number"] or "", home["head_phone"] or "", home["head_born"] or "",
            home["division"], home["village_group"] or "",
        )  # fmt: skip
        homes.append(home)
        found.append({"household": home["id"], "person": "", "stream": home["stream"], **asdict(keys(someone))})
    add(conn, Household, homes)
    add(conn, LikenessKey, found)


def figures(engine: Engine, households: int) -> list[Figure]:
    with writing(engine) as conn:
        heads = fill(conn, households)
    with engine.connect() as conn:
        chance = random.Random(3)
        found = pairs(conn)
        typed = iter([replace(one, name=one.name[:-1] + "英") for one in chance.sample(heads, 300)])
        rows = (heads * (ROWS // len(heads) + 1))[:ROWS]
        page = [pair.ids for pair in found[:10]]
        return [
            Figure("all pairs", timed_ms(lambda: pairs(conn))),
            Figure("pairs found", len(found), ""),
            Figure("a page of ten, looked at again", median_ms(lambda: still(conn, page), 20)),
            Figure("who may it be, while typing", median_ms(lambda: candidates(conn, next(typed)), 200)),
            Figure(f"who may they be, {ROWS} rows of an import", timed_ms(lambda: candidates_of(conn, rows))),
        ]


def main() -> int:
    parser = argparse.ArgumentParser(description="households that may be registered twice")
    parser.add_argument("--households", type=int, default=200_000)
    parser.add_argument("--url")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        vault = None if asked.url else Vault(Path(name))
        if vault is not None:
            vault.create()
        engine = open_engine(asked.url or f"sqlite:///{name}/aidvisit.db", vault)
        try:
            migrations.migrate(engine)
            for figure in figures(engine, asked.households):
                print(f"{figure.name:44}{figure.value:>12.4g} {figure.unit}", flush=True)
        finally:
            engine.dispose()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
