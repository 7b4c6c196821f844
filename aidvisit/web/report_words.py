"""What the axes of a report and the rows that have no name of their own are called."""

from __future__ import annotations

from aidvisit.domain.report import Axis
from aidvisit.services.report import Row
from aidvisit.web.i18n import lazy as _

AXES = {
    "day": _("日期"), "month": _("月份"), "item": _("物资"), "class": _("物资类别"), "county": _("县"),
    "town": _("乡镇"), "village": _("村"), "team": _("队伍"), "trip": _("任务"), "category": _("困难类型"),
    "donor": _("捐赠方"),
}  # fmt: skip
CLASSES = {
    "food": _("食品"), "cash": _("现金"), "school": _("学习用品"), "health": _("医药卫生"),
    "household_goods": _("生活用品"), "service": _("服务"),
}  # fmt: skip
NOT_KNOWN = {
    "trip": _("不在任务中"), "donor": _("捐赠方不明"),
}  # fmt: skip


def axis_words(axis: Axis) -> str:
    return str(AXES[axis])


def row_words(axis: Axis, row: Row) -> str:
    """Its name, else what stands for it."""
    if axis == "class" and row.key:
        return str(CLASSES.get(row.key, row.key))
    if axis == "donor" and row.key.startswith("~"):
        return str(NOT_KNOWN["donor"])
    return row.name or row.key or str(NOT_KNOWN.get(axis, _("不详")))
