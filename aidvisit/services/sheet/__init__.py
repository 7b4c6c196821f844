"""A list as somebody typed it, read step by step: Sheet → Layout → Rows → Plan. Pure: no Flask, no SQL."""

from aidvisit.services.sheet.cells import Sheet
from aidvisit.services.sheet.guess import Hints
from aidvisit.services.sheet.known import Category, Known, KnownHousehold, KnownItem, KnownMember
from aidvisit.services.sheet.layout import ItemColumn, Layout, find_layout
from aidvisit.services.sheet.match import make_plan
from aidvisit.services.sheet.plan import Decisions, Listed, Outcome, Plan, Question, Refused
from aidvisit.services.sheet.read import open_sheets, read_sheets
from aidvisit.services.sheet.rows import SheetRow, read_rows

__all__ = [
    "Category",
    "Decisions",
    "Hints",
    "ItemColumn",
    "Known",
    "KnownHousehold",
    "KnownItem",
    "KnownMember",
    "Layout",
    "Listed",
    "Outcome",
    "Plan",
    "Question",
    "Refused",
    "Sheet",
    "SheetRow",
    "find_layout",
    "make_plan",
    "open_sheets",
    "read_rows",
    "read_sheets",
]
