"""A sheet of goods that came in: read as offices write it, refused row by row, recorded all or nothing, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from aidvisit import cli
from aidvisit.errors import Problem
from aidvisit.services import catalog, stock, stock_list
from aidvisit.services.stock_list import StockList
from aidvisit.store import ledger
from aidvisit.store.database import reading
from aidvisit.store.queries import goods
from tests.support.homes import centre
from tests.support.pages import Pages, typed, words
from tests.unit.test_services_stock import Keeper, said

TODAY = "2026-03-30"
DONOR = {"name": "爱心企业", "code": "ai", "kind": "donor"}
HEAD = ["物资名称", "数量", "单位", "捐赠单位", "批号", "单价(元)", "日期", "仓库"]
RICE = ["大米", 50, "袋", "爱心企业", "2026-1", 35, date(2026, 3, 29), "总仓库"]
OIL = ["食用油", "20桶", "", "爱心企业", "", 59.9, "2026年3月28日", ""]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with centre(tmp_path) as home:
        yield Keeper(home)


def book(*rows: list[Any], head: list[str] | None = None, above: list[list[Any]] | None = None) -> bytes:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for row in [*(above or []), head or HEAD, *rows]:
        sheet.append(row)
    file = BytesIO()
    made.save(file)
    return file.getvalue()


def look(raw: bytes, name: str = "入库.xlsx") -> StockList:
    return stock_list.preview(raw, name, today=TODAY)


def load(keeper: Keeper, raw: bytes) -> StockList:
    return stock_list.load(raw, "入库.xlsx", actor=keeper.home.user, today=TODAY)


def test_rows_become_receipts_by_donor_and_lot_with_value(keeper: Keeper) -> None:
    raw = book(RICE, OIL, ["合计", 70])
    assert [row.state for row in look(raw).rows] == ["new", "new"]
    before = said()
    done = load(keeper, raw)
    assert done.count("new") == 2
    assert keeper.at(stock.MAIN) == {"rice": 50, "oil": 20}
    assert keeper.at("donor:ai") == {"rice": -50, "oil": -20}
    with reading() as conn:
        assert ledger.verify(conn) == []
        papers = goods.papers(conn, stock.MAIN)
        lines = conn.exec_driver_sql("SELECT item, lot, value_fen FROM stock_line ORDER BY item").all()
    assert [(paper.kind, paper.date, paper.from_name) for paper in papers] == [
        ("receipt", "2026-03-29", "爱心企业"), ("receipt", "2026-03-28", "爱心企业")
    ]  # fmt: skip
    assert [tuple(line) for line in lines] == [("oil", None, 5990), ("rice", "2026-1", 3500)]
    assert said() > before


def test_again_changes_nothing_and_a_new_row_is_one_more(keeper: Keeper) -> None:
    load(keeper, book(RICE))
    before = said()
    assert load(keeper, book(RICE)).count("same") == 1
    assert said() == before
    assert load(keeper, book(RICE, OIL)).count("new") == 1
    assert keeper.at(stock.MAIN) == {"rice": 50, "oil": 20}


def test_two_rows_alike_are_two_receipts(keeper: Keeper) -> None:
    load(keeper, book(RICE, RICE))
    assert keeper.at(stock.MAIN) == {"rice": 100}
    assert load(keeper, book(RICE, RICE)).count("same") == 2


def test_what_the_preview_keeps_reads_the_same_again(keeper: Keeper) -> None:
    catalog.define("place", {"code": "fund", "name": "慰问金专户", "kind": "fund"}, actor=keeper.home.device)
    cash = ["慰问金", "300.50", "元", "爱心企业", "", "", "2026-03-29", "慰问金专户"]
    found = look(book(RICE, OIL, cash))
    assert [row.quantity for row in found.rows] == [50, 20, 30050]
    again = look(found.text().encode(), "x.csv")
    assert [row.move for row in again.rows] == [row.move for row in found.rows]
    assert again.text() == found.text()


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        (0, "金条", "没有物资“金条”"), (1, "", "大于 0 的整数"), (1, -3, "大于 0 的整数"), (1, "半袋", "大于 0 的整数"),
        (2, "箱", "单位应为“袋”"),
        (3, "无名氏", "没有捐赠方“无名氏”"), (3, "总仓库", "一样"), (4, "长" * 101, "批次最多"),
        (5, "贵", "不是金额"), (6, "", "请写日期"), (6, "2026-03-31", "今天之后"), (7, "小仓库", "没有仓库“小仓库”"),
    ],
)  # fmt: skip
def test_a_wrong_row_says_why_and_nothing_is_recorded(keeper: Keeper, column: int, value: Any, why: str) -> None:
    raw = book(OIL, [*RICE[:column], value, *RICE[column + 1 :]])
    bad = look(raw).rows[1]
    assert (bad.state, bad.row) == ("refused", 3)
    assert why in bad.why
    assert " / " in bad.why
    before = said()
    with pytest.raises(Problem, match="refused-lines") as refused:
        load(keeper, raw)
    assert refused.value.members["line"] == 3
    assert said() == before


def test_a_whole_amount_is_divided_and_a_day_above_the_heading_counts(keeper: Keeper) -> None:
    head = ["品名", "数量", "金额(元)", "有效期至"]
    raw = book(["大米", 4, "¥140.00元", "2027/1/31"], head=head, above=[["三月入库单"], ["日期:2026年3月20日"]])
    (row,) = look(raw).rows
    assert (row.value_fen, row.date, row.expires, row.target) == (3500, "2026-03-20", "2027-01-31", stock.MAIN)
    (row,) = look(book(["大米", 3, "100", ""], head=head, above=[["日期:2026年3月20日"]])).rows
    assert "除不尽" in row.why


def test_a_sheet_without_such_a_heading(keeper: Keeper) -> None:
    assert keeper.trip
    with pytest.raises(Problem, match="no-goods-found"):
        look(book(["张三", 3], head=["姓名", "人数"]))
    with pytest.raises(Problem, match="not-a-sheet"):
        look(b"%PDF-1.4\x00")


def test_by_page_first_seen_then_saved(office: Pages) -> None:
    office.sign_in("admin")
    assert office.post("/catalog/add?what=place", DONOR).status_code == 303
    raw = book(["大米", 50, "袋", "", "2026-1", 35, date(2020, 12, 29), ""])
    answer = office.client.post(
        "/stock/load",
        data={"csrf_token": typed(office.get("/stock/load"))["csrf_token"], "file": (BytesIO(raw), "入库.xlsx")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 200
    assert "新的 1 行" in words(answer)
    text = answer.text.partition('<textarea name="text" hidden>\n')[2].partition("</textarea>")[0]
    before = office.ops()
    first = office.post("/stock/load", {"text": text, "name": "入库.xlsx"})
    assert (first.status_code, first.location) == (303, "/stock?loaded=1")
    assert "入库了 1 笔" in words(office.get(first.location))
    assert office.ops() == before + 2  # and that somebody imported
    assert office.post("/stock/load", {"text": text, "name": "入库.xlsx"}).location == "/stock?loaded=0"
    assert office.ops() == before + 2


def test_by_page_no_file(office: Pages) -> None:
    office.sign_in("office")
    answer = office.post("/stock/load", {})
    assert answer.status_code == 422
    assert "请选一个文件" in words(answer)


def test_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIDVISIT_HOME", raising=False)
    with centre(tmp_path) as home:
        assert Keeper(home).trip
        folder = str(home.settings.home)
    file = tmp_path / "in.xlsx"
    file.write_bytes(book(RICE))
    for more, counts in ((["--dry-run"], (1, 0)), ([], (1, 0)), ([], (0, 1))):
        capsys.readouterr()
        assert cli.main(["--json", "central", "stock", "load", str(file), "--home", folder, *more]) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["new"], document["same"], document["refused"]) == (*counts, 0)
    file.write_bytes(book([*RICE[:1], "", *RICE[2:]]))
    assert cli.main(["central", "stock", "load", str(file), "--home", folder]) == 1
    assert "有 1 行不对" in capsys.readouterr().err
    assert cli.main(["central", "stock", "load", str(file), "--home", folder, "--dry-run"]) == 0
    assert "2: 数量应为" in capsys.readouterr().out
    assert cli.main(["central", "stock", "load", str(tmp_path / "none.xlsx"), "--home", folder]) == 1
