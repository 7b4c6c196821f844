"""The office's pages over years of deliveries: p50 and the worst over HTTP, beside one pass over the lines.

`python -m benchmarks.office [--deliveries N] [--on sqlite|postgresql] [--repeats N] [--keep FOLDER] [--only WORD]`.
A delivery is two lines; of every ten years' worth one is of the last twelve months. Filling takes minutes for a
million (`--keep`: what was made is used again). The floor is `count` and `sum` over the lines of deliveries, in the
same run; what is measured has warmed up once. `--profile PATH` prints the statements of one page, the longest first.
"""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import requests
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from aidvisit import config
from aidvisit.app import create_app
from aidvisit.store.database import open_engine, writing
from aidvisit.store.tables import (
    Allocation,
    Delivery,
    DeliveryLine,
    Household,
    HouseholdCategory,
    StockLine,
    Trip,
)
from benchmarks import kept, past
from benchmarks.figure import timed_ms
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import OFFICE, SHEET, TOWN, Node
from tests.support.pages import TOKEN

EACH, OF_A_TRIP = 10, 500
BOUND_MS = 1000
OPEN_TRIPS = 5
PAGES = {
    "overview, the last year": "/",
    "overview, all dates": "/?all=1",
    "trips": "/trips",
    "over trips, as it opens": "/reconciliation",
    **{f"over trips by {by}, all": f"/reconciliation?by={by}" for by in ("item", "trip", "team", "lot", "household")},
    "over trips by household, owed": "/reconciliation?by=household&open=yes",
    "a trip": "/trips/{trip}",
    "inbox": "/inbox",
    "reports, the last year": "/reports",
    **{f"report by {by}, all": f"/reports?by={by}" for by in ("month", "village", "team", "trip", "category", "donor")},
    "entries": "/entries?of=delivered",
    "entries of an item and a trip": "/entries?of=handed&item=rice&trip={trip}",
    "months": "/months",
    "lists": "/lists",
    "devices": "/devices",
}


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=100_000)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--profile", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = (given.keep or Path(name)) / f"office-{given.on}-{given.deliveries}"
        folder.mkdir(parents=True, exist_ok=True)
        with _database(folder, given) as url:
            _fill(folder, url, given.deliveries)
            if given.profile:
                return _profile(folder / "central", given.profile)
            _measure(folder / "central", url, given)
    return 0


@contextmanager
def _database(folder: Path, given: Namespace) -> Iterator[str]:
    if given.on == "sqlite":
        yield f"sqlite:///{(folder / 'central' / 'aidvisit.db').as_posix()}"
    else:
        with kept.database(folder, keep=given.keep is not None) as url:
            yield url


# --- years of it ----------------------------------------------------------------------------------------------


def _fill(folder: Path, url: str, deliveries: int) -> None:
    done = folder / "filled"
    if done.exists():
        return
    started = time.monotonic()
    centre = Centre(folder / "central", "" if url.startswith("sqlite") else url)
    centre.add_team("慰问一队", TOWN)
    centre.command("import", str(SHEET))
    engine = open_engine(url)
    year = datetime.now(UTC).year - EACH + 1
    past.make(engine, deliveries, EACH, trips=max(OPEN_TRIPS, deliveries // OF_A_TRIP), first_year=year, long=0)
    with writing(engine) as conn:
        _goods(conn)
        latest = sa.select(Trip.id).order_by(Trip.starts.desc(), Trip.id.desc()).limit(OPEN_TRIPS).scalar_subquery()
        conn.execute(sa.update(Trip).where(Trip.id.in_(latest)).values(status="released"))
    _settle(engine)
    engine.dispose()
    print(f"{deliveries:,} deliveries; filled in {time.monotonic() - started:.0f} s")
    done.touch()


def _goods(conn: Connection) -> None:
    """Everything that was delivered was allotted, came from a donor, and was loaded: by the same quantities."""
    line, key = DeliveryLine, sa.literal("0")
    sums = [line.trip, line.item, sa.func.sum(line.quantity).label("quantity")]
    truck = sa.literal("truck:").concat(line.trip)
    which = sa.func.substr(Household.id, 36, 1)
    code = sa.case((which < "4", "dibao"), (which < "8", "tekun"), (which < "c", "disabled"), else_="elder_alone")
    homes = sa.select(Household.id, code, Household.stream).where(Household.id.in_(sa.select(line.household)))
    _into(conn, HouseholdCategory, "household code stream", homes)
    conn.execute(sa.delete(Allocation).where(Allocation.trip.in_(sa.select(line.trip).where(line.trip.is_not(None)))))
    allotted = sa.select(line.trip, line.household, line.item, sa.literal("trip-").concat(line.trip),
                         sa.func.sum(line.quantity), key, key)  # fmt: skip
    _into(conn, Allocation, "trip household item stream quantity order_key first_key",
          allotted.where(line.counts).group_by(line.trip, line.household, line.item))  # fmt: skip
    names = "source line stream trip from_place to_place item quantity date lot order_key"
    given = sa.select(line.delivery, line.line, line.stream, line.trip, truck,
                      sa.literal("household:").concat(line.household), line.item, line.quantity, line.date, sa.null(),
                      Delivery.order_key)  # fmt: skip
    _into(conn, StockLine, names, given.join(Delivery, Delivery.id == line.delivery).where(line.counts))
    loads = sa.select(*sums, sa.func.min(line.date).label("date")).where(line.counts).group_by(line.trip, line.item)
    load = loads.subquery()
    source = sa.func.replace(load.c.trip, "-8c00-", "-8e00-")
    number = sa.case((load.c.item == "rice", 0), else_=1)
    lot = sa.literal("L-").concat(load.c.item)
    _into(conn, StockLine, names, sa.select(
        source, number, sa.literal("trip-").concat(load.c.trip), load.c.trip, sa.literal("warehouse:main"),
        sa.literal("truck:").concat(load.c.trip), load.c.item, load.c.quantity, load.c.date, lot, key,
    ))  # fmt: skip
    whole = sa.select(line.item, sa.func.sum(line.quantity).label("quantity"), sa.func.min(line.date).label("date"))
    came = whole.where(line.counts).group_by(line.item).subquery()
    _into(conn, StockLine, names, sa.select(
        sa.literal("0192f3a0-0000-7000-8f00-000000000001"), sa.case((came.c.item == "rice", 0), else_=1),
        sa.literal("org"), sa.null(), sa.literal("donor:giver"), sa.literal("warehouse:main"), came.c.item,
        came.c.quantity, came.c.date, sa.literal("L-").concat(came.c.item), key,
    ))  # fmt: skip


def _into(
    conn: Connection,
    model: type[Allocation | HouseholdCategory | StockLine],
    names: str,
    rows: sa.Select[tuple[object, ...]],
) -> None:
    conn.execute(sa.insert(model).from_select(names.split(), rows))


def _settle(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE")


# --- measured -------------------------------------------------------------------------------------------------


def _measure(home: Path, url: str, given: Namespace) -> None:
    engine = open_engine(url)
    with engine.connect() as conn:
        trip = conn.execute(sa.select(Trip.id).order_by(Trip.starts.desc(), Trip.id.desc()).limit(1)).scalar_one()
        query = sa.select(sa.func.count(), sa.func.sum(DeliveryLine.quantity)).where(DeliveryLine.counts)
        floor, _ = _times(given.repeats, lambda: conn.execute(query).all())
        count = conn.execute(query).one()[0]
    engine.dispose()
    print(f"{count:,} lines on {given.on}; one pass over them: {floor:.0f} ms")
    print(f"{'':34}{'p50':>8}{'worst':>8}{'p50 / pass':>12}{'KB':>8}")
    node = Node(home, "central")
    node.start()
    try:
        session = _signed_in(node)
        for name, path in PAGES.items():
            if given.only in name:
                ask = partial(_get, session, node.url + path.format(trip=trip))
                size = ask()
                p50, worst = _times(given.repeats, ask)
                said = "" if p50 <= BOUND_MS else "  OVER"
                print(f"{name:34}{p50:8.0f}{worst:8.0f}{p50 / floor:11.1f}×{size >> 10:8}{said}", flush=True)
    finally:
        node.stop()


def _times(repeats: int, work: object) -> tuple[float, float]:
    """Median and worst in milliseconds, after one that warms up."""
    assert callable(work)
    work()
    times = sorted(timed_ms(work) for _ in range(repeats))
    return times[len(times) // 2], times[-1]


def _signed_in(node: Node) -> requests.Session:
    session = requests.Session()
    token = TOKEN.search(session.get(f"{node.url}/sign-in").text)
    assert token
    form = {"csrf_token": token[1], "login": OFFICE, "password": PASSWORD, "next": "/months"}
    assert session.post(f"{node.url}/sign-in", data=form).status_code == 200
    return session


def _get(session: requests.Session, url: str) -> int:
    answer = session.get(url)
    assert answer.status_code == 200, f"{url}: {answer.status_code} {answer.text[:500]}"
    return len(answer.content)


def _profile(home: Path, path: str) -> int:
    """The statements of one page, as the server's process runs them."""
    app = create_app(config.load(home, {}))
    taken: list[tuple[float, str]] = []

    def before(_conn: object, _cursor: object, _text: str, _values: object, context: object, _many: bool) -> None:
        context.started = time.perf_counter()  # type: ignore[attr-defined]

    def after(_conn: object, _cursor: object, text: str, _values: object, context: object, _many: bool) -> None:
        taken.append(((time.perf_counter() - context.started) * 1000, text))  # type: ignore[attr-defined]

    sa.event.listen(Engine, "before_cursor_execute", before)
    sa.event.listen(Engine, "after_cursor_execute", after)
    client = app.test_client()
    token = TOKEN.search(client.get("/sign-in").text)
    assert token
    client.post("/sign-in", data={"csrf_token": token[1], "login": OFFICE, "password": PASSWORD})
    client.get(path)
    taken.clear()
    whole = timed_ms(lambda: client.get(path))
    print(f"{path}: {whole:.0f} ms, {len(taken)} statements, {sum(one for one, _ in taken):.0f} ms in them")
    for ms, text in sorted(taken, reverse=True)[:14]:
        print(f"\n{ms:8.1f} ms  {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
