"""A year of an office's work, for eyes on its pages: towns, donors, trips, closed months, and everything that is odd.

By the services that the pages call, at a clock of its own; every name is made up. A few hundred households are as many
as a county's town office has, and more than any page shows at once.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from aidvisit import config
from aidvisit.cli.home import opened
from aidvisit.demo.signature import signature
from aidvisit.domain.facts.delivery import RULES
from aidvisit.domain.rights import EVERYTHING
from aidvisit.services import (
    account,
    catalog,
    custody,
    delivery,
    period,
    stock,
    trip,
    visit,
)
from aidvisit.services.device import enrolment_codes
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.catalog import definition
from aidvisit.store.tables import Division
from sync import clock, identity, server
from sync.op import uuid7
from tests.e2e import office_odd
from tests.support.centre import PASSWORD
from tests.support.pages import InProcess

COUNTY, TOWNS = "441225", ("441225112", "441225101")
EACH_VILLAGE, VILLAGES = 26, 6
SURNAMES = "黄陈莫梁李廖覃苏罗邓欧阳谭黎植侯孔岑聂"
GIVEN = "明生水妹桂香德厚素云安石春和秀英建国玉兰亚娣火养观凤金带木荣"
GROUPS = ("一组", "二组", "三组", "新村组", "石角自然村第四村民小组")
CATEGORIES = (
    "dibao",
    "dibao_edge",
    "tekun",
    "elder_alone",
    "elder_80",
    "disabled",
    "single_mother",
    "poverty_monitored",
)
PRICES = {"rice": 5990, "oil": 6500, "nuts": 2850, "quilt": 16800}
DONORS = {"yirui": "肇庆市义瑞慈善基金会", "liangyou": "封开县粮油购销有限公司大玉口分公司"}
CADRE = {"name": "廖满仓", "role": "村委委员"}
PEOPLE = (("luo", "罗春和", "leader"), ("li", "黎安和", "leader"), ("chen", "陈书仪", "volunteer"))


class Calendar:
    """The clock of the scene: it goes on with everything that is recorded, and can be set to a later day."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.now = datetime(today.year - 1, today.month, 1, 1, tzinfo=UTC)

    def wall(self) -> datetime:
        self.now += timedelta(milliseconds=20)
        return self.now

    def set(self, day: date, hour: int = 1) -> str:
        """Morning of a day (UTC), if that is later than now."""
        self.now = max(self.now, datetime(day.year, day.month, day.day, hour, tzinfo=UTC))
        return day.isoformat()

    def minutes(self, count: float) -> None:
        self.now += timedelta(minutes=count)


def tell(home: Path, today: date | None = None) -> dict[str, str]:
    """A new centre in `home` with all of it; ids of what a page may be about, by name."""
    calendar = Calendar(today or datetime.now(UTC).date())
    with patch.object(clock, "wall", calendar.wall), opened(config.write(home, role="central")) as app:
        with transaction() as conn:
            own = server.set_up(conn, name="办公室", now=clock.wall())
        office = Office(calendar, own, InProcess(app))
        office.year()
        office_odd.tell(office)
    return office.ids


class Office:
    """The centre as it is filled: its people, its households by village, and what stands where."""

    def __init__(self, calendar: Calendar, own: str, line: InProcess) -> None:
        self.calendar, self.own, self.line, self.chance = calendar, own, line, random.Random(7)
        self.towns = TOWNS
        self.homes: dict[str, list[tuple[str, str]]] = {}
        self.ids: dict[str, str] = {}

    def year(self) -> None:
        self._start()
        self._households()
        self._goods()
        today = self.calendar.today
        for number, before in enumerate((330, 300, 240, 210, 150, 95, 66, 40, 21, 9)):
            town = TOWNS[number % 2]
            village = self.villages(town)[number // 2 % VILLAGES]
            whole = self.trip(number, town, village, today - timedelta(days=before))
            if number < 8:
                self._settle_and_close(whole)
            if number in (5, 7):
                self._close_month(today - timedelta(days=before - 32))
        self._late()
        self._plan_next()

    # --- who and where ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        catalog.seed(actor=self.own, around=COUNTY)
        head = self.head = account.add_team(actor=self.own, name="封开县慰问办公室", level=1)
        self.admin = account.add_user(
            actor=self.own,
            login="admin",
            name="邓若谷",
            role="admin",
            team=head,
            password=PASSWORD,
            phone="0758-6688001",
        )
        clerk = {"actor": self.own, "role": "office", "team": head, "password": PASSWORD}
        self.clerk = account.add_user(login="mo", name="莫知远", phone="13900002222", **clerk)
        account.add_user(login="su", name="苏晓禾", **{**clerk, "role": "auditor"})
        self.teams = [
            account.add_team(actor=self.own, name=name, divisions=[town])
            for name, town in (("慰问一队", TOWNS[0]), ("慰问二队(江川镇志愿服务中心)", TOWNS[1]))
        ]
        self.users = [
            account.add_user(actor=self.own, login=login, name=name, role=role, team=self.teams[number % 2],
                             password=PASSWORD, phone=f"1390000{1111 + number}")
            for number, (login, name, role) in enumerate(PEOPLE)
        ]  # fmt: skip
        self.devices = []
        for number in range(6):
            code = enrolment_codes(actor=self.own, team=self.teams[number % 2])[0].code
            asked = {"name": f"{number + 3} 号笔记本", "public_key": identity.KeyPair.generate().public, "code": code}
            self.devices.append(str(self.line.call("enrol", asked, None).document["device"]))

    def villages(self, town: str) -> list[str]:
        with reading() as conn:
            of_town = sa.select(Division.code).where(Division.code.between(f"{town}200", f"{town}999"))
            return list(conn.execute(of_town.order_by(Division.code).limit(VILLAGES)).scalars())

    def _households(self) -> None:
        for town in TOWNS:
            for village in self.villages(town):
                facts = [self._household(village, number) for number in range(EACH_VILLAGE)]
                with transaction() as conn:
                    ledger.record(conn, self.own, *facts)

    def _household(self, village: str, number: int) -> Fact:
        chance, new = self.chance, uuid7()
        name = chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=2))
        size = chance.randint(1, 6)
        members = [{"id": uuid7(), "name": name[0] + "".join(chance.choices(GIVEN, k=2)), "relation": "家庭成员"}
                   for _ in range(size - 1)]  # fmt: skip
        body: dict[str, Any] = {
            "kind": "household", "head": {"name": name, "phone": f"138{chance.randrange(10**8):08d}",
                                          "born": f"{1935 + number}-03-0{number % 9 + 1}"},
            "division": village, "group": GROUPS[number % len(GROUPS)], "size": size,
            "address": f"新村 {number + 1} 号",
            "categories": [{"code": one} for one in chance.sample(CATEGORIES, 1 + number % 2)], "members": members,
        }  # fmt: skip
        if number == EACH_VILLAGE - 1:
            body = {"kind": "institution", "name": "中心小学", "head": {"name": name}, "division": village, "size": 120,
                    "categories": []}  # fmt: skip
        self.homes.setdefault(village, []).append((new, body.get("name", name)))
        return Fact(village[:9], "household.registered", new, body)

    def _goods(self) -> None:
        for code, value in PRICES.items():
            with reading() as conn:
                before = definition(conn, "item", code)
            assert before is not None
            catalog.define("item", {**before.body, "value_fen": value}, actor=self.own, seen=before.seen)
        for code, name in DONORS.items():
            catalog.define("place", {"code": code, "name": name, "kind": "donor"}, actor=self.own)
        catalog.define("place", {"code": "relief", "name": "春节慰问专款", "kind": "fund"}, actor=self.own)
        day = self.calendar.set(self.calendar.today - timedelta(days=340))
        for donor, item, quantity, lot in (
            ("yirui", "rice", 900, "2025-冬-01"), ("liangyou", "oil", 600, "LY-0311-压榨一级花生油"),
            ("yirui", "nuts", 400, "2025-冬-02"), ("liangyou", "quilt", 60, "B-7"),
        ):  # fmt: skip
            line = {"item": item, "quantity": quantity, "lot": lot, "value_fen": PRICES[item]}
            stock.receive(actor=self.own, from_=f"donor:{donor}", to=stock.MAIN, date=day, lines=[line])

    # --- trips -----------------------------------------------------------------------------------------------

    def trip(self, number: int, town: str, village: str, day: date) -> str:
        """A trip to a village and the one beside it, and what became of it. Its id."""
        new, on, team = uuid7(), self.calendar.set(day), TOWNS.index(town)
        actor, name = self.users[team], village_name(village)
        beside = self.villages(town)[(self.villages(town).index(village) + 1) % VILLAGES]
        homes = [*self.homes[village], *self.homes[beside][:8]]
        trip.plan(
            actor=self.own, trip=new, title=f"{name}{'冬季' if number % 2 else '端午'}走访慰问(第 {number + 1} 批)",
            starts=on, ends=(day + timedelta(days=number % 2)).isoformat(), team=self.teams[team],
            divisions=[village, beside], tour=f"{day.year} 年走访慰问",
        )  # fmt: skip
        goods = {home: self._goods_for(place) for place, (home, _) in enumerate(homes)}
        trip.allocate(actor=self.own, trip=new, lines=[(h, i, q) for h, each in goods.items() for i, q in each.items()])
        whole: dict[str, int] = {}
        for each in goods.values():
            for item, quantity in each.items():
                whole[item] = whole.get(item, 0) + quantity
        devices = {one: [] for one in self.devices[team::2][: 1 + number % 2]}
        with transaction() as conn:
            ledger.record(conn, self.own, trip.released_fact(new, devices))
        loaded = {item: quantity + (3 if item == "rice" else 0) for item, quantity in whole.items()}
        stock.load(actor=actor, trip=new, date=on, lines=loaded)
        given = dict.fromkeys(loaded, 0)
        for place, (home, who) in enumerate(homes):
            self.calendar.minutes(6)
            if place % 13 == 6:
                visit.record_visit(actor=actor, visit=uuid7(), household=home, trip=new, date=on, outcome="not-home",
                                   purposes=["distribution"], note="邻居说下午四点后回来")  # fmt: skip
            elif place == 11 and number % 3 == 0:
                self._keep(actor, home, new, on, goods[home])
                for item, quantity in goods[home].items():
                    given[item] += quantity
            else:
                self.give(actor, home, who, new, on, goods[home])
                for item, quantity in goods[home].items():
                    given[item] += quantity
        stock.report_loss(actor=actor, trip=new, date=on, lines={"oil": 1}, reason="路上颠破一桶")
        left = {item: loaded[item] - given[item] - (1 if item in ("rice", "oil") else 0) for item in loaded}
        stock.return_(actor=actor, trip=new, date=on, lines={item: count for item, count in left.items() if count > 0})
        stock.count(actor=actor, trip=new, date=on, counted=dict.fromkeys(loaded, 0))
        self.ids |= {"trip": new, "village": village, "town": town, "household": homes[0][0], "team": self.teams[team]}
        return new

    def _goods_for(self, place: int) -> dict[str, int]:
        goods = {"rice": 1 + place % 2, "oil": 1}
        if place % 4 == 0:
            goods["nuts"] = 1
        if place % 9 == 0:
            goods["cash"] = 30_000
        return goods

    def give(
        self, actor: str, home: str, who: str, on_trip: str | None, on: str, goods: Mapping[str, int], **more: Any
    ) -> str:
        blob, new = signature(self.chance), uuid7()
        drawn = {"as": "signature", "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}
        asked = {
            "received_by": {"as": "head", "name": who}, "proofs": [drawn], "blobs": [blob], "handed_by": [actor],
            "witness": CADRE, "reasons": dict.fromkeys(RULES, "队长同意照发,家里六口人"),
        }  # fmt: skip
        delivery.record_delivery(
            actor=actor, delivery=new, household=home, trip=on_trip, date=on, lines=goods, **{**asked, **more}
        )
        return new

    def _keep(self, actor: str, home: str, on_trip: str, on: str, goods: Mapping[str, int]) -> None:
        blob = signature(self.chance)
        drawn = {"as": "signature", "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}
        custody.leave(
            actor=actor, visit=uuid7(), household=home, trip=on_trip, date=on, outcome="in-hospital",
            keeper={"name": "廖满仓", "relation": "村委委员"}, lines=goods, proofs=[drawn], blobs=[blob],
            note="去镇卫生院复诊",
        )  # fmt: skip

    def _settle_and_close(self, one: str) -> None:
        self.calendar.minutes(60 * 24)
        on = self.calendar.now.date().isoformat()
        trip.explain(actor=self.clerk, trip=one, date=on, reasons={"rice": "路上送给值班的护林员,已电话核实"})
        trip.close(actor=self.clerk, trip=one, note="单据已归档")
        self.ids["closed"] = one

    def _close_month(self, day: date) -> None:
        first = day.replace(day=1) - timedelta(days=1)
        self.calendar.set(day)
        today = max(day, self.calendar.now.date()).isoformat()
        closing = period.close(
            actor=self.clerk, team=self.head, from_=first.replace(day=1).isoformat(), until=first.isoformat(),
            today=today, scope=EVERYTHING,
        )  # fmt: skip
        self.ids["month"] = closing
        self.month = first

    # --- what came after --------------------------------------------------------------------

    def _late(self) -> None:
        """Into a closed month and a closed trip: typed from paper, and one that was not so."""
        on, village = self.month.isoformat(), self.ids["village"]
        for home, who in self.homes[village][2:5]:
            paper = [{"as": "paper", "page": 1}]
            self.give(self.users[1], home, who, self.ids["closed"], on, {"rice": 1}, proofs=paper, blobs=[])

    def _plan_next(self) -> None:
        day = self.calendar.today + timedelta(days=6)
        new = uuid7()
        village = self.villages(TOWNS[0])[3]
        trip.plan(actor=self.own, trip=new, title="元旦前走访", starts=day.isoformat(), ends=day.isoformat(),
                  team=self.teams[0], divisions=[village])  # fmt: skip
        trip.allocate(actor=self.own, trip=new, lines=[(home, "rice", 1) for home, _ in self.homes[village]])
        self.ids["planned"] = new


def village_name(code: str) -> str:
    with reading() as conn:
        name = conn.execute(sa.select(Division.name).where(Division.code == code)).scalar_one()
    return str(name).removesuffix("委员会").removesuffix("民")
