"""What real teams leave behind, for eyes on the pages: half a day of goods, a whole day of cash, and the odd ones.

By the services that the pages call; every name is of the sample list or made up.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from aidvisit.demo.signature import signature
from aidvisit.domain.facts.delivery import RULES
from aidvisit.services import catalog, custody, delivery, household, stock, trip, visit
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.account import user_by_login
from aidvisit.store.queries.catalog import definition
from aidvisit.store.queries.trip import ListedHousehold, today
from sync.op import uuid7
from tests.support.nodes import DAY, LEADER, TOWN, Pair

VILLAGE = f"{TOWN}207"
CASH_DAY = "2020-12-28"
CADRE = {"name": "廖满仓", "role": "村委委员"}
PRICES = {"rice": 5990, "oil": 6500, "nuts": 2850}
DONE, MOVED, KEPT, AWAY, PROXIES, UNSIGNED, VOIDED, CORRECTED = 24, 5, 12, 6, (3, 14), 17, 20, 2
NUMBER = "11010519491231002X"


def tell(pair: Pair) -> dict[str, str]:
    """Both nodes know all of it; ids of what a page may be about, by name."""
    with pair.field.inside() as laptop:
        pass
    with pair.centre.inside() as device:
        _prices(device)
        cash, second = _cash_trip(device, pair.trip), _second_trip(device, pair.trip)
        with transaction() as conn:
            ledger.record(conn, device, trip.released_fact(cash, {laptop: []}))
        _twins(device)
    pair.field.command("sync")
    with pair.field.inside():
        _cash(cash)
        told = _half_a_day(pair.trip)
        household.update(actor=_luo(), household=told["todo"], set_={"address": "新村二排 6 号"})
    with pair.centre.inside() as device:
        household.update(actor=device, household=told["todo"], set_={"address": "镇上敬老院隔壁"})
    pair.field.command("sync")
    return told | {"cash": cash, "second": second}


def listed(trip_id: str) -> list[ListedHousehold]:
    """Of the node whose context is open."""
    with reading() as conn:
        return today(conn, trip_id).households


def _prices(device: str) -> None:
    for code, value in PRICES.items():
        with reading() as conn:
            before = definition(conn, "item", code)
        assert before is not None
        catalog.define("item", {**before.body, "value_fen": value}, actor=device, seen=before.seen)


def _cash_trip(device: str, like: str) -> str:
    """300 yuan for each household of the list, 500 from five people on."""
    identity = uuid7()
    with reading() as conn:
        leader = user_by_login(conn, LEADER)
    assert leader is not None
    trip.plan(
        actor=device, trip=identity, title="大玉口镇民强村元旦慰问金发放", starts=CASH_DAY, ends=CASH_DAY,
        team=leader.team, divisions=[VILLAGE],
    )  # fmt: skip
    lines = [(one.id, "cash", 50_000 if number % 5 == 0 else 30_000) for number, one in enumerate(listed(like))]
    trip.allocate(actor=device, trip=identity, lines=lines)
    stock.load(actor=device, trip=identity, date=CASH_DAY, lines={"cash": sum(fen for _, _, fen in lines)})
    return identity


def _second_trip(device: str, like: str) -> str:
    """Planned for the day after, for some of the same households: seen as an overlap, not locked yet."""
    identity = uuid7()
    with reading() as conn:
        leader = user_by_login(conn, LEADER)
    assert leader is not None
    trip.plan(
        actor=device, trip=identity, title="民强村春节前补发", starts="2020-12-31", ends="2021-01-02",
        team=leader.team, divisions=[VILLAGE],
    )  # fmt: skip
    lines = [(one.id, "rice", 1 + number % 2) for number, one in enumerate(listed(like)[20:])]
    trip.allocate(actor=device, trip=identity, lines=lines)
    return identity


def _twins(device: str) -> None:
    """Two households, each registered twice."""
    for number, name in enumerate(["覃来回", "覃来回", "莫往返", "莫往反"]):
        head = {"name": name, "born": "1950-03-04"} | ({"id_number": NUMBER} if name == "覃来回" else {})
        body = {
            "kind": "household", "head": head, "division": VILLAGE, "group": f"{number}组", "size": 2,
            "categories": [{"code": "dibao"}], "members": [{"id": uuid7(), "name": f"覃小{number}"}],
        }  # fmt: skip
        household.register(actor=device, household=uuid7(), body=body)


def _luo() -> str:
    with reading() as conn:
        found = user_by_login(conn, LEADER)
    assert found is not None
    return found.id


def _cash(identity: str) -> None:
    actor, chance = _luo(), random.Random(28)
    for number, one in enumerate(listed(identity)):
        if number in (8, 30):
            _away(actor, one, identity, CASH_DAY, "not-home")
            continue
        method = "transfer" if number % 11 == 4 else "cash"
        goods = {each.item: each.quantity for each in one.allotted}
        _give(chance, actor, one, identity, CASH_DAY, goods, method=method)


def _half_a_day(identity: str) -> dict[str, str]:
    actor, chance, everybody = _luo(), random.Random(30), listed(identity)
    deliveries = dict[int, str]()
    for number, one in enumerate(everybody[:DONE]):
        goods = {each.item: each.quantity for each in one.allotted}
        if number == AWAY:
            _away(actor, one, identity, DAY, "not-home", "邻居说下午四点后回来")
        elif number == MOVED:
            _away(actor, one, identity, DAY, "moved")
        elif number == KEPT:
            blob = signature(chance)
            custody.leave(
                actor=actor, visit=uuid7(), household=one.id, trip=identity, date=DAY, outcome="in-hospital",
                keeper={"name": "廖满仓", "relation": "村委委员"}, lines=goods,
                proofs=[_drawn(blob)], blobs=[blob], note="去镇卫生院复诊",
            )  # fmt: skip
        else:
            deliveries[number] = _odd(chance, actor, one, identity, goods, number)
    return {
        "todo": everybody[DONE].id, "kept": everybody[KEPT].id, "corrected": everybody[CORRECTED].id,
        "done": everybody[0].id, "delivery": deliveries[0], "new": _walk_in(chance, actor, identity),
    }  # fmt: skip


def _odd(
    chance: random.Random, actor: str, one: ListedHousehold, identity: str, goods: dict[str, int], number: int
) -> str:
    proxy = {"as": "proxy", "name": "苏晓禾", "relation": "邻居", "id_last4": "123X"} if number in PROXIES else None
    unsigned = [{"as": "none", "reason": "老人不会写字,村委廖满仓在场"}] if number == UNSIGNED else None
    first = _give(chance, actor, one, identity, DAY, goods, received_by=proxy, proofs=unsigned)
    if number == VOIDED:
        delivery.void(actor=actor, household=one.id, delivery=first, reason="记错了户,隔壁才是")
    if number == CORRECTED:
        _give(chance, actor, one, identity, DAY, {**goods, "oil": goods.get("oil", 0) + 1}, replaces=first)
    return first


def _walk_in(chance: random.Random, actor: str, identity: str) -> str:
    body = {
        "kind": "household", "head": {"name": "谭新来"}, "division": VILLAGE, "group": "一组", "size": 3,
        "categories": [{"code": "dibao"}],
    }  # fmt: skip
    new = uuid7()
    household.register(actor=actor, household=new, body=body)
    blob = signature(chance)
    delivery.record_delivery(
        actor=actor, delivery=uuid7(), household=new, trip=identity, date=DAY, lines={"oil": 1},
        received_by={"as": "head", "name": "谭新来"}, proofs=[_drawn(blob)], blobs=[blob], handed_by=[actor],
        witness=CADRE, reasons=dict.fromkeys(RULES, "刚搬回来,村委证明困难"),
    )  # fmt: skip
    return new


def _away(actor: str, one: ListedHousehold, identity: str, date: str, outcome: str, note: str | None = None) -> None:
    visit.record_visit(
        actor=actor, visit=uuid7(), household=one.id, trip=identity, date=date, outcome=outcome,
        purposes=["distribution"], note=note,
    )  # fmt: skip


def _drawn(blob: tuple[str, str, bytes]) -> dict[str, Any]:
    return {"as": "signature", "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}


def _give(
    chance: random.Random,
    actor: str,
    one: ListedHousehold,
    identity: str,
    date: str,
    goods: Mapping[str, int],
    *,
    received_by: Mapping[str, str] | None = None,
    proofs: list[dict[str, Any]] | None = None,
    method: str | None = None,
    replaces: str | None = None,
) -> str:
    blob, new = signature(chance), uuid7()
    delivery.record_delivery(
        actor=actor, delivery=new, household=one.id, trip=identity, date=date, lines=goods,
        received_by=received_by or {"as": "head", "name": one.name}, proofs=proofs or [_drawn(blob)],
        blobs=[] if proofs else [blob], handed_by=[actor], witness=CADRE, method=method, replaces=replaces,
        reasons=dict.fromkeys(RULES, "队长同意照发,家里六口人"),
    )  # fmt: skip
    return new
