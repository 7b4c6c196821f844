"""A sheet of goods that came in becomes receipts (入库) at the centre: row by row, all or nothing, twice is once."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID, uuid5

from sqlalchemy import Connection

from aidvisit.domain import money
from aidvisit.errors import Problem
from aidvisit.services import audit
from aidvisit.services.bodies import checked, filled
from aidvisit.services.sheet.cells import find_date, whole_number
from aidvisit.services.sheet.goods import GoodsLine, goods_lines
from aidvisit.services.sheet.layout import match_name
from aidvisit.services.sheet.read import read_sheets
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import catalog, goods
from aidvisit.store.queries.catalog import ItemName, PlaceRow
from sync import log

State = Literal["new", "same", "refused"]
COLUMNS = ("item", "quantity", "donor", "lot", "expires", "value", "date", "place")
RECEIPTS = UUID("5b1d1e43-6a0e-5d0c-9c1f-0d6f2a0c7a11")
"""The namespace of the ids that follow from what a row says."""
LOT = 100


@dataclass(frozen=True, slots=True)
class StockRow:
    """One row and what would become of it. `move`: the id of its receipt; `why`: of a refused one, both languages.

    `quantity` in the item's unit, cash in fen; `value_fen`: of one unit.
    """

    sheet: str
    row: int
    state: State
    said: Mapping[str, str]
    why: str = ""
    move: str = ""
    item: str = ""
    quantity: int = 0
    source: str = ""
    target: str = ""
    date: str = ""
    lot: str = ""
    expires: str = ""
    value_fen: int | None = None


@dataclass(frozen=True, slots=True)
class StockList:
    rows: list[StockRow]
    items: Mapping[str, ItemName]
    places: Mapping[str, str]
    """Name by place."""

    def count(self, state: State) -> int:
        return sum(row.state == state for row in self.rows)

    def text(self) -> str:
        """What was read, as a .csv that reads the same again: between preview and saving nothing is kept."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            amount = money.yuan(row.quantity) if self.items[row.item].unit == "fen" else row.quantity
            value = "" if row.value_fen is None else money.yuan(row.value_fen)
            writer.writerow(
                (row.item, amount, row.source, row.lot, row.expires, value, row.date, row.target)
            )  # fmt: skip
        return text.getvalue()


def preview(raw: bytes, name: str, *, today: str) -> StockList:
    """What a file would record. `today`: nothing came in after it. Raises: Problem `not-a-sheet`, `sheet-too-large`,
    `no-goods-found`.
    """
    lines = _read(raw, name)
    with reading() as conn:
        return _list(conn, lines, today)


def load(raw: bytes, name: str, *, actor: str, today: str) -> StockList:
    """Record every row, or none; what was recorded before is not recorded again.

    Raises: Problem as `preview`; `not-allowed` on a laptop; `refused-lines` when any row is refused.
    """
    lines = _read(raw, name)
    with transaction() as conn:
        if not log.is_centre(conn):
            raise Problem("not-allowed", actor_or_device=actor, kind="stock.moved")
        log.lock_device(conn, log.own(conn))
        found = _list(conn, lines, today)
        if wrong := [row for row in found.rows if row.state == "refused"]:
            raise Problem("refused-lines", count=len(wrong), line=wrong[0].row)
        facts = [checked(_fact(row)) for row in found.rows if row.state == "new"]
        if facts:
            ledger.record(conn, actor, *facts)
            audit.record(actor, audit.IMPORT, conn=conn, rows=len(facts))
        return found


def _read(raw: bytes, name: str) -> list[GoodsLine]:
    lines = goods_lines(read_sheets(raw, name))
    if not lines:
        raise Problem("no-goods-found", file=name)
    return lines


def _fact(row: StockRow) -> Fact:
    line = filled(item=row.item, quantity=row.quantity, lot=row.lot, expires=row.expires, value_fen=row.value_fen)
    body: dict[str, Any] = {"from": row.source, "to": row.target, "date": row.date, "lines": [line]}
    return Fact("org", "stock.moved", row.move, body)


def _list(conn: Connection, lines: list[GoodsLine], today: str) -> StockList:
    items = catalog.items(conn)
    places = {f"{one.kind}:{one.code}": one for one in catalog.places(conn)}
    known = _Known(items, places, today)
    times: Counter[tuple[Any, ...]] = Counter()
    rows = [known.row(line, times) for line in lines]
    there = goods.recorded(conn, [row.move for row in rows if row.move])
    return StockList(
        [_seen(row, there) for row in rows], items, {place: one.name for place, one in places.items()}
    )  # fmt: skip


def _seen(row: StockRow, there: Collection[str]) -> StockRow:
    return replace(row, state="same") if row.move in there else row


class _Known:
    """What a row's words are looked up in."""

    def __init__(self, items: Mapping[str, ItemName], places: Mapping[str, PlaceRow], today: str) -> None:
        self.items, self.today = items, today
        self.by_name = {item.name: code for code, item in items.items() if item.item_class != "service"}
        self.sources = {place: one for place, one in places.items() if one.kind in ("donor", "warehouse", "fund")}
        self.targets = {place: one for place, one in places.items() if one.kind in ("warehouse", "fund")}

    def row(self, line: GoodsLine, times: Counter[tuple[Any, ...]]) -> StockRow:
        """`times`: how often the same was said above, for two receipts that are alike are two."""
        try:
            return self._row(line, times)
        except ValueError as error:
            return StockRow(line.sheet, line.row, "refused", line.said, str(error))

    def _row(self, line: GoodsLine, times: Counter[tuple[Any, ...]]) -> StockRow:
        said = line.said
        item = self._item(said["item"])
        quantity = self._quantity(said["quantity"], self.items[item], said.get("unit", ""))
        source = _place(said.get("donor", ""), self.sources, "捐赠方", "donor")
        target = _place(said.get("place", ""), self.targets, "仓库", "place")
        if source == target:
            raise ValueError("从哪里来和入到哪里一样。 / It cannot come from where it goes.")
        day = self._day(said.get("date", ""))
        expires = find_date(said.get("expires", "")) or ""
        if said.get("expires") and not expires:
            raise ValueError("有效期应为日期,如 2026-12-31。 / The expiry must be a date like 2026-12-31.")
        lot = said.get("lot", "")
        if len(lot) > LOT:
            raise ValueError(f"批次最多 {LOT} 个字。 / A lot has at most {LOT} characters.")
        value = _value(said, quantity)
        key = (source, target, day, item, quantity, lot, expires, value)
        times[key] += 1
        move = str(uuid5(RECEIPTS, json.dumps([*key, times[key]], ensure_ascii=False)))
        return StockRow(
            line.sheet, line.row, "new", said, "", move, item, quantity, source, target, day, lot, expires, value
        )  # fmt: skip

    def _item(self, said: str) -> str:
        code = said if said in self.items else self.by_name.get(match_name(said, self.by_name) or "", "")
        if not code:
            raise ValueError(
                f"基础数据里没有物资“{said}”,请先添加。 / The catalogue has no item “{said}”: add it first."
            )
        return code

    def _quantity(self, said: str, item: ItemName, unit: str) -> int:
        cash = item.unit == "fen"
        wanted = "元" if cash else item.unit
        if unit and unit != wanted:
            raise ValueError(f"单位应为“{wanted}”,不是“{unit}”。 / The unit is “{wanted}”, not “{unit}”.")
        found = money.fen(_amount(said)) if cash else whole_number(said)
        if not found or found < 0:
            raise ValueError("数量应为大于 0 的整数(现金为元)。 / A quantity is a whole number above 0 (cash: yuan).")
        return found

    def _day(self, said: str) -> str:
        day = find_date(said)
        if day is None:
            raise ValueError("请写日期,如 2026-03-29。 / Give a date like 2026-03-29.")
        if day > self.today:
            raise ValueError(f"日期 {day} 在今天之后。 / The date {day} is still to come.")
        return day


def _place(said: str, known: Mapping[str, PlaceRow], zh: str, en: str) -> str:
    """By its reference, code or name; where nothing is said, the only one that there is."""
    found = [place for place, one in known.items() if said in (place, one.code, one.name)]
    own = [place for place, one in known.items() if one.kind == ("donor" if en == "donor" else "warehouse")]
    if not said and len(own) == 1:
        return own[0]
    if not said:
        raise ValueError(f"请写{zh}。 / Give a {en}.")
    if len(found) != 1:
        raise ValueError(f"基础数据里没有{zh}“{said}”,请先添加。 / There is no {en} “{said}”: add it first.")
    return found[0]


def _value(said: Mapping[str, str], quantity: int) -> int | None:
    """Fen of one unit: as it stands there, else the whole amount divided."""
    for name in ("value", "amount"):
        text = said.get(name, "")
        if not text:
            continue
        found = money.fen(_amount(text))
        if found is None:
            raise ValueError(f"“{text}”不是金额(元)。 / “{text}” is no amount in yuan.")
        if name == "amount" and found % quantity:
            raise ValueError("金额除不尽数量,请写单价。 / The amount cannot be divided: give the value of one unit.")
        return found // quantity if name == "amount" else found
    return None


def _amount(text: str) -> str:
    """Without the signs of money around it."""
    return text.replace("¥", "").replace("¥", "").removesuffix("元").strip()
