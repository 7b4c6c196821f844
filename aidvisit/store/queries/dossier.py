"""The tables of a trip's dossier: rows for people, the same from the same facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, select

from aidvisit.domain import place
from aidvisit.store.queries import catalog, goods
from aidvisit.store.queries.alias import aliases
from aidvisit.store.queries.catalog import Quantity
from aidvisit.store.tables import Allocation, Delivery, DeliveryLine, Household

RECEIVED_AS = {"head": "户主本人", "member": "家庭成员", "proxy": "代领", "institution": "单位"}
PROOFS = {"paper": "纸质表", "none": "无凭证"}
MOVES = {
    "load": "出库", "return": "退库", "transfer": "调拨", "loss": "损耗", "gain": "盘盈", "custody": "代存",
    "receipt": "入库",
}  # fmt: skip
Rows = Iterator[Sequence[str | int]]


def _homes(conn: Connection) -> dict[str, tuple[str, str]]:
    query = select(Household.id, Household.name, Household.division)
    return {row.id: (row.name, row.division) for row in conn.execute(query)}


def _deliveries(conn: Connection, trip: str) -> Rows:
    yield ("记录", "日期", "户", "户主", "村代码", "物资", "领取人", "身份", "关系", "凭证", "状态", "原因")
    homes, known = _homes(conn), catalog.items(conn)
    lines: dict[str, dict[str, int]] = {}
    for line in conn.execute(
        select(DeliveryLine.__table__).where(DeliveryLine.trip == trip).order_by(DeliveryLine.line)
    ):
        held = lines.setdefault(line.delivery, {})
        held[line.item] = held.get(line.item, 0) + line.quantity
    query = select(Delivery.__table__).where(Delivery.trip == trip).order_by(Delivery.device, Delivery.seq)
    for row in conn.execute(query):
        name, division = homes.get(row.household, ("", ""))
        given = _words(catalog.quantities(known, lines.get(row.id, {})))
        proofs = " ".join(
            str(one.get("sha256") or PROOFS.get(one.get("as"), one.get("as"))) for one in row.proofs or []
        )
        state = "有效" if row.counts else "作废" if row.void_reason is not None else "已更正"
        yield (
            f"{row.device}/{row.seq}", row.date, row.household, name, division, given, row.received_by,
            RECEIVED_AS.get(row.received_as, row.received_as), row.received_relation or "", proofs, state,
            row.void_reason or "",
        )  # fmt: skip


def _allotments(conn: Connection, trip: str) -> Rows:
    yield ("户", "户主", "村代码", "物资", "应发", "实发")
    homes, alias, known = _homes(conn), aliases(conn), catalog.items(conn)
    got: dict[tuple[str, str], int] = {}
    query = select(DeliveryLine.__table__).where(DeliveryLine.trip == trip, DeliveryLine.counts)
    for row in conn.execute(query):
        at = (alias.of(row.household), row.item)
        got[at] = got.get(at, 0) + row.quantity
    planned: dict[tuple[str, str], int] = {}
    for row in conn.execute(select(Allocation.__table__).where(Allocation.trip == trip, Allocation.quantity > 0)):
        at = (alias.of(row.household), row.item)
        planned[at] = planned.get(at, 0) + row.quantity
    for home, item in sorted({*got, *planned}):
        name, division = homes.get(home, ("", ""))
        called = known[item].name if item in known else item
        yield home, name, division, called, planned.get((home, item), 0), got.get((home, item), 0)


def _goods(conn: Connection, trip: str) -> Rows:
    yield ("编号", "日期", "种类", "单号", "从", "到", "物资", "原因")
    for paper in sorted(goods.papers(conn, place.truck(trip)), key=lambda one: (one.date, one.id)):
        yield (
            paper.id, paper.date, MOVES.get(paper.kind, paper.kind), paper.slip or "", paper.from_place, paper.to_place,
            _words(paper.lines), paper.reason or "",
        )  # fmt: skip


def _words(lines: Sequence[Quantity]) -> str:
    return "、".join(f"{one.name} {one.quantity} {one.unit}" for one in lines)


TABLES: dict[str, Callable[[Connection, str], Rows]] = {
    "deliveries.csv": _deliveries, "allotments.csv": _allotments, "goods.csv": _goods,
}  # fmt: skip
"""By the name of its file; the first row is the heading."""
