"""What a trip's papers say, on paper and in a file alike: in Chinese, whoever prints them, for those who sign."""

from __future__ import annotations

from collections.abc import Mapping

from aidvisit.domain import money
from aidvisit.domain.division import village
from aidvisit.services.papers import CASH, Kind, Paper, PrintedRow, Sums, price
from aidvisit.services.sheet.cells import Cell
from aidvisit.services.sheet.paper import PaperTable
from aidvisit.store.queries.catalog import ItemName
from aidvisit.store.queries.papers import Receipt

TITLES: dict[Kind, str] = {
    "roll-empty": "发放花名册(签领表)", "roll": "发放花名册(签领表)", "cash-empty": "慰问金发放表",
    "cash": "慰问金发放表", "before": "拟发放名单公示", "after": "发放结果公示", "village": "走访名单核对表",
}  # fmt: skip
_OUTCOMES = {
    "not-home": "不在家", "moved": "已搬走", "died": "已去世", "in-hospital": "住院", "refused": "谢绝", "met": "未发",
    "other": "未发",
}  # fmt: skip
_PROOFS = {"photo": "有照片", "paper": "见纸质表", "none": "无凭证", "thumbprint": "按手印", "signature": "已签名"}
_METHODS = {"cash": "现金", "transfer": "转账"}


def title(paper: Paper) -> str:
    """With the town and the village, as the head of a sheet has it."""
    return "".join(name for name in paper.place[-2:]) + TITLES[paper.kind]


def item_head(item: ItemName) -> str:
    """`大米(袋,10kg/袋)`; cash is counted in yuan."""
    unit = "元" if item.unit == "fen" else item.unit
    return f"{item.name}({unit}{',' + item.spec if item.spec else ''})"


def price_words(item: ItemName) -> str:
    """`单价 45 元`; nothing for one without a price, and for cash."""
    each = price(item)
    return "" if each is None or item.unit == "fen" else f"单价 {money.yuan(each)} 元"


def number(quantity: int | None, item: ItemName) -> str:
    """A quantity in its column: cash in yuan."""
    if not quantity:
        return ""
    return f"{quantity / 100:,.2f}" if item.unit == "fen" else f"{quantity:,}"


def fen_words(amount: int | None) -> str:
    return "" if amount is None else f"{amount / 100:,.2f}"


def lines_words(row: PrintedRow, items: list[ItemName]) -> str:
    """`大米 2 袋、食用油 1 桶`."""
    return _joined(row.lines, items)


def _joined(lines: Mapping[str, int], items: list[ItemName]) -> str:
    return "、".join(
        f"{item.name} {number(quantity, item)} {'元' if item.unit == 'fen' else item.unit}"
        for item in items
        if (quantity := lines.get(item.code))
    )


def relation_words(row: PrintedRow) -> str:
    """Who took it in the head's place: `儿子 陈强`."""
    others = [one for one in row.line.receipts if one.received_as in ("proxy", "member")]
    return ";".join(dict.fromkeys(" ".join(filter(None, (one.relation, one.received_by))) for one in others))


def proof_words(receipt: Receipt) -> str:
    return _PROOFS.get(receipt.proof or "none", "")


def dates_words(row: PrintedRow) -> str:
    return "、".join(dict.fromkeys(one.date for one in row.line.receipts))


def method_words(row: PrintedRow) -> str:
    """How the money was given: of those deliveries that had some."""
    return "、".join(dict.fromkeys(_METHODS[one.method] for one in row.line.receipts if one.method in _METHODS))


def note_words(row: PrintedRow, items: list[ItemName]) -> str:
    """Why nothing was given, and what of it is kept where."""
    said = [_OUTCOMES.get(row.line.outcome, "未发")] if not row.lines else []
    said += [f"代存{kept.name} {_joined(kept.lines, items)}".strip() for kept in row.line.kept]
    return ";".join(said)


def total_words(sums: Sums) -> str:
    """`人民币(大写):叁佰元整`; nothing where nothing has a price."""
    return "" if sums.fen is None else f"人民币(大写):{money.capitals(sums.fen)}"


def table(paper: Paper) -> PaperTable:
    """A list to sign, or a signed one, as offices keep it: title, office, rows, sum, who handed over and who saw it."""
    cash = paper.kind in CASH
    items = [] if cash else paper.items
    header = ["序号", "户主姓名", "村组", "联系电话", "人数"]
    header += [" ".join(filter(None, (item_head(item), price_words(item)))) for item in items]
    header += ["金额(元)", *(["发放方式"] if cash else []), "领取人签名", "代领关系", "日期", "备注"]
    rows = [_cells(row, paper, cash=cash) for row in paper.rows]
    tail: list[Cell] = [""] * (5 if cash else 4)
    total: list[Cell] = ["合计", f"{paper.total.households} 户", "", "", paper.total.persons or ""]
    rows.append([*total, *_quantities(paper.total.lines, items), _yuan(paper.total.fen), *tail])
    signed = [] if paper.planned else paper.sheets
    handed = list(dict.fromkeys(name for sheet in signed for name in sheet.handed_by))
    seen = list(dict.fromkeys(name for sheet in signed for name in sheet.witnesses))
    below = [
        *filter(None, [total_words(paper.total)]),
        f"经手人:{'、'.join(handed)}      见证人:{'、'.join(seen)}      单位(盖章):",
    ]
    widths = [6, 12, 16, 14, 6, *[13] * len(items), 11, *([9] if cash else []), 18, 14, 13, 30]
    above = [f"填表单位(盖章):          任务:{paper.trip.title}          日期:{_day(paper)}"]
    return PaperTable(title(paper), above, header, rows, below, widths)


def _yuan(fen: int | None) -> Cell:
    return "" if fen is None else fen / 100


def _cells(row: PrintedRow, paper: Paper, *, cash: bool) -> list[Cell]:
    line, signed = row.line, "" if paper.planned else ";".join(proof_words(one) for one in row.line.receipts)
    own: list[Cell] = [line.number, line.name, village(line.village) + line.group, line.phone, line.size or ""]
    method: list[Cell] = [("" if paper.planned else method_words(row))] if cash else []
    written: list[Cell] = (
        ["", "", "", ""]
        if paper.planned
        else [signed, relation_words(row), dates_words(row), note_words(row, paper.items)]
    )
    return [*own, *_quantities(row.lines, [] if cash else paper.items), _yuan(row.fen), *method, *written]


def _quantities(lines: Mapping[str, int], items: list[ItemName]) -> list[Cell]:
    return [
        "" if not (quantity := lines.get(item.code)) else quantity / 100 if item.unit == "fen" else quantity
        for item in items
    ]


def _day(paper: Paper) -> str:
    return paper.trip.starts if paper.trip.starts == paper.trip.ends else f"{paper.trip.starts} 至 {paper.trip.ends}"
