"""A list as somebody typed it, read step by step: Sheet → Layout → Rows → Plan. Pure: no Flask, no SQL."""

from aidvisit.services.sheet.cells import Sheet, open_sheets
from aidvisit.services.sheet.layout import ItemColumn, Layout, find_layout
from aidvisit.services.sheet.plan import Known, Plan, Question, Refused, make_plan
from aidvisit.services.sheet.rows import SheetRow, read_rows

__all__ = [
    "ItemColumn",
    "Known",
    "Layout",
    "Plan",
    "Question",
    "Refused",
    "Sheet",
    "SheetRow",
    "find_layout",
    "make_plan",
    "open_sheets",
    "read_rows",
]
