"""Search by kind of query: p50, p99 and the worst, in the database and over HTTP, beside the least that either costs.

`python -m benchmarks.search [--households N] [--on sqlite|postgresql] [--queries N] [--plans] [--no-http]
[--keep FOLDER]`. SQLite is
an encrypted laptop's, PostgreSQL a centre's. The floor in the database is one household by its id; over HTTP it is the
page that searches nothing. Filling takes some minutes for a million (`--keep`: what was made is used again).
"""

from __future__ import annotations

import gc
import random
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import requests
from sqlalchemy import Connection, select

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.domain import han
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.queries import hits
from aidvisit.store.queries.search import Filters, search
from aidvisit.store.tables import Household, HouseholdSearch, Member
from benchmarks import kept, people
from benchmarks.figure import timed_ms
from tests.support.centre import PASSWORD, Centre
from tests.support.nodes import LEADER, OFFICE, Node, set_up
from tests.support.pages import TOKEN

LETTERS = "abcdefghjklmnopqrstwxyz"
Asked = tuple[str, Filters]
NONE = Filters()
IN_THE_DATABASE_MS, OVER_HTTP_MS = 10, 30
WARMS = 20
"""Of each kind, asked before it is measured: a laptop's file has been read since it was started."""


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=200_000)
    parser.add_argument("--on", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--no-http", action="store_true")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = (given.keep or Path(name)) / f"{given.on}-{given.households}"
        folder.mkdir(parents=True, exist_ok=True)
        with _node(folder, given) as node:
            with opened(config.load(node.home, {}), secret=PASSWORD if given.on == "sqlite" else None):
                _fill(folder / "filled", given)
                people.warm(db.engine)
                gc.collect()
                gc.freeze()  # as a server does when it has started (aidvisit/cli/home.py)
                with reading() as conn:
                    asked = kinds(conn, given.queries)
                    for typed, filters in (one for each in asked.values() for one in each[:WARMS]):
                        search(conn, typed, filters=filters)
                    _in_the_database(conn, asked)
                    if given.plans:
                        _plans(conn, asked)
            if not given.no_http:
                _over_http(node, asked, LEADER if given.on == "sqlite" else OFFICE)
    return 0


def _fill(done: Path, given: Namespace) -> None:
    if done.exists():
        return
    started = time.monotonic()
    with transaction() as conn:
        people.fill(conn, given.households)
    people.settle(db.engine)
    took = time.monotonic() - started
    print(f"{given.households:,} households, {given.on}; filled in {took:.0f} s")
    done.touch()


@contextmanager
def _node(folder: Path, given: Namespace) -> Iterator[Node]:
    """An encrypted laptop, or a centre on PostgreSQL, that nobody runs yet."""
    if given.on == "sqlite":
        if not (folder / "field").exists():
            set_up(folder)
        yield Node(folder / "field", "field")
        return
    with kept.database(folder, keep=given.keep is not None) as url:
        made = (folder / "central").exists()
        yield Node(folder / "central", "central", database_url=url) if made else Centre(folder / "central", url)


def kinds(conn: Connection, number: int) -> Mapping[str, Sequence[Asked]]:
    """By kind, what is asked: names and numbers of people who are there, and others by the same frequencies."""
    chance = random.Random(7)
    names = [people.name(chance) for _ in range(number)]
    last = conn.execute(select(HouseholdSearch.n).order_by(HouseholdSearch.n.desc()).limit(1)).scalar_one()
    some = HouseholdSearch.n.in_([chance.randrange(1, last + 1) for _ in range(number)])
    there = conn.execute(
        select(Household.head_name, Household.head_phone, Household.head_id_number, HouseholdSearch.division)
        .join(HouseholdSearch, HouseholdSearch.household == Household.id)
        .where(some)
    ).all()
    members = conn.execute(select(Member.name).limit(number)).scalars().all()
    phones = [one.head_phone for one in there if one.head_phone]
    documents = [one.head_id_number for one in there if one.head_id_number]
    places = [one.division for one in there]
    spelled = [han.readings(name)[0] for name in names]
    made: dict[str, list[Asked]] = {
        "a surname": [(name[0], NONE) for name in names],
        "a character of given names": [(name[-1], NONE) for name in names],
        "two characters": [(name[:2], NONE) for name in names],
        "a whole name that is there": [(one.head_name, NONE) for one in there],
        "a member's name": [(name, NONE) for name in members],
        "a letter": [(chance.choice(LETTERS), NONE) for _ in names],
        "two letters": [("".join(each)[:2], NONE) for each in spelled],
        "initials": [("".join(one[0] for one in each), NONE) for each in spelled],
        "pinyin, five letters": [("".join(each)[:5], NONE) for each in spelled],
        "pinyin, whole": [("".join(each), NONE) for each in spelled],
        "surname and initials (chenms)": [(each[0] + "".join(one[0] for one in each[1:]), NONE) for each in spelled],
        "a surname and a character": [(f"{name[0]} {other[-1]}", NONE) for name, other in _pairs(names)],
        "two common characters, rarely together": [(f"{name[-1]} {other[-1]}", NONE) for name, other in _pairs(names)],
        "a phone": [(phone, NONE) for phone in phones],
        "a phone's first 6": [(phone[:6], NONE) for phone in phones],
        "4 digits": [(phone[-4:], NONE) for phone in phones],
        "an ID number": [(number_, NONE) for number_ in documents],
        "nothing there": [(chance.choice(("龘靐", "qqqqq", "19999999999", "赑屃 王")), NONE) for _ in names],
        "a surname, category": [(name[0], Filters(category=chance.choice(people.CATEGORIES))) for name in names],
        "a character, in a town": [
            (name[-1], Filters(place=place[:9])) for name, place in zip(names, places, strict=False)
        ],
        "a surname, not served for 2 years": [(name[0], Filters(not_served_since="2019-01-01")) for name in names],
        "a surname, long not served nor visited": [
            (name[0], Filters(not_served_since="2015-02-01", not_visited_since="2015-02-01")) for name in names
        ],
        "a town, not served for 2 years": [
            ("", Filters(place=place[:9], not_served_since="2019-01-01")) for place in places
        ],
    }
    return made


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(names, reversed(names), strict=True)


def _in_the_database(conn: Connection, asked: Mapping[str, Sequence[Asked]]) -> None:
    one = conn.execute(select(Household.id).limit(1)).scalar_one()
    by_id = select(Household.__table__).where(Household.id == one)
    floor = _measured([partial(lambda: conn.execute(by_id).all()) for _ in range(300)])
    print(f"\nin the database: ≤ {IN_THE_DATABASE_MS} ms, floor {floor[0]:.2f} ms (a household by its id)")
    _table(
        {kind: [partial(_asked, conn, typed, filters) for typed, filters in each] for kind, each in asked.items()},
        floor[0],
        IN_THE_DATABASE_MS,
    )


def _asked(conn: Connection, typed: str, filters: Filters) -> None:
    """As by a page of its own: what one page reads once is read."""
    conn.info.pop("once", None)
    search(conn, typed, filters=filters)


def _over_http(node: Node, asked: Mapping[str, Sequence[Asked]], login: str) -> None:
    """The part of the page that the box fetches, by somebody who is signed in."""
    node.start()
    try:
        with requests.Session() as session:
            token = TOKEN.search(session.get(f"{node.url}/sign-in").text)
            assert token
            form = {"csrf_token": token[1], "login": login, "password": PASSWORD, "next": "/search"}
            token = TOKEN.search(session.post(f"{node.url}/sign-in", data=form).text)
            assert token

            def ask(typed: str, filters: Filters) -> None:
                named = {name: getattr(filters, name) or "" for name in Filters.__slots__}
                form = {"csrf_token": token[1], "q": typed, "part": "1", **named}
                answer = session.post(f"{node.url}/search", data=form)
                assert answer.status_code == 200, answer.text

            floor = _measured([partial(ask, "", NONE) for _ in range(100)])
            print(f"\nover HTTP: ≤ {OVER_HTTP_MS} ms, floor {floor[0]:.1f} ms (asked for nothing)")
            works = {kind: [partial(ask, *one) for one in each] for kind, each in asked.items()}
            _table(works, floor[0], OVER_HTTP_MS)
    finally:
        node.stop()


def _table(works: Mapping[str, Sequence[Callable[[], object]]], floor: float, bound: float) -> None:
    print(f"{'':42}{'p50':>8}{'p99':>8}{'max':>8}{'p50 / floor':>13}")
    for kind, each in works.items():
        p50, p99, worst = _measured(each)
        print(
            f"{kind:42}{p50:8.2f}{p99:8.2f}{worst:8.2f}{p50 / floor:12.1f}×  {'' if p99 <= bound else 'OVER'}",
            flush=True,
        )


def _measured(works: Sequence[Callable[[], object]]) -> tuple[float, float, float]:
    """p50, p99 and the worst in milliseconds, after one that warms up."""
    works[0]()
    times = sorted(map(timed_ms, works))
    return times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)], times[-1]


def _plans(conn: Connection, asked: Mapping[str, Sequence[Asked]]) -> None:
    """How the database goes about the statements of one query of each kind that has other ones."""
    explain = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN (ANALYZE, BUFFERS) "
    seen: set[str] = set()
    run = hits.run

    def explained(conn: Connection, statement: str, values: Sequence[object]) -> list[hits.Hit]:
        if statement not in seen:
            seen.add(statement)
            print(f"\n{statement}")
            for row in conn.exec_driver_sql(explain + hits._marked(conn, statement), tuple(values)):
                print(f"    {row[-1]}")
        return run(conn, statement, values)

    hits.run = explained
    try:
        for each in asked.values():
            typed, filters = each[0]
            search(conn, typed, filters=filters)
    finally:
        hits.run = run


if __name__ == "__main__":
    sys.exit(main())
