"""The projection's tables, one file per noun. Nothing but store/apply writes to them.

Every row carries its stream; no constraint crosses streams. Tables whose rows a later op may replace keep
`order_key`, the place in the order of everything of the op that they come from.
"""

from aidvisit.store.database import Base
from aidvisit.store.tables.account import Access, FieldDevice, Team, User
from aidvisit.store.tables.audit import audited
from aidvisit.store.tables.catalog import Category, Division, Item, Place
from aidvisit.store.tables.delivery import Delivery, DeliveryLine, Settlement
from aidvisit.store.tables.household import Erasure, FieldConflict, Household, HouseholdCategory, LikenessKey, Member
from aidvisit.store.tables.search import HouseholdCount, HouseholdSearch
from aidvisit.store.tables.stock import StockCount, StockCountLine, StockLine, StockMove
from aidvisit.store.tables.trip import Allocation, Release, Trip
from aidvisit.store.tables.visit import Visit

metadata = Base.metadata

__all__ = [
    "Access",
    "Allocation",
    "Category",
    "Delivery",
    "DeliveryLine",
    "Division",
    "Erasure",
    "FieldConflict",
    "FieldDevice",
    "Household",
    "HouseholdCategory",
    "HouseholdCount",
    "HouseholdSearch",
    "Item",
    "LikenessKey",
    "Member",
    "Place",
    "Release",
    "Settlement",
    "StockCount",
    "StockCountLine",
    "StockLine",
    "StockMove",
    "Team",
    "Trip",
    "User",
    "Visit",
    "audited",
    "metadata",
]
