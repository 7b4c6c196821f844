"""The least that a database does for the same bytes: one table, plain inserts, the same settings of durability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, text

from aidvisit.store.database import open_engine, writing
from benchmarks.figure import timed_ms

CREATE = text("CREATE TABLE bare (device VARCHAR(36), seq INTEGER, body TEXT, PRIMARY KEY (device, seq))")
INSERT = text("INSERT INTO bare (device, seq, body) VALUES ('laptop', :seq, :body)")


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{(folder / 'bare.db').as_posix()}"


def one_each_ms(url: str, bodies: Sequence[str]) -> float:
    """Median of inserting one row and committing it."""
    with _table(url) as engine:

        def insert(seq: int, body: str) -> None:
            with writing(engine) as conn:
                conn.execute(INSERT, {"seq": seq, "body": body})

        return median(timed_ms(partial(insert, seq, body)) for seq, body in enumerate(bodies))


def together_ms(url: str, bodies: Sequence[str], batch: int) -> float:
    """Inserting all rows, one statement a row, a commit every `batch` rows."""
    with _table(url) as engine:

        def insert() -> None:
            for start in range(0, len(bodies), batch):
                with writing(engine) as conn:
                    for seq, body in enumerate(bodies[start : start + batch], start):
                        conn.execute(INSERT, {"seq": seq, "body": body})

        return timed_ms(insert)


@contextmanager
def _table(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    with writing(engine) as conn:
        conn.execute(CREATE)
    try:
        yield engine
    finally:
        with writing(engine) as conn:
            conn.execute(text("DROP TABLE bare"))
        engine.dispose()
