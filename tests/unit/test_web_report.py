"""The office's overview, reports, statements and files: figures that open their entries, files that end with a seal."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from hashlib import sha256
from html import unescape

import pytest
from openpyxl import load_workbook

from aidvisit.domain.facts.catalog import place_subject
from aidvisit.services.sheet import write
from aidvisit.services.sheet.write import csv_pieces, sealed, workbook_pieces
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from sync import log
from tests.support.pages import Pages, words
from tests.support.store import delivered, uid

LINK = re.compile(r'data-figure="(\w+)"><a class="figure" href="([^"]+)">([\d,.]+)</a>')


@pytest.fixture
def deng(office: Pages) -> Pages:
    """Three households of the trip received rice, one of them twice and for a member once."""
    assert office.sign_in("office").status_code == 303
    homes = [one.id for one in office.households()[:3]]
    with office.app.app_context(), transaction() as conn:
        trip = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
        given = [
            delivered(uid(20), homes[0], {"rice": 2, "oil": 1}, trip=trip),
            delivered(uid(21), homes[0], {"rice": 1}, trip=trip, date="2021-01-04", **{"for": uid(700)}),
            delivered(uid(22), homes[1], {"rice": 1}, trip=trip),
            delivered(uid(23), homes[2], {"oil": 1}, trip=None),
        ]
        ledger.record(conn, log.own(conn), *given)
    return office


def exports(pages: Pages) -> list[dict[str, object]]:
    """What the audit says was taken along."""
    with pages.app.app_context(), reading() as conn:
        found = [entry.op.body for entry in log.iterate(conn, "office") if entry.op.kind == "access.recorded"]
    return [body for body in found if body["what"] == "export"]


def test_every_quantity_of_a_report_opens_entries_that_add_up_to_it(deng: Pages) -> None:
    for by in ("day", "month", "item", "class", "county", "town", "village", "team", "trip", "category", "donor"):
        page = deng.get(f"/reports?by={by}&all=1")
        assert page.status_code == 200, by
        found = [(path, number) for name, path, number in LINK.findall(page.text) if name == "item"]
        assert found, by
        for path, number in found:
            opened = deng.get(unescape(path))
            assert re.findall(r'data-figure="sum">([\d,.]+)<', opened.text) == [number], (by, path)


def test_households_persons_and_times_are_told_apart(deng: Pages) -> None:
    page = deng.get("/reports?by=item&all=1").text
    rice = page[page.index('data-key="rice"') : page.index('data-key="oil"')]
    assert [number for name, _path, number in LINK.findall(rice) if name != "item"] == ["2", "3", "3"]
    whole = page[page.index('data-key="sum"') :]
    assert [number for name, _path, number in LINK.findall(whole) if name != "item"] == ["3", "4", "4"]
    assert "不是家庭人口" in words(deng.get("/reports?all=1"))


def test_a_donor_whom_nobody_defined_stands_under_its_code_and_can_be_asked_for(deng: Pages) -> None:
    came = {"from": "donor:somebody-else", "to": "warehouse:main", "date": "2020-12-01"}
    moved = came | {"lines": [{"item": "rice", "quantity": 9, "lot": "L-9"}]}
    with deng.app.app_context(), transaction() as conn:
        home = conn.exec_driver_sql("SELECT household FROM delivery").scalars().first()
        given = delivered(uid(30), str(home), {"rice": 3}, trip=None)
        given.body["lines"][0]["lot"] = "L-9"
        ledger.record(conn, log.own(conn), ledger.Fact("org", "stock.moved", uid(31), moved), given)
    rows = deng.get("/reports?by=donor&all=1").text
    assert 'data-key="somebody-else"' in rows
    page = deng.get("/reports?by=month&all=1&donor=somebody-else")
    assert '<option value="somebody-else" selected>somebody-else</option>' in page.text
    assert [number for name, _path, number in LINK.findall(page.text) if name == "item"][-1] == "3"


def test_a_file_says_what_has_no_price_and_its_name_of_which_days_it_is(deng: Pages) -> None:
    answer = deng.post("/reports/file", {"by": "item", "as": "csv", "from": "2020-12-01", "item": "rice"})
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="report-item-2020-12-01-now-part-'), (
        answer.headers
    )
    header, rice, *_ = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert (rice[header.index("价值(元)")], rice[header.index("没有计入价值的")]) == ("", "有没有单价的物资")


def test_reports_begin_with_the_last_year_else_with_all_there_is(deng: Pages) -> None:
    assert "全部日期" in words(deng.get("/reports"))


def test_what_cannot_be_asked_is_not_found(deng: Pages) -> None:
    for path in ("/reports?by=phone", "/reports?from=yesterday", "/reports/donor?donor=nobody", "/?team=x"):
        assert deng.get(path).status_code == 404, path


def test_the_overview_has_a_table_for_every_chart_and_says_as_of_when(deng: Pages) -> None:
    page = deng.get("/?all=1")
    charts = re.findall(r'data-chart="([\w-]+)"', page.text)
    drawn = ("day", "item", "class", "place", "team", "category", "reached", "stock")
    assert set(charts) == {f"table-{name}" for name in drawn}
    for one in charts:
        assert f'id="{one}"' in page.text
    assert "4 人次" in words(page)
    assert page.text.count("数据截至各台笔记本最近一次上报") >= len(charts)
    assert "<script>" not in page.text
    assert not re.search(r'\sstyle="', page.text)


def test_a_report_as_a_file_is_sealed_and_in_the_audit(deng: Pages) -> None:
    answer = deng.post("/reports/file", {"by": "item", "as": "csv"})
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][:5] == ["物资", "编码", "户", "人", "人次"]
    assert rows[1][1:5] == ["rice", "2", "3", "3"]
    *before, last = answer.data.splitlines(keepends=True)
    assert last.decode().strip().split(",") == ["行数", "3", "SHA-256", sha256(b"".join(before)).hexdigest()]
    assert exports(deng) == [{"what": "export", "rows": 3, "detail": "report"}]


def test_entries_as_a_file_are_those_of_the_page_in_both_forms(deng: Pages) -> None:
    asked = {"of": "delivered", "item": "rice"}
    text = deng.post("/entries/file", asked | {"as": "csv"}).data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[2] for row in rows[1:-1]] == ["1", "1", "2"]
    assert {tuple(row[5:7]) for row in rows[1:-1]} == {(f"{rows[1][7]}的车", "困难家庭")}
    assert exports(deng) == [{"what": "export", "rows": 3, "detail": "entries"}]
    book = load_workbook(io.BytesIO(deng.post("/entries/file", asked).data), read_only=True)
    cells = [[str(cell) if cell is not None else "" for cell in row] for row in book.worksheets[0].values]
    assert [row[:4] for row in cells] == [row[:4] for row in rows]
    assert deng.post("/entries/file", {"of": "nothing"}).status_code == 404
    assert deng.post("/entries/file", {"of": "delivered", "from": "x"}).status_code == 404


def test_a_households_own_statement(deng: Pages) -> None:
    home = deng.households()[0].id
    masked = deng.post(f"/households/{home}/statement")
    assert masked.status_code == 200
    assert "2 人次" in words(masked)
    assert "*" in words(masked)
    full = deng.post(f"/households/{home}/statement", {"in_full": "yes"})
    assert re.search(r"\d{17}[\dX]", words(full))
    assert deng.post(f"/households/{uid(999)}/statement").status_code == 404


def test_a_donors_statement_names_nobody_and_no_village_of_fewer_than_three(deng: Pages) -> None:
    with deng.app.app_context(), transaction() as conn:
        donor = {"code": "ai", "name": "爱心公司", "kind": "donor"}
        ledger.record(conn, log.own(conn), ledger.Fact("org", "place.defined", place_subject("donor:ai"), donor))
    page = deng.get("/reports/donor?donor=ai")
    assert page.status_code == 200
    assert "爱心公司" in words(page)
    assert "不足 3 户" in words(page)
    for one in deng.households():
        assert one.name not in page.text


def test_a_seal_is_the_same_in_both_forms_and_missing_in_what_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "MOST_ROWS", 3)
    header, rows = ["名", "数"], [["=1+1", number] for number in range(7)]
    text = "".join(csv_pieces(header, sealed(header, rows))).encode()
    *before, last = text.splitlines(keepends=True)
    assert last.decode().strip() == f"行数,7,SHA-256,{sha256(b''.join(before)).hexdigest()}"
    book = load_workbook(io.BytesIO(b"".join(workbook_pieces([("表", header, sealed(header, rows))]))))
    assert [sheet.title for sheet in book.worksheets] == ["表", "表2", "表3"]
    found = [row for sheet in book.worksheets for row in list(sheet.values)[1:]]
    assert [row[:2] for row in found[:7]] == [("=1+1", number) for number in range(7)]
    assert ",".join(map(str, found[7])) == last.decode().strip()
    assert book.worksheets[0]["A2"].data_type == "s"


def test_a_sheet_ends_before_the_zip_cannot_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 60_000)
    monkeypatch.setattr(write, "MOST_BYTES", 30_000)
    rows = [[number, "一" * 10] for number in range(1_500)]
    book = load_workbook(io.BytesIO(b"".join(workbook_pieces([("表", ["数", "字"], rows)]))))
    assert [sheet.max_row for sheet in book.worksheets] == [400, 400, 400, 304]
    assert [sheet["A1"].value for sheet in book.worksheets] == ["数"] * 4
    assert [list(row) for sheet in book.worksheets for row in list(sheet.values)[1:]] == rows
