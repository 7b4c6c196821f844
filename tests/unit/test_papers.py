"""The papers of a trip: their figures are those of the facts, and a notice says no more than it may."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection, select

from aidvisit.domain import han, money, notice
from aidvisit.services import catalog, household
from aidvisit.services.delivery import record_delivery
from aidvisit.services.papers import Kind, Paper, read
from aidvisit.services.sync import own_device
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact, record
from aidvisit.store.queries import catalog as queries
from aidvisit.store.queries import papers
from aidvisit.store.queries.roster import SHEET_ROWS
from aidvisit.store.tables import DeliveryLine, Household, HouseholdCategory, Member
from aidvisit.web import photos
from sync import log
from sync.op import uuid7
from tests.support.homes import TOWN
from tests.support.pages import DAY, Pages, words
from tests.support.store import TRIP, delivered, item, registered, say, statements, uid, visited
from tests.support.village import LAN, QIN, TAO, village
from tests.support.visits import RULES, deliver, stream

POSTED = {"from": DAY, "until": "2021-01-06", "phone": "0758-6688001", "office": "民强村民委员会"}


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    with village(database_url) as conn:
        yield conn


class Desk:
    """Who prints the papers of the only trip at one end."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        with pages.app.app_context(), reading() as conn:
            self.trip = str(conn.exec_driver_sql("SELECT id FROM trip").scalar_one())
        self.path = f"/trips/{self.trip}/papers"

    def ask(self, what: str, **more: str) -> Any:
        return self.pages.post(self.path, {"what": what, **more})

    def paper(self, kind: Kind) -> Paper:
        with self.pages.app.app_context():
            return read(self.trip, kind, today=DAY)

    def sign(self, number: int, **more: Any) -> None:
        """Two bags and 300.50 yuan to one household, signed on the screen by a proxy."""
        one = self.pages.households()[number]
        with self.pages.app.app_context():
            drawn = photos.drawn("10,10 60,40")
            record_delivery(
                actor=own_device(), delivery=uuid7(), household=one.id, trip=self.trip, date=DAY,
                lines={"rice": 2, "cash": 30_050}, proofs=[photos.proof("signature", drawn)], blobs=[drawn],
                received_by={"as": "proxy", "name": "陈强", "relation": "儿子", "id_last4": "9876"},
                witness={"name": "莫村长"}, method="cash", reasons=dict.fromkeys(RULES, "测试"), **more,
            )  # fmt: skip


@pytest.fixture
def desk(there: Pages) -> Desk:
    return Desk(there)


# --- figures --------------------------------------------------------------------------------------------------------


def test_a_signed_list_has_the_figures_of_the_facts_sheet_by_sheet(desk: Desk) -> None:
    desk.sign(0)
    deliver(desk.pages, 20)
    paper = desk.paper("roll")
    with desk.pages.app.app_context(), reading() as conn:
        facts = Counter[str]()
        for row in conn.execute(select(DeliveryLine.item, DeliveryLine.quantity).where(DeliveryLine.counts)):
            facts[row.item] += row.quantity
    assert paper.total.lines == facts == {"rice": 4, "cash": 60_100}
    assert sum((Counter(sheet.sums.lines) for sheet in paper.sheets), Counter[str]()) == facts
    assert [len(sheet.rows) for sheet in paper.sheets] == [SHEET_ROWS, SHEET_ROWS]
    assert [row.line.number for row in paper.rows] == list(range(1, 35))
    assert all(row.line.row.sheet == sheet.number for sheet in paper.sheets for row in sheet.rows)
    assert paper.total.fen == sum(sheet.sums.fen for sheet in paper.sheets) == 60_100
    assert paper.total.households == 2
    page = desk.ask("roll")
    assert page.text.count("本页合计") == 2
    assert page.text.count("总计") == 1
    assert "人民币(大写):陆佰零壹元整" in words(page)
    assert page.text.count("/blobs/") == 1
    assert "儿子 陈强" in words(page)
    assert "见证人:莫村长" in words(page)
    assert "9876" not in page.text


def test_an_empty_list_asks_for_what_was_allotted(desk: Desk) -> None:
    paper = desk.paper("roll-empty")
    assert paper.total.lines == {"rice": 41, "oil": 34, "nuts": 34}
    page = desk.ask("roll-empty")
    assert len(re.findall(r'data-row="\d+"', page.text)) == 34
    assert "第 2 张,共 2 张" in words(page)
    assert not re.search(r"(?<!\d)1\d{10}(?!\d)", page.text)
    assert re.search(r"1\d\d\*{4}\d{4}", page.text)


def test_an_item_with_a_price_has_an_amount(conn: Connection) -> None:
    say(
        conn, item("rice", "大米", "袋", spec="10kg/袋", value_fen=4550),
        delivered(uid(50), QIN, {"rice": 2, "oil": 1}), visited(uid(51), LAN, "not-home"),
    )  # fmt: skip
    found = {one.name: one for one in papers.lines(conn, TRIP, DAY)}
    assert found["覃桂香"].delivered == {"rice": 2, "oil": 1}
    assert found["覃桂香"].phone == "138****5678"
    assert found["蓝水妹"].outcome == "not-home"
    with statements(conn) as seen:
        papers.lines(conn, TRIP, DAY)
    assert len(seen) < 25


def priced(desk: Desk, **fen: int) -> None:
    """What one of these costs, as the catalogue's page sets it."""
    with desk.pages.app.app_context():
        for code, value in fen.items():
            with reading() as conn:
                before = queries.definition(conn, "item", code)
            assert before is not None
            catalog.define("item", {**before.body, "value_fen": value}, actor=own_device(), seen=before.seen)


def test_goods_with_a_price_have_amounts_that_add_up_and_those_without_have_none(office: Pages) -> None:
    office.sign_in()
    desk = Desk(office)
    priced(desk, rice=5_990, oil=6_500)
    paper = desk.paper("roll-empty")
    rows = {row.line.number: row for row in paper.rows}
    for row in rows.values():
        assert row.lines["nuts"], "has no price, and counts for nothing"
        assert row.fen == row.lines["rice"] * 5_990 + row.lines["oil"] * 6_500
    assert paper.total.fen == 41 * 5_990 + 34 * 6_500 == sum(sheet.sums.fen for sheet in paper.sheets)
    page = words(desk.ask("roll-empty"))
    assert "大米(袋,10kg) 单价 59.90 元" in page
    assert "食用油(桶,5L) 单价 65 元" in page
    assert "坚果(份) 单价" not in page
    assert "4,665.90" in page
    assert f"人民币(大写):{money.capitals(466_590)}" in page
    book = load_workbook(io.BytesIO(desk.ask("roll-empty", **{"as": "xlsx"}).data)).worksheets[0]
    cells = [list(row) for row in book.iter_rows(values_only=True)]
    amount = cells[2].index("金额(元)")
    assert set(cells[2][5:amount]) == {"大米(袋,10kg) 单价 59.90 元", "食用油(桶,5L) 单价 65 元", "坚果(份)"}
    assert [round(row[amount] * 100) for row in cells[3:37]] == [rows[number].fen for number in range(1, 35)]
    assert cells[37][amount] == 4_665.9


def test_a_new_price_changes_what_is_printed_and_no_record(office: Pages) -> None:
    office.sign_in()
    desk = Desk(office)
    desk.sign(0)
    priced(desk, rice=1_000)
    first = desk.paper("roll").total
    before = desk.pages.ops()
    priced(desk, rice=2_000)
    assert (first.fen, desk.paper("roll").total.fen) == (32_050, 34_050)
    assert desk.paper("roll").total.lines == first.lines
    assert desk.pages.ops() == before + 1


def test_who_is_not_on_the_list_asks_for_no_sheet_to_sign(desk: Desk) -> None:
    with desk.pages.app.app_context():
        new = uuid7()
        body = {"kind": "household", "head": {"name": "谭新来"}, "division": f"{TOWN}207", "categories": []}
        household.register(actor=own_device(), household=new, body=body)
    assert "共 2 张" in words(desk.pages.get(desk.path))
    with desk.pages.app.app_context():
        record_delivery(
            actor=own_device(), delivery=uuid7(), household=new, trip=desk.trip, date=DAY, lines={"oil": 1},
            received_by={"as": "head", "name": "谭新来"}, proofs=[{"as": "paper"}],
            reasons=dict.fromkeys(RULES, "测试"),
        )  # fmt: skip
    assert "共 2 张" in words(desk.pages.get(desk.path))
    assert "第 2 张,共 2 张" in words(desk.ask("roll-empty"))
    assert "第 3 张,共 3 张" in words(desk.ask("roll"))


def test_a_cash_list_counts_cash_alone_and_says_its_total_in_capitals(desk: Desk) -> None:
    desk.sign(3)
    deliver(desk.pages, 5)
    paper = desk.paper("cash")
    assert len(paper.rows) == 2
    assert paper.total.lines == {"cash": 60_100}
    page = words(desk.ask("cash"))
    assert money.capitals(60_100) in page
    assert "大米" not in page
    assert "现金" in page


def test_a_file_has_the_layout_of_offices(desk: Desk) -> None:
    desk.sign(0)
    answer = desk.ask("roll", **{"as": "xlsx"})
    assert answer.mimetype.endswith("spreadsheetml.sheet")
    sheet = load_workbook(io.BytesIO(answer.data)).worksheets[0]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert str(rows[0][0]).endswith("发放花名册(签领表)")
    assert "盖章" in str(rows[1][0])
    assert rows[2][:5] == ["序号", "户主姓名", "村组", "联系电话", "人数"]
    assert [row[0] for row in rows[3:37]] == list(range(1, 35))
    assert rows[37][0] == "合计"
    unsigned = load_workbook(io.BytesIO(desk.ask("roll-empty", **{"as": "xlsx"}).data)).worksheets[0]
    assert "零元" not in str([*unsigned.iter_rows(values_only=True)])
    amount = rows[2].index("金额(元)")
    assert rows[37][amount] == sum(float(str(row[amount] or 0)) for row in rows[3:37]) == 300.5
    assert rows[38][0] == f"人民币(大写):{money.capitals(30_050)}"
    assert "见证人:莫村长" in str(rows[39][0])
    assert sheet.page_setup.orientation == "landscape"
    assert "A1:" in str(sheet.merged_cells.ranges)
    assert sheet.print_title_rows == "$1:$3", "the head is on every page"
    assert sheet.cell(4, amount + 1).number_format == "#,##0.00"
    assert str(rows[3][2]).startswith("民强村一队"), "as on paper"
    assert (sheet.row_dimensions[3].height or 0) > (sheet.row_dimensions[4].height or 0), "a head of several lines"


def test_an_empty_file_names_nobody_who_handed_over(desk: Desk) -> None:
    desk.sign(0)
    sheet = load_workbook(io.BytesIO(desk.ask("roll-empty", **{"as": "xlsx"}).data)).worksheets[0]
    assert "莫村长" not in str([*sheet.iter_rows(values_only=True)])


# --- notices --------------------------------------------------------------------------------------------------------


def masked(pages: Pages) -> set[str]:
    """Every value that no notice may have: numbers, addresses, categories, of everybody."""
    with pages.app.app_context(), reading() as conn:
        people = [
            *conn.execute(select(Household.head_id_number, Household.head_phone, Household.address)),
            *conn.execute(select(Member.id_number, Member.phone, Member.name)),
        ]
        codes = set(conn.execute(select(HouseholdCategory.code)).scalars())
        names = {row[0] for row in conn.exec_driver_sql("SELECT name FROM category") if len(row[0]) > 1}
    return codes | names | {str(value) for row in people for value in row if value}


@pytest.mark.parametrize("what", ["before", "after"])
def test_a_notice_says_nothing_of_what_is_masked(desk: Desk, what: str) -> None:
    for number in (0, 7, 33):
        desk.sign(number)
    answer = desk.ask(what, **POSTED)
    assert answer.status_code == 200
    shown = answer.text[answer.text.index('<article class="posted"') : answer.text.index("</article>")]
    private = masked(desk.pages)
    assert len(private) > 40
    assert [value for value in private if value in shown] == []
    assert not re.search(r"\d{3}\*+\d{4}", shown)
    assert "0758-6688001" in shown
    assert shown.count('<th scope="row">') == (34 if what == "before" else 3)


def test_a_minor_is_posted_by_the_surname(desk: Desk) -> None:
    first, second = desk.pages.households()[:2]
    with desk.pages.app.app_context(), transaction() as conn:
        for one, name, born in ((first, "欧阳小雨", "2010-01-01"), (second, "杨大山", "2002-12-30")):
            held = log.entries_of(conn, one.id)[0]
            body = {"set": {"head.name": name, "head.born": born}, "base": {"head.name": [held.name], "head.born": []}}
            record(conn, log.own(conn), Fact(stream(conn), "household.updated", one.id, body))
    page = words(desk.ask("before", **POSTED))
    assert "欧阳某" in page
    assert "欧阳小雨" not in page
    assert "杨大山" in page


@pytest.mark.parametrize(
    ("name", "surname"),
    [("陈小雨", "陈"), ("欧阳小雨", "欧阳"), ("诸葛亮", "诸葛"), ("諸葛亮", "諸葛"), ("司马", "司"),
     ("爱新觉罗溥仪", "爱新觉罗")],
)  # fmt: skip
def test_surnames(name: str, surname: str) -> None:
    assert han.surname(name) == surname
    assert notice.minor(name) == f"{surname}某"


@pytest.mark.parametrize(
    ("born", "number", "minor"),
    [
        ("2002-12-31", None, True), ("2002-12-30", None, False), (None, "441225200301010018", True),
        (None, "441225194912310010", False), (None, None, False), (None, "44122520039901001X", False),
        ("1950-01-01", "441225201501010018", False),
    ],
)  # fmt: skip
def test_who_is_a_minor(born: str | None, number: str | None, minor: bool) -> None:
    assert notice.is_minor(born, number, DAY) is minor


def test_a_notice_wants_its_days_and_a_telephone_and_keeps_what_was_typed(desk: Desk) -> None:
    answer = desk.ask("before", **{**POSTED, "until": "2020-12-01", "phone": ""})
    assert answer.status_code == 422
    assert 'value="民强村民委员会"' in answer.text
    assert "请填电话号码" in words(answer)


# --- the others -----------------------------------------------------------------------------------------------------


def test_the_village_gets_a_list_to_correct(desk: Desk) -> None:
    page = desk.ask("village")
    assert page.text.count("□") == 34 * 5
    assert "更正和说明" in words(page)


def test_the_day_in_figures(desk: Desk) -> None:
    desk.sign(0)
    page = desk.pages.get(f"{desk.path}/summary").text
    assert re.findall(r'data-sum="(\w+)">(\d+)<', page) == [("all", "34"), ("done", "1"), ("away", "0"), ("todo", "33")]
    rice = page[page.index('data-item="rice"') :]
    figures = dict(re.findall(r'data-figure="(\w+)">([\d.-]+)<', rice[: rice.index("</tr>")]))
    assert figures["loaded"] == "43"
    assert figures["delivered"] == "2"
    assert figures["on_truck"] == "41"


def test_a_paper_is_in_the_audit_and_linked(desk: Desk) -> None:
    before = desk.pages.ops()
    desk.ask("roll")
    with desk.pages.app.app_context(), reading() as conn:
        last = [entry.op.body for entry in log.iterate(conn)][-1]
    assert desk.pages.ops() == before + 1
    assert last == {"what": "export", "rows": 34, "detail": "paper-roll"}
    assert desk.path in desk.pages.get(f"/trips/{desk.trip}/plan").text
    assert desk.ask("nothing").status_code == 404


def test_a_walk_in_moves_no_number_of_a_printed_list(conn: Connection) -> None:
    say(conn, registered(uid(60), "安在前", "一组"), delivered(uid(61), uid(60), {"rice": 1}))
    found = papers.lines(conn, TRIP, DAY)
    assert [one.name for one in found][-1] == "安在前"
    assert [one.number for one in found] == [1, 2, 3, 4, 5]
    assert TAO in {one.row.stop.household for one in found}
