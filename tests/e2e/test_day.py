"""One whole day of a team: from the plan to balanced books at the office, as its people do it."""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect

from aidvisit.store.database import reading
from aidvisit.store.queries import trip as trips
from tests.e2e.hands import Hands
from tests.e2e.person import WITHIN_MS, Person
from tests.e2e.planning import TITLE, by_rules, planned
from tests.support.nodes import Pair

logger = logging.getLogger(__name__)

DAY = "2021-01-20"
SPARE = {"rice": 3, "oil": 5}
"""Beside what is on the list."""
MOST_ACTIONS = 3
ITEMS = (("rice", "大米"), ("oil", "食用油"))
SIGNATURE = "M60 90L80 60 110 120 140 70 180 110"
ACTS = "for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, e => e.isTrusted && acted(kind), true)"


@dataclass(slots=True)
class Day:
    """What the team knows by heart at the end: who got what. `households`: id → (name, allotted)."""

    trip: str
    households: dict[str, tuple[str, Counter[str]]] = field(default_factory=dict)
    delivered: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    still_owed: set[str] = field(default_factory=set)
    signed: int = 0

    @property
    def allotted(self) -> Counter[str]:
        return sum((goods for _, goods in self.households.values()), Counter())

    @property
    def loaded(self) -> Counter[str]:
        return self.allotted + Counter(SPARE)

    def of(self, name: str) -> str:
        return next(identity for identity, (called, _) in self.households.items() if called == name)


class Counting:
    """Counts what the browser itself sees a person do: strokes and clicks, and keys."""

    def __init__(self, page: Page) -> None:
        self.seen: Counter[str] = Counter()
        page.expose_function("acted", lambda kind: self.seen.update([kind]))
        page.add_init_script(ACTS)

    def since(self, before: int = 0) -> int:
        return self.seen.total() - before


@pytest.mark.timeout(300, func_only=True)
def test_from_the_plan_to_the_balance(
    office: Person, second: Person, leader: Person, pair: Pair, tmp_path: Path
) -> None:
    page = leader.page
    address = plan(office, second, pair)
    receive(office)
    leader.go(pair.field, "/sync")
    page.get_by_role("button", name="现在同步").click()
    leader.sees_chip("sent")
    day = _known(pair, address.rpartition("/trips/")[2].partition("/")[0])
    load(leader, day)
    planned_ones(leader, day)
    odd_ones(leader, day)
    nobody_there(leader, day)
    walk_in(leader, day)
    the_others(leader, day)
    mended(leader, day)
    expect(page.get_by_role("main")).to_contain_text("名单都走完了")
    evening(leader, day)
    printed(leader, day, tmp_path)
    leader.go(pair.field, "/sync")
    page.get_by_role("button", name="现在同步").click()
    leader.sees_chip("sent")
    balanced(leader, office, day)


def plan(office: Person, second: Person, pair: Pair) -> str:
    """Rules, a lock, a second person, a release; the address of the plan."""
    page = office.page
    planned(page, pair.centre.url, DAY)
    by_rules(page)
    page.get_by_role("button", name="锁定方案").click()
    expect(page.get_by_role("main")).to_contain_text("方案是您锁定的")
    address = page.url.split("?")[0]
    second.page.goto(address)
    second.page.get_by_role("button", name="批准方案").click()
    expect(second.page.get_by_role("main")).to_contain_text("罗春和 批准了方案")
    page.goto(address)
    page.get_by_role("link", name="下发到笔记本…").click()
    page.get_by_label("3 号笔记本").check()
    page.get_by_role("button", name="下发", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("下发到笔记本")
    return address


def receive(office: Person) -> None:
    """A donor's goods come into the warehouse, with lot and value."""
    page, url = office.page, office.pair.centre.url
    page.goto(f"{url}/catalog/add?what=place")
    page.get_by_label("名称").fill("爱心米行")
    page.get_by_label(re.compile("^代码")).fill("love-rice")
    page.locator("[name=kind][value=donor]").check()
    page.get_by_role("button", name="保存").click()
    page.goto(f"{url}/stock")
    page.locator("[name=from_]").select_option(label="爱心米行")
    for row, (item, quantity, value) in enumerate([("rice", "200", "59.90"), ("oil", "100", "65")]):
        page.locator(f"[name='item.{row}']").select_option(item)
        for name, text in (("quantity", quantity), ("lot", f"A{row}"), ("value", value)):
            page.locator(f"[name='{name}.{row}']").fill(text)
    page.get_by_role("button", name="保存并打印入库单").click()
    expect(page.locator(".slip")).to_contain_text("爱心米行")


def _known(pair: Pair, trip: str) -> Day:
    with pair.field.inside(), reading() as conn:
        listed = trips.today(conn, trip).households
    return Day(trip, {one.id: (one.name, Counter({a.item: a.quantity for a in one.allotted})) for one in listed})


def load(leader: Person, day: Day) -> None:
    """The form holds what is missing on the truck; some spare comes on top; both sides sign the slip."""
    page = leader.page
    leader.go(leader.pair.field)
    expect(page.get_by_role("main")).to_contain_text(TITLE)
    leader.go(leader.pair.field, "/stock")
    for item, needed in day.allotted.items():
        cell = page.locator(f"#load-{item}")
        expect(cell).to_have_value(str(needed))
        cell.fill(str(day.loaded[item]))
    page.get_by_role("button", name="保存并打印出库单").click()
    slip = page.locator(".slip")
    expect(slip).to_contain_text(re.compile(r"CK20210120-[0-9a-f]{4}-01"))
    expect(slip.locator(".slip__sign span")).not_to_have_count(0)
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1
    leader.go(leader.pair.field)


def planned_ones(leader: Person, day: Day) -> None:
    """Open, sign, save: counted by the browser."""
    counting = Counting(leader.page)
    leader.go(leader.pair.field)
    for _ in range(5):
        before = counting.since()
        name = leader.open_next()
        leader.sign()
        leader.save()
        given(day, day.of(name))
        actions = counting.since(before)
        assert 0 < actions <= MOST_ACTIONS
    logger.info("a planned delivery: %d actions from Today to saved", actions)


def given(day: Day, household: str) -> None:
    day.delivered += day.households[household][1]
    day.signed += 1


def odd_ones(leader: Person, day: Day) -> None:
    """A neighbour takes it, with the last four of the ID; and one who does not want to sign, with the reason."""
    page = leader.page
    given(day, day.of(leader.open_next()))
    page.check("[name=as][value=proxy]")
    page.fill("[name=name]", "苏晓禾")
    page.fill("[name=relation]", "邻居")
    page.fill("[name=id_last4]", "123X")
    leader.sign()
    leader.save()
    given(day, day.of(leader.open_next()))
    page.check("[name=proof][value=none]")
    page.fill("[name=none_reason]", "不愿意签名,村委廖满仓在场")
    leader.save()


def nobody_there(leader: Person, day: Day) -> None:
    """One has moved away: two actions, and the goods stay owed. One is out: the goods stay with the village, signed."""
    page = leader.page
    household = day.of(page.locator(".card--next .who").inner_text())
    page.locator(".card--next").get_by_role("link", name="不在家…").click()
    page.get_by_role("button", name="已搬走").click()
    page.wait_for_url(re.compile(r"/\?saved="))
    day.still_owed.add(household)

    household = day.of(page.locator(".card--next .who").inner_text())
    page.locator(".card--next").get_by_role("link", name="不在家…").click()
    page.fill("[name=with_name]", "廖满仓")
    page.fill("[name=with_relation]", "村委委员")
    leader.sign()
    page.get_by_role("button", name="保存并打印代存单").click()
    expect(page.locator(".slip")).to_contain_text(re.compile(r"DC20210120-[0-9a-f]{4}-01"))
    expect(page.locator(".slip")).to_contain_text(re.compile(f"{day.households[household][0]}.*廖满仓", re.DOTALL))
    expect(page.locator(".slip__drawn")).to_be_visible()
    day.held += day.households[household][1]
    day.still_owed.add(household)
    leader.go(leader.pair.field)
    expect(page.locator("#away small")).to_contain_text("2 户")


def walk_in(leader: Person, day: Day) -> None:
    """Somebody in the queue whom nobody knows: searched for, registered, delivered to with a reason."""
    page = leader.page
    page.locator("main [name=q]").fill("谭新来")
    page.locator("main [name=q]").press("Enter")
    page.get_by_role("button", name="没有登记过:当场登记并发放").click()
    page.locator("[name=group]").fill("一组")
    page.locator("[name=size]").fill("3")
    page.locator(".act .btn--main").click()
    page.wait_for_url(re.compile("/deliver"))
    page.locator("[name='quantity.oil']").fill("1")
    page.locator("[name='reason.outside-allocation']").fill("刚搬回来,村委证明困难")
    leader.sign()
    leader.save()
    day.delivered["oil"] += 1
    day.signed += 1


def the_others(leader: Person, day: Day) -> None:
    """The rest of the queue, by the forms alone; another neighbour among them."""
    waiting = [identity for number, identity in zip(count(), day.households, strict=False) if number >= 9]
    with Hands(leader, leader.pair.field) as hands:
        for number, identity in enumerate(waiting):
            path = f"/households/{identity}/deliver"
            form = hands.form(path, "delivery")
            proxy = {"as": "proxy", "name": "廖满仓", "relation": "侄子", "id_last4": "0017"} if number == 3 else {}
            hands.send(path, form | proxy, signature=SIGNATURE)
            given(day, identity)
        spent = sorted(hands.seconds)
    logger.info("a save: p95 %.0f ms of %d", spent[int(len(spent) * 0.95)] * 1000, len(spent))
    leader.go(leader.pair.field)


def mended(leader: Person, day: Day) -> None:
    """One was recorded at the wrong house: taken back, and delivered again. One got a bottle more: corrected."""
    page, field_node = leader.page, leader.pair.field
    wrong, more = list(day.households)[12:14]
    leader.go(field_node, f"/households/{wrong}")
    page.locator(".time .is-given").get_by_role("link", name="作废").click()
    page.fill("[name=reason]", "记错了户")
    page.get_by_role("button", name="作废").click()
    expect(page.locator(".time")).to_contain_text("记错了户")
    leader.go(field_node)
    assert day.of(leader.open_next()) == wrong
    leader.sign()
    leader.save()

    leader.go(field_node, f"/households/{more}")
    page.locator(".time .is-given").get_by_role("link", name="更正").click()
    bottles = day.households[more][1]["oil"] + 1
    page.fill("[name='quantity.oil']", str(bottles))
    leader.sign()
    page.click(".act .btn--main")
    page.fill("[name='reason.over-allocation']", "上次少发一桶,这次补上")
    leader.save()
    day.delivered["oil"] += 1
    leader.go(field_node, f"/households/{more}")
    expect(page.locator(".time .stamp--void")).to_have_text("已更正")
    leader.go(field_node)


def evening(leader: Person, day: Day) -> None:
    """The count finds a bottle less than the books: it broke. The rest goes back, and nothing is left open."""
    page = leader.page
    left = day.loaded - day.delivered - day.held
    _goods(leader, "收车盘点", {f"#count-{item}": left[item] - (item == "oil") for item in left})
    page.get_by_role("button", name="保存盘点").click()
    expect(page.get_by_role("main")).to_contain_text("食用油少 1 桶")
    _goods(leader, "损耗", {"#loss-oil": 1, "#loss-reason": "车上摔破一桶"})
    page.get_by_role("button", name="保存损耗").click()
    expect(page.get_by_role("main")).not_to_contain_text("食用油少")
    _goods(leader, "退库(退库单)", {})
    page.get_by_role("button", name="保存并打印退库单").click()
    expect(page.locator(".slip")).to_contain_text(re.compile(r"TK20210120-[0-9a-f]{4}-01"))
    _goods(leader, "收车盘点", {f"#count-{item}": 0 for item in left})
    page.get_by_role("button", name="保存盘点").click()
    expect(page.get_by_role("main")).to_contain_text("已保存")


def _goods(leader: Person, what: str, typed: dict[str, object]) -> None:
    """One of the folded forms of a trip's goods."""
    leader.go(leader.pair.field, "/stock")
    leader.page.locator("summary", has_text=re.compile(f"^{re.escape(what)}$")).click()
    for cell, text in typed.items():
        leader.page.fill(cell, str(text))


def printed(leader: Person, day: Day, folder: Path) -> None:
    """Offline, right after the last household: the roll with its signatures on paper, and the same sums in .xlsx."""
    page = leader.page
    leader.go(leader.pair.field, "/papers")
    with page.expect_download() as taken:
        page.get_by_role("button", name=".xlsx 发放花名册").click()
    taken.value.save_as(folder / "roll.xlsx")
    sheet = openpyxl.load_workbook(folder / "roll.xlsx").worksheets[0]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    head = next(row for row in rows if row[0] == "序号")
    total = next(row for row in rows if row[0] == "合计")
    columns = {item: next(n for n, words in enumerate(head) if str(words).startswith(name)) for item, name in ITEMS}
    assert {item: int(total[column]) for item, column in columns.items()} == day.delivered
    page.get_by_role("button", name=re.compile("^打印 发放花名册")).click()
    expect(page.locator(".sheet__sum").last).to_contain_text("总计", timeout=WITHIN_MS)
    signed = page.locator(".sheet__signed img").count()
    assert signed == day.signed - 1, "one did not want to sign"
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == page.locator(".sheet").count()


def balanced(leader: Person, office: Person, day: Day) -> None:
    """Item by item and column by column: the laptop, the centre, and what the team knows."""
    figures = {
        "allocated": day.allotted, "loaded": day.loaded, "delivered": day.delivered, "held": day.held,
        "lost": Counter({"oil": 1}), "returned": day.loaded - day.delivered - day.held - Counter({"oil": 1}),
        "gained": Counter(), "on_truck": Counter(), "difference": Counter(),
    }  # fmt: skip
    leader.go(leader.pair.field, "/stock")
    there = _table(leader.page, "物资去向")
    office.go(office.pair.centre, f"/trips/{day.trip}/stock")
    assert _table(office.page, "物资去向") == there
    office.go(office.pair.centre, f"/trips/{day.trip}")
    page = office.page
    for item in ("rice", "oil"):
        row = page.locator(f"#items tr[data-item={item}]")
        shown = {name: row.locator(f"[data-figure={name}]").inner_text() for name in figures}
        assert shown == {name: str(of[item]) for name, of in figures.items()}, item
    states = [cell.strip() for cell in page.locator("section:has(#households) tbody td:last-child").all_inner_texts()]
    assert len(states) == 34 + 1
    for node in (office.pair.centre, office.pair.field):
        assert node.command("verify") == {"ok": True, "findings": []}


def _table(page: Page, heading: str) -> list[list[str]]:
    card: Locator = page.locator("section.card", has=page.locator("h2", has_text=heading))
    return [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in card.locator("tr").all()]
