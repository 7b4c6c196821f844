"""The demo's made-up people and goods, all by the services that a person would use.

30 December 2020 in 民强村, half done. Nine days before, the second team was in 民进村 next door: one bag of rice
did not come back, and another went to a household of 民强村 that was given rice again today.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from importlib.resources import as_file, files
from typing import Any

from aidvisit.demo.signature import signature
from aidvisit.domain.facts.delivery import RULES
from aidvisit.services import account, delivery, household, stock, trip, visit
from aidvisit.services.import_ import import_sheet
from aidvisit.store.database import reading
from aidvisit.store.queries.account import user_by_login
from aidvisit.store.queries.trip import ListedHousehold, today
from sync.op import uuid7

PASSWORD = "demo-2020"  # noqa: S105 - shown on the screen, of a home that is thrown away
SHEET = "minqiang-2020-12-30.xlsx"
TOWN, VILLAGE, NEXT_VILLAGE = "441225112", "441225112207", "441225112208"
SPRING, EARLIER, DAY = "2020-01-16", "2020-12-21", "2020-12-30"
VISITED = 23
AWAY = {6: ("not-home", "邻居说下午四点后回来"), 12: ("in-hospital", "去镇卫生院复诊")}
TWICE = 9  # 黄彩琼 of 二队
LOADED = {"rice": 43, "oil": 35, "nuts": 34}
ADMIN, LEADER = "office", "luo"
PEOPLE = (
    (LEADER, "罗春和", "leader", "慰问一队"),
    ("li", "黎安和", "leader", "慰问二队"),
    (ADMIN, "邓若谷", "admin", "办公室"),
)
CADRE = {"name": "廖满仓", "role": "村委委员"}
NEIGHBOURS = (
    ("一组", "莫德厚", 2, "dibao"),
    ("一组", "蓝水妹", 1, "elder_alone"),
    ("二组", "覃桂香", 2, "elder_80"),
    ("二组", "邬素云", 4, "single_mother"),
    ("三组", "陶安石", 1, "tekun"),
)


def teams(actor: str) -> dict[str, str]:
    """The office and two teams; name → id. At the centre."""
    return {
        "办公室": account.add_team(actor=actor, name="办公室", level=1),
        "慰问一队": account.add_team(actor=actor, name="慰问一队", divisions=[TOWN]),
        "慰问二队": account.add_team(actor=actor, name="慰问二队", level=2, divisions=[TOWN[:6]]),
    }


def people(actor: str, teams: Mapping[str, str]) -> None:
    """One person for each team. At the centre."""
    for login, name, role, team in PEOPLE:
        account.add_user(actor=actor, login=login, name=name, role=role, team=teams[team], password=PASSWORD)


def list_and_spring(actor: str) -> tuple[str, ListedHousehold]:
    """The list of 民强村 becomes a trip, and last spring is typed from paper. At the centre.

    The trip's id, and the household that the second team has been to as well.
    """
    with as_file(files("aidvisit").joinpath("data", SHEET)) as path:
        imported = import_sheet(path, actor=actor)
    assert imported.trip is not None
    trip_id: str = imported.trip["id"]
    stock.load(actor=actor, trip=trip_id, date=DAY, lines=LOADED, slip="CK-2012-031")
    households = _listed(trip_id)
    for row, listed in enumerate(households[1::2], start=1):
        delivery.record_delivery(
            actor=actor,
            delivery=uuid7(),
            household=listed.id,
            trip=None,
            date=SPRING,
            lines={"rice": 2, "oil": 1},
            received_by={"as": "head", "name": listed.name},
            proofs=[{"as": "paper", "page": 1, "row": row}],
            from_=stock.MAIN,
            witness=CADRE,
            reasons=dict.fromkeys(RULES, "按纸质签领表补录"),
        )
    return trip_id, households[TWICE]


def next_village(team: str, also: ListedHousehold) -> None:
    """The second team's trip to 民进村, finished: a bag of rice is missing. On its laptop."""
    actor = _user("li")
    households = {uuid7(): each for each in NEIGHBOURS}
    trip_id = uuid7()
    trip.plan(
        actor=actor,
        trip=trip_id,
        title="大玉口镇民进村困难家庭慰问物资发放",
        starts=EARLIER,
        ends=EARLIER,
        team=team,
        divisions=[NEXT_VILLAGE],
    )
    for identity, (group, name, size, category) in households.items():
        body: dict[str, Any] = {"kind": "household", "head": {"name": name}, "division": NEXT_VILLAGE}
        body |= {"group": group, "size": size, "categories": [{"code": category}]}
        household.register(actor=actor, household=identity, body=body)
    goods = {"rice": 1, "oil": 1, "nuts": 1}
    lines = [(identity, item, quantity) for identity in households for item, quantity in goods.items()]
    trip.allocate(actor=actor, trip=trip_id, lines=lines)
    stock.load(actor=actor, trip=trip_id, date=EARLIER, lines={"rice": 8, "oil": 5, "nuts": 5}, slip="CK-2012-022")
    chance = random.Random(21)
    for identity, (_, name, _, _) in households.items():
        _deliver(chance, actor, identity, name, trip_id, EARLIER, goods)
    stock.return_(actor=actor, trip=trip_id, date=EARLIER, lines={"rice": 1}, slip="TK-2012-022")
    reason = "顺路,家里已断粮,村委请求先给一袋"
    _deliver(chance, actor, also.id, also.name, trip_id, EARLIER, {"rice": 1}, reason)
    stock.count(actor=actor, trip=trip_id, date=EARLIER, counted=dict.fromkeys(goods, 0))


def half_a_day(trip_id: str) -> None:
    """21 of 34 households are done and two were away. On the first team's laptop."""
    actor, chance = _user("luo"), random.Random(30)
    for index, listed in enumerate(_listed(trip_id)[:VISITED]):
        if index in AWAY:
            outcome, note = AWAY[index]
            visit.record_visit(
                actor=actor,
                visit=uuid7(),
                household=listed.id,
                trip=trip_id,
                date=DAY,
                outcome=outcome,
                purposes=["distribution"],
                note=note,
            )
            continue
        goods = {quantity.item: quantity.quantity for quantity in listed.allotted}
        reason = "全家六口,上次只给了一袋,队长同意照发"
        _deliver(chance, actor, listed.id, listed.name, trip_id, DAY, goods, reason)


def _deliver(
    chance: random.Random,
    actor: str,
    household_id: str,
    name: str,
    trip_id: str,
    date: str,
    goods: dict[str, int],
    reason: str = "",
) -> None:
    blob = signature(chance)
    delivery.record_delivery(
        actor=actor,
        delivery=uuid7(),
        household=household_id,
        trip=trip_id,
        date=date,
        lines=goods,
        received_by={"as": "head", "name": name},
        proofs=[{"as": "signature", "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}],
        blobs=[blob],
        handed_by=[actor],
        witness=CADRE,
        reasons=dict.fromkeys(RULES, reason),
    )


def _listed(trip_id: str) -> list[ListedHousehold]:
    with reading() as conn:
        return today(conn, trip_id).households


def _user(login: str) -> str:
    with reading() as conn:
        found = user_by_login(conn, login)
    assert found is not None
    return found.id
