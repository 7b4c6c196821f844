"""杏花村: a village that is nowhere, eight households that are nobody, and a trip to them that begins today."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from aidvisit.demo.signature import signature
from aidvisit.services import account, catalog, delivery, household, stock
from aidvisit.services import trip as trips
from aidvisit.services.practice import People
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from sync import clock
from sync.op import uuid7

DIVISIONS = (
    ("99", "练习省"),
    ("9999", "练习市"),
    ("999901", "练习县"),
    ("999901001", "桃源镇"),
    ("999901001001", "杏花村民委员会"),
)
VILLAGE = DIVISIONS[-1][0]
HOUSEHOLDS = (
    ("一组", "何有田", 4, "dibao"),
    ("一组", "梁桂香", 1, "elder_alone"),
    ("一组", "冯水生", 2, "dibao"),
    ("一组", "程大山", 5, "dibao"),
    ("二组", "陆秋菊", 3, "single_mother"),
    ("二组", "石满仓", 2, "tekun"),
    ("二组", "温玉兰", 1, "elder_80"),
    ("二组", "闵小河", 6, "dibao"),
)
FIND, AWAY, MEND = "何有田", "冯水生", "陆秋菊"
LARGE = 4
"""From so many people on a household gets a second bag of rice."""
LOADED = {"rice": 12, "oil": 9}
DAYS = 14
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Town:
    """Ids of the team and of whoever practises."""

    team: str
    user: str


def town(actor: str, login: str, password: str) -> Town:
    """The catalogue, the place, one team with one person. At the centre."""
    catalog.seed(actor=actor, around=VILLAGE)
    with transaction() as conn:
        facts = (catalog.division_fact({"code": code, "name": name}) for code, name in DIVISIONS)
        ledger.record(conn, actor, *facts)
    team = account.add_team(actor=actor, name="练习队", divisions=[VILLAGE[:9]])
    user = account.add_user(actor=actor, login=login, name="学员", role="leader", team=team, password=password)
    return Town(team, user)


def trip(actor: str, town: Town, laptop: str) -> People:
    """Eight households, what they are to get, the truck, released to the laptop. At the centre."""
    today = clock.wall().astimezone(ZONE).date()
    trip_id, starts, ends = uuid7(), today.isoformat(), (today + timedelta(days=DAYS - 1)).isoformat()
    ids = {name: uuid7() for _, name, _, _ in HOUSEHOLDS}
    trips.plan(
        actor=town.user, trip=trip_id, title="杏花村困难家庭慰问(练习)", starts=starts, ends=ends, team=town.team,
        divisions=[VILLAGE],
    )  # fmt: skip
    for group, name, size, category in HOUSEHOLDS:
        body = {"kind": "household", "head": {"name": name}, "division": VILLAGE, "group": group, "size": size}
        household.register(actor=town.user, household=ids[name], body={**body, "categories": [{"code": category}]})
    lines = [
        (ids[name], item, quantity)
        for _, name, size, _ in HOUSEHOLDS
        for item, quantity in (("rice", 2 if size >= LARGE else 1), ("oil", 1))
    ]
    trips.allocate(actor=town.user, trip=trip_id, lines=lines)
    stock.load(actor=town.user, trip=trip_id, date=starts, lines=LOADED)
    with transaction() as conn:
        ledger.record(conn, actor, trips.released_fact(trip_id, {laptop: []}))
    names = {"find": FIND, "away": AWAY, "mend": MEND}
    return People(trip_id, starts, ends, ids[FIND], ids[AWAY], ids[MEND], names)


def mistake(actor: str, people: People) -> None:
    """The oil was forgotten in a record of this morning: somebody mends it. On the laptop."""
    blob = signature(random.Random(1))  # noqa: S311 - a drawing
    delivery.record_delivery(
        actor=actor, delivery=uuid7(), household=people.mend, trip=people.trip, date=people.starts, lines={"rice": 1},
        received_by={"as": "head", "name": MEND}, blobs=[blob], handed_by=[actor],
        proofs=[{"as": "signature", "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}],
    )  # fmt: skip
