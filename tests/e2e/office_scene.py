"""A year of an office's work, for eyes on its pages: towns, donors, trips, closed months, and everything that is odd.

By the services that the pages call, at a clock of its own; every name is made up. A few hundred households are as many
as a county's town office has, and more than any page shows at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
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
    audit,
    catalog,
    custody,
    delivery,
    household,
    inbox,
    listing,
    pair,
    period,
    stock,
    token,
    trip,
    visit,
)
from aidvisit.services.device import enrolment_codes
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.inbox import counts, listed
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.catalog import definition
from sync import clock, identity, log, server
from sync.op import Op, digest_of, uuid7
from sync.problem import Problem
from sync.tables import device as device_table
from tests.support.centre import PASSWORD
from tests.support.pages import InProcess

COUNTY, TOWNS = "441225", ("441225112", "441225101")
EACH_VILLAGE, VILLAGES = 26, 6
SURNAMES = "黄陈莫梁李廖覃苏罗邓欧阳谭黎植侯孔岑聂"
GIVEN = "明生水妹桂香德厚素云安石春和秀英建国玉兰亚娣火养观凤金带木荣"
GROUPS = ("一组", "二组", "三组", "新村组", "石角自然村第四村民小组")
CATEGORIES = ("dibao", "dibao_edge", "tekun", "elder_alone", "elder_80", "disabled", "single_mother", "poverty_monitored")
PRICES = {"rice": 5990, "oil": 6500, "nuts": 2850, "quilt": 16800}
DONORS = {"yirui": "肇庆市义瑞慈善基金会", "liangyou": "封开县粮油购销有限公司大玉口分公司"}
CADRE = {"name": "廖满仓", "role": "村委委员"}
PEOPLE = (("luo", "罗春和", "leader"), ("li", "黎安和", "leader"), ("chen", "陈书仪", "volunteer"))


@dataclass
class Told:
    """What the scene made, for addresses of pages."""

    ids: dict[str, str] = field(default_factory=dict)


class _Calendar:
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
    calendar = _Calendar(today or datetime.now(UTC).date())
    with patch.object(clock, "wall", calendar.wall):
        with opened(config.write(home, role="central")) as app:
            with transaction() as conn:
                own = server.set_up(conn, name="办公室", now=clock.wall())
            told = _Office(calendar, own, InProcess(app)).year()
    return told


class _Office:
    def __init__(self, calendar: _Calendar, own: str, line: InProcess) -> None:
        self.calendar, self.own, self.line, self.chance = calendar, own, line, random.Random(7)
        self.homes: dict[str, list[tuple[str, str]]] = {}
        self.ids: dict[str, str] = {}

    def year(self) -> dict[str, str]:
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
        self._odd_ones()
        self._office_work()
        return self.ids

    # --- who and where ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        catalog.seed(actor=self.own, around=COUNTY)
        head = self.head = account.add_team(actor=self.own, name="封开县慰问办公室", level=1)
        self.admin = account.add_user(
            actor=self.own, login="admin", name="邓若谷", role="admin", team=head, password=PASSWORD, phone="0758-6688001"
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
            rows = conn.execute(sa.text("SELECT code FROM division WHERE code LIKE :one AND code > :last ORDER BY code"),
                                {"one": f"{town}___", "last": f"{town}200"})  # fmt: skip
            return [row.code for row in rows][:VILLAGES]

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
            "division": village, "group": GROUPS[number % len(GROUPS)], "size": size, "address": f"新村 {number + 1} 号",
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
        trip.explain(actor=self.own, trip=one, date=on, reasons={"rice": "路上送给值班的护林员,已电话核实"})
        trip.close(actor=self.own, trip=one, note="单据已归档")
        self.ids["closed"] = one

    def _close_month(self, day: date) -> None:
        first = day.replace(day=1) - timedelta(days=1)
        self.calendar.set(day)
        today = max(day, self.calendar.now.date()).isoformat()
        closing = period.close(
            actor=self.own, team=self.head, from_=first.replace(day=1).isoformat(), until=first.isoformat(),
            today=today, scope=EVERYTHING,
        )  # fmt: skip
        self.ids["month"] = closing
        self.month = first

    # --- what came after, and what is odd --------------------------------------------------------------------

    def _late(self) -> None:
        """Into a closed month and a closed trip: typed from paper, and one that was not so."""
        on, village = self.month.isoformat(), self.ids["village"]
        for home, who in self.homes[village][2:5]:
            self.give(self.users[1], home, who, self.ids["closed"], on, {"rice": 1}, proofs=[{"as": "paper", "page": 1}],
                      blobs=[])  # fmt: skip

    def _plan_next(self) -> None:
        day = self.calendar.today + timedelta(days=6)
        new = uuid7()
        village = self.villages(TOWNS[0])[3]
        trip.plan(actor=self.own, trip=new, title="元旦前走访", starts=day.isoformat(), ends=day.isoformat(),
                  team=self.teams[0], divisions=[village])  # fmt: skip
        trip.allocate(actor=self.own, trip=new, lines=[(home, "rice", 1) for home, _ in self.homes[village]])
        self.ids["planned"] = new

    def _odd_ones(self) -> None:
        """One of every kind that the inbox knows, and more of some."""
        today = self.calendar.today
        on, actor = self.calendar.set(today, 0), self.users[0]
        village = self.villages(TOWNS[0])[5]
        homes = self.homes[village][:24]
        new = uuid7()
        trip.plan(actor=self.own, trip=new, title="回访补发", starts=on, ends=on, team=self.teams[0],
                  divisions=[village])  # fmt: skip
        trip.allocate(actor=self.own, trip=new, lines=[(home, "rice", 1) for home, _ in homes])
        stock.load(actor=actor, trip=new, date=on, lines={"rice": 60, "oil": 10})
        same, photo = signature(self.chance), ("", "image/jpeg", b"\xff\xd8 made up \xff\xd9")
        photo = (sha256(photo[2]).hexdigest(), photo[1], photo[2])
        neighbour = {"as": "proxy", "name": "苏晓禾", "relation": "邻居", "id_last4": "123X"}
        for place, (home, who) in enumerate(homes):
            self.calendar.minutes(0.2 if place < 12 else 9)
            more: dict[str, Any] = {}
            if place in (12, 13):
                more = _picture("signature", same)
            elif place in (14, 15):
                more = _picture("photo", photo)
            elif place in (16, 17, 18):
                more = {"received_by": neighbour}
            elif place in (20, 21):
                more = {"at": {"lat": 235_000_000 + place % 2 * 9_000_000, "lon": 1_115_000_000, "accuracy_m": 20}}
            goods = {"rice": 1, "oil": 1} if place in (19, 22) else {"rice": 1}
            self.give(actor, home, who, new, on, goods, **more)
        self.ids["odd"] = new
        for home, who in homes[:9]:
            self.calendar.minutes(5)
            self.give(self.users[1], home, who, None, on, {"rice": 1})
        self._conflicts(homes)
        self._held()

    def _conflicts(self, homes: list[tuple[str, str]]) -> None:
        for number, (home, _) in enumerate(homes[3:7]):
            for value in ("13812345678", "13812345687"):
                set_ = {"head.phone": value} if number % 2 else {"address": f"镇上敬老院隔壁 {value[-2:]} 号"}
                household.update(actor=self.own, household=home, set_=set_, base=dict.fromkeys(set_, []))
            self.ids["conflict"] = home

    def _held(self) -> None:
        for number, device in enumerate(self.devices[:4]):
            body = {
                "household": uuid7(), "date": self.calendar.today.isoformat(), "proofs": [{"as": "paper"}],
                "lines": [{"item": "rice", "quantity": 1 + number}, {"item": "oil", "quantity": 1}],
                "received_by": {"as": "head", "name": "某人"},
            }  # fmt: skip
            hlc = clock.stamp(clock.to_ms(clock.wall()), 0)
            asked = Op(device, 1000, TOWNS[number % 2], hlc, self.users[0], "delivery.recorded", 1, uuid7(), body)
            problem = Problem("unknown-subject", what="household", id=body["household"]).to_dict()
            with transaction() as conn:
                log.insert_entries(conn, [log.new_entry(asked, digest_of(asked), clock.wall(), problem=problem)])

    def _office_work(self) -> None:
        """Twins, tokens, saved lists, laptops that were heard of or not, and an inbox that somebody works at."""
        village = self.villages(TOWNS[0])[0]
        for name, number in (("覃来回", "11010519491231002X"), ("覃来回", "11010519491231002X"), ("莫往返", ""), ("莫往反", "")):
            head = {"name": name, "born": "1950-03-04"} | ({"id_number": number} if number else {})
            body = {"kind": "household", "head": head, "division": village, "group": "一组", "size": 2,
                    "categories": [{"code": "dibao"}], "members": [{"id": uuid7(), "name": "覃小弟"}]}  # fmt: skip
            household.register(actor=self.own, household=uuid7(), body=body)
        with reading() as conn:
            found = pair.likely(conn)
        if found:
            self.ids["pair"] = f"{found[0].first}/{found[0].second}"
        for name, days in (("县民政局大数据平台(每日同步)", 90), ("年审导出", 7)):
            token.make(actor=self.admin, name=name, user=self.admin, wanted=["household.read", "report.read"], days=days)
        for home, _ in self.homes[village][:3]:
            household.reveal(actor=self.clerk, household=home)
        audit.record(self.clerk, audit.EXPORT, rows=312, detail="report")
        self._heard()
        inbox.look(self.calendar.now)
        with reading() as conn:
            said = counts(conn)
            waits = {kind: listed(conn, kind=kind)[0] for kind in said}
        self.ids["kinds"] = ",".join(sorted(said))
        inbox.assign(actor=self.admin, items=[one.id for one in waits["duplicate"][:3]], user=self.clerk)
        for one in waits["duplicate"][-2:]:
            inbox.settle(actor=self.clerk, items=[one.id], verdict="both-right", reason="二队补发上次受潮的米,村委证实")
        if waits.get("outside"):
            inbox.settle(actor=self.clerk, items=[waits["outside"][0].id], verdict="answered", reason="当场多出一桶,队长同意")

    def _heard(self) -> None:
        now = self.calendar.now
        said = (
            (0, '{"version": "1.0.0", "waiting": 0, "disk_free_bytes": 64000000000, "blobs_waiting": 0}'),
            (4, '{"version": "1.0.0", "waiting": 12, "disk_free_bytes": 400000000, "blobs_waiting": 31}'),
            (60 * 26, '{"version": "0.9.3", "waiting": 0, "disk_free_bytes": 12000000000}'),
            (60 * 24 * 12, '{"version": "0.9.3", "waiting": 3}'), (60 * 24 * 45, None),
        )  # fmt: skip
        with transaction() as conn:
            for one, (minutes, status) in zip(self.devices, said, strict=False):
                seen = (now - timedelta(minutes=minutes)).isoformat()
                values = {"seen_at": seen, "status": status}
                conn.execute(sa.update(device_table).where(device_table.c.id == one).values(values))
        self.ids["device"] = self.devices[1]


def _picture(what: str, blob: tuple[str, str, bytes]) -> dict[str, Any]:
    return {"proofs": [{"as": what, "sha256": blob[0], "bytes": len(blob[2]), "media_type": blob[1]}], "blobs": [blob]}


def village_name(code: str) -> str:
    with reading() as conn:
        name = conn.execute(sa.text("SELECT name FROM division WHERE code = :code"), {"code": code}).scalar_one()
    return str(name).removesuffix("委员会").removesuffix("民")
