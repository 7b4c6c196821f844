"""A list by page, without a script: file, columns, what becomes of each row, and all of it or nothing."""

from __future__ import annotations

import json
import re
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from aidvisit.services import account, import_job
from aidvisit.store.database import reading, transaction
from aidvisit.store.uploads import upload
from sync import log
from tests.support.pages import TOKEN, Pages
from tests.support.pages import typed as fields
from tests.support.soon import soon

DATA = Path(__file__).parents[1] / "data"
SELECT = re.compile(r'<select[^>]* name="([^"]+)">(.*?)</select>', re.S)
CHOSEN = re.compile(r'<option value="([^"]*)" selected')


def bring(pages: Pages, path: Path, raw: bytes | None = None) -> str:
    """The address of a list that was just brought, once its columns are there."""
    token = TOKEN.search(pages.get("/import").text)
    assert token is not None
    form = {"csrf_token": token[1], "file": (BytesIO(raw if raw is not None else path.read_bytes()), path.name)}
    answer = pages.client.post("/import", data=form, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return answer.location


def rest(pages: Pages, address: str) -> TestResponse:
    """The page, once nobody works at the list any more."""
    found: list[TestResponse] = []

    def ready() -> bool:
        found[:] = [pages.get(address)]
        return 'http-equiv="refresh"' not in found[0].text

    assert soon(ready, 60)
    return found[0]


def typed(page: TestResponse) -> dict[str, str]:
    """What the form of the columns holds."""
    chosen = {unescape(name): CHOSEN.findall(options) for name, options in SELECT.findall(page.text)}
    return fields(page) | {name: unescape(found[0]) if found else "" for name, found in chosen.items()}


def columns(pages: Pages, address: str, **more: str) -> TestResponse:
    form = typed(rest(pages, address)) | more
    assert pages.post(f"{address}/columns", form).status_code == 303
    return rest(pages, address)


def ops(pages: Pages) -> int:
    with pages.app.app_context(), reading() as conn:
        return log.state(conn).last_seq


@pytest.fixture(params=["office", "laptop"])
def pages(request: pytest.FixtureRequest) -> Pages:
    """Either end, with somebody who may."""
    found: Pages = request.getfixturevalue(request.param)
    found.sign_in("luo")
    return found


@pytest.fixture
def luo(office: Pages) -> Pages:
    """The centre, with a leader signed in."""
    office.sign_in("luo")
    return office


def test_a_list_goes_all_the_way(pages: Pages) -> None:
    """Nothing is written before somebody says so; then all but the refused rows, and a second time nothing."""
    before = ops(pages)
    address = bring(pages, DATA / "messy.xlsx")
    page = columns(pages, address)
    assert "还没有写入" in page.text
    assert "不认识困难类型“贫困程度一般”" in page.text
    assert "谢玉容" in page.text
    assert ops(pages) == before
    assert pages.post(f"{address}/save").status_code == 303
    page = rest(pages, address)
    assert "已经导入" in page.text
    assert "新 51 · 相同 0 · 有改动 0" in page.text
    assert ops(pages) > before + 51
    with pages.app.app_context(), reading() as conn:
        assert [row.bytes for row in conn.execute(upload.select())] == [None], "the file is gone"
    done = ops(pages)
    address = bring(pages, DATA / "messy.xlsx")
    columns(pages, address)
    pages.post(f"{address}/save")
    assert "新 0 · 相同 51 · 有改动 0" in rest(pages, address).text
    assert ops(pages) == done


def test_refused_rows_are_a_spreadsheet(luo: Pages) -> None:
    address = bring(luo, DATA / "messy.xls")
    columns(luo, address)
    answer = luo.post(f"{address}/refused")
    sheet = load_workbook(BytesIO(answer.data)).worksheets[0]
    assert sheet.max_row == 3 + 9
    assert "不能小于 0" in str(sheet["J5"].value)


def test_columns_are_changed_and_remembered(luo: Pages) -> None:
    """A heading that nobody knows is read as somebody says, also in the next list of the same headings."""
    raw = "户主,住哪,队长电话,身份证号\n杨雪珍,民强村,18874644436,44122519720601118X\n".encode("gb18030")
    address = bring(luo, Path("一.csv"), raw)
    assert "没认出来" in rest(luo, address).text
    page = columns(luo, address, **{"column.0.1": "village", "column.0.2": "phone", "division": "441225112"})
    assert "新 0 · 相同 1" in page.text, "a household of the sample"
    luo.post(f"{address}/save")
    rest(luo, address)
    again = typed(rest(luo, bring(luo, Path("二.csv"), raw)))
    assert (again["column.0.1"], again["column.0.2"]) == ("village", "phone")


def test_what_is_unclear_is_asked_on_the_page_and_nothing_is_lost(luo: Pages) -> None:
    raw = "姓名,电话,人口\n杨雪珍,18874644436,2\n".encode()
    address = bring(luo, Path("list.csv"), raw)
    page = columns(luo, address, trip="冬季慰问")
    assert "要先说清楚这些" in page.text
    assert 'value="冬季慰问"' in page.text
    assert "新 1 · 相同 0" in columns(luo, address, division="441225112207").text


def test_a_file_that_is_no_list_says_so(luo: Pages) -> None:
    page = rest(luo, bring(luo, Path("photo.xlsx"), b"\x89PNG\r\n\x1a\n"))
    assert "不是能读的表格" in page.text
    token = TOKEN.search(luo.get("/import").text)
    assert token is not None
    assert luo.client.post("/import", data={"csrf_token": token[1]}).status_code == 422


def test_a_file_that_is_too_large_is_not_kept(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop's pages take photos of 32 MB: that is no measure for a list."""
    monkeypatch.setattr(import_job, "MAX_FILE_BYTES", 1024)
    token = TOKEN.search(pages.get("/import").text)
    assert token is not None
    form = {"csrf_token": token[1], "file": (BytesIO(b"x" * 1025), "list.csv")}
    answer = pages.client.post("/import", data=form, content_type="multipart/form-data")
    assert answer.status_code in (413, 422)
    with pages.app.app_context(), reading() as conn:
        assert conn.execute(select(upload.c.id)).all() == []


def test_a_second_list_leaves_the_first(luo: Pages) -> None:
    """Each stays where it is until it is imported or given up."""
    first, second = bring(luo, DATA / "messy.xlsx"), bring(luo, DATA / "dahuai-ledger-2024.xlsx")
    rest(luo, first), rest(luo, second)
    page = luo.get("/import").text
    assert page.count("messy.xlsx</b>") == page.count("dahuai-ledger-2024.xlsx</b>") == 1
    assert luo.get(first).status_code == 200


def test_a_list_is_its_owners(luo: Pages) -> None:
    address = bring(luo, DATA / "messy.xlsx")
    rest(luo, address)
    other = Pages(luo.app)
    other.sign_in("admin")
    assert other.get(address).status_code == 404
    assert other.post(f"{address}/save").status_code == 404
    other.post(f"{address}/drop")
    assert luo.get(address).status_code == 200
    luo.post(f"{address}/drop")
    assert luo.get(address).status_code == 404


def test_what_changed_meanwhile_is_shown_again_before_it_is_written(luo: Pages) -> None:
    first, second = (bring(luo, DATA / "messy.xlsx") for _ in range(2))
    columns(luo, first)
    columns(luo, second)
    luo.post(f"{first}/save")
    rest(luo, first)
    before = ops(luo)
    luo.post(f"{second}/save")
    page = rest(luo, second)
    assert "登记的资料变了" in page.text
    assert "新 0 · 相同 51" in page.text
    assert ops(luo) == before


def test_whoever_worked_at_a_list_and_died_is_noticed(luo: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    address = bring(luo, DATA / "messy.xlsx")
    rest(luo, address)
    monkeypatch.setattr(import_job._Job, "run", lambda *_: None)
    monkeypatch.setattr(import_job, "DEAD_S", -1.0)
    luo.post(f"{address}/columns", typed(luo.get(address)))
    assert "做到一半程序停了" in luo.get(address).text
    monkeypatch.undo()
    assert "还没有写入" in columns(luo, address).text


def test_a_list_is_given_to_no_team_that_is_not_ones_own(luo: Pages) -> None:
    """Whatever the form names: the goods are for the one team that works there."""
    with luo.app.app_context():
        with reading() as conn:
            device = log.own(conn)
        elsewhere = account.add_team(actor=device, name="别处的队", divisions=["441223"])
    columns(luo, bring(luo, DATA / "minqiang-2020-12-30.xlsx"), team=elsewhere)
    with luo.app.app_context(), reading() as conn:
        assert [json.loads(said)["team"] for said in conn.execute(select(upload.c.said)).scalars()] == [""]


def test_a_list_that_nobody_comes_back_to_goes_after_a_day(luo: Pages) -> None:
    """At the next sign-in, whoever that is; one that was brought since stays."""
    old, new = (bring(luo, DATA / "messy.xlsx") for _ in range(2))
    rest(luo, old), rest(luo, new)
    with luo.app.app_context(), transaction() as conn:
        conn.execute(update(upload).where(upload.c.id == old.rpartition("/")[2]).values(made_at="2020-01-01"))
    Pages(luo.app).sign_in("admin")
    with luo.app.app_context(), reading() as conn:
        assert conn.execute(select(upload.c.id)).scalars().all() == [new.rpartition("/")[2]]
