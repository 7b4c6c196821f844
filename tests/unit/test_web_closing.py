"""The office's page of one trip: figures that open their entries, closing it and reopening it."""

from __future__ import annotations

import re
from html import unescape

import pytest

from aidvisit.store import ledger
from aidvisit.store.database import transaction
from sync import log
from tests.support.pages import DAY, LOADED, Pages, words
from tests.support.store import uid

FIGURE = re.compile(r'data-figure="(\w+)"><a class="figure" href="([^"]+)">(\d+)</a>')


@pytest.fixture
def deng(office: Pages) -> Pages:
    assert office.sign_in("office").status_code == 303
    return office


def trip_of(deng: Pages) -> str:
    (path,) = set(re.findall(r'href="(/trips/[0-9a-f-]{36})"', deng.get("/trips").text))
    return str(path)


def test_every_figure_opens_entries_that_add_up_to_it(deng: Pages) -> None:
    found = FIGURE.findall(deng.get(trip_of(deng)).text)
    assert {name for name, _path, _number in found} == {"allocated", "loaded", "on_truck"}
    for _name, path, number in found:
        page = deng.get(unescape(path))
        assert re.findall(r'data-figure="sum">(\d+)<', page.text) == [number]


def test_a_trip_with_goods_on_its_truck_is_not_closed(deng: Pages) -> None:
    path = trip_of(deng)
    page = deng.get(path)
    assert "大米账上还有 43 袋在车上,收车后没有盘点" in words(page)
    assert f"{path}/close" not in page.text
    refused = deng.post(f"{path}/close", {"note": "完"})
    assert refused.status_code == 409
    assert "大米、食用油" in words(refused)


def test_a_difference_is_explained_then_the_trip_closed_and_reopened_with_a_reason(deng: Pages) -> None:
    path = trip_of(deng)
    counted = {f"quantity.{item}": str(number) for item, number in (LOADED | {"rice": 41}).items()}
    assert deng.post(f"{path}/stock", {"what": "count", "date": DAY, **counted}).status_code == 303
    assert "装车的大米有 2 袋既没有发出也没有退回" in words(deng.get(path))
    back = {"what": "return", "date": DAY, "place": "warehouse:main", **counted}
    assert deng.post(f"{path}/stock", back).status_code == 303
    nothing = deng.post(f"{path}/explain", {"reason.rice": " "})
    assert nothing.status_code == 422
    assert "请至少写明一样的原因" in words(nothing)
    assert deng.post(f"{path}/explain", {"reason.rice": "路上破了两袋,电话 13812345678"}).status_code == 303
    page = words(deng.get(path))
    assert "路上破了两袋" in page
    assert "既没有发出" not in page
    assert "已说明" in page
    assert deng.post(f"{path}/close", {"note": "对过了"}).status_code == 303
    page = words(deng.get(path))
    assert "邓若谷" in page
    assert "对过了" in page
    assert deng.post(f"{path}/close").status_code == 409
    assert deng.post(f"{path}/reopen", {"reason": ""}).status_code == 422
    assert deng.post(f"{path}/reopen", {"reason": "漏了一户"}).status_code == 303
    page = words(deng.get(path))
    assert "重新打开" in page
    assert "漏了一户" in page


def test_a_laptop_shows_its_own_trip_and_closes_nothing(laptop: Pages) -> None:
    assert laptop.sign_in().status_code == 303
    goods = laptop.client.get("/stock", follow_redirects=True).text
    path = re.findall(r'href="(/trips/[0-9a-f-]{36})"', goods)[0]
    page = laptop.get(path)
    assert page.status_code == 200
    assert "大米账上还有 43 袋在车上" in words(page)
    assert laptop.post(f"{path}/close").status_code == 404


def test_an_address_that_cannot_be_is_no_page(deng: Pages) -> None:
    for query in ("", "?of=moon", "?of=loaded&trip=x", "?of=loaded&after=x", "?of=loaded&after=2020-01-01~a~b"):
        assert deng.get(f"/entries{query}").status_code == 404


@pytest.mark.parametrize("by", ["item", "trip", "team", "lot"])
def test_figures_over_many_trips_open_entries_that_add_up_to_them(deng: Pages, by: str) -> None:
    page = deng.get(f"/reconciliation?by={by}")
    found = re.findall(r'<a class="figure" href="([^"]+)">(\d+)</a>', page.text)
    assert len(found) >= 6
    for path, number in found:
        assert re.findall(r'data-figure="sum">(\d+)<', deng.get(unescape(path)).text) == [number]


def test_households_over_many_trips_a_page_at_a_time(deng: Pages) -> None:
    page = deng.get("/reconciliation?by=household&open=yes&trips_from=2020-01-01")
    assert len(re.findall(r'<th scope="row"><a href="/households/', page.text)) == 34
    assert deng.get("/reconciliation").status_code == 200
    assert "没有这样的任务" in words(deng.get("/reconciliation?by=item&trips_from=2090-01-01"))
    assert deng.get("/reconciliation?by=item&team=x").status_code == 404


def test_a_month_is_closed_once_and_its_page_opens_the_entries(deng: Pages) -> None:
    assert deng.post("/months", {"month": "moon"}).status_code == 422
    assert deng.post("/months", {"month": "2999-01"}).status_code == 409
    made = deng.post("/months", {"month": "2020-12"})
    assert made.status_code == 303
    page = deng.get(made.location)
    assert "2020-12 月结" in words(page)
    assert "邓若谷" in words(page)
    assert "没有变化" in words(page)
    found = re.findall(r'<a class="figure" href="([^"]+)">(\d+)</a>', page.text)
    assert sorted(int(number) for _path, number in found) == sorted(LOADED.values())
    for path, number in found:
        assert re.findall(r'data-figure="sum">(\d+)<', deng.get(unescape(path)).text) == [number]
    with deng.app.app_context(), transaction() as conn:
        load = conn.exec_driver_sql("SELECT stream, from_place, to_place, date FROM stock_move").first()
        assert load is not None
        more = {"from": load.from_place, "to": load.to_place, "lines": [{"item": "rice", "quantity": 1, "lot": "L-7"}]}
        fact = ledger.Fact(load.stream, "stock.moved", uid(50), {"date": load.date, **more})
        ledger.record(conn, log.own(conn), fact)
    assert "批号 Lot L-7" in words(deng.get(f"/papers/{uid(50)}"))
    page, now = (
        deng.get(made.location),
        re.compile(r'<small class="off"><a class="figure" href="([^"]+)">现在 (\d+)</a>'),
    )
    assert now.findall(page.text), "a figure that is another now opens nothing: what it opened was counted anew"
    for path, number in now.findall(page.text):
        assert re.findall(r'data-figure="sum">(\d+)<', deng.get(unescape(path)).text) == [number]
    again = deng.post("/months", {"month": "2020-12"})
    assert again.status_code == 409
    assert made.location in again.text
    assert deng.get("/months/x").status_code == 404
