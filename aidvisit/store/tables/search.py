"""What households are found by: a row each, and beside it an index of tokens that only the database can read.

`household_index` is a full-text table on SQLite, rowid = `n`, of which nothing is read but `n`. On PostgreSQL it is a
table with a GIN index, that also has what households are put in order by: it is read anyway for each that is found.
What goes from `household_search` goes from it by itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Connection, Identity, Index, Integer, Table, event, text
from sqlalchemy.orm import Mapped, mapped_column

from aidvisit.domain.search import CROWDED
from aidvisit.store.database import Base
from aidvisit.store.tables.columns import Code, Id, MaybeDate, MaybeWords, Quantity, Ref, Words

CONTENTLESS = (3, 43, 0)
"""The SQLite from which on rows can be taken out of an index that keeps no text."""

FIRST_HOUSEHOLDS = 50_000
"""On PostgreSQL these, the first by `n`, have an index of their own beside that of all: see `store/queries/ranked`."""
NEXT_HOUSEHOLDS = 200_000
"""So many after them have one, too; nobody is in both."""

_SQLITE = (
    "CREATE VIRTUAL TABLE household_index USING fts5(tokens, {options}detail=none, tokenize='ascii')",
    """CREATE TRIGGER household_search_deleted AFTER DELETE ON household_search BEGIN
    DELETE FROM household_index WHERE rowid = old.n; END""",
)
_POSTGRESQL = (
    """CREATE TABLE household_index (
    n bigint PRIMARY KEY REFERENCES household_search (n) ON DELETE CASCADE, household varchar(36) COLLATE "C" NOT NULL,
    division varchar COLLATE "C" NOT NULL, village_group text, name text NOT NULL, tokens tsvector NOT NULL)""",
    # Without a list of what is pending, which every search would have to read as well.
    "CREATE INDEX ix_household_index_tokens ON household_index USING gin (tokens) WITH (fastupdate = off)",
    "CREATE INDEX ix_household_index_first ON household_index USING gin (tokens) WITH (fastupdate = off)"
    f" WHERE n <= {FIRST_HOUSEHOLDS}",
    "CREATE INDEX ix_household_index_next ON household_index USING gin (tokens) WITH (fastupdate = off)"
    f" WHERE n > {FIRST_HOUSEHOLDS} AND n <= {FIRST_HOUSEHOLDS + NEXT_HOUSEHOLDS}",
)


_CROWDED = text(f"marks = '{CROWDED}'")


class HouseholdSearch(Base):
    """`n` is this database's own. `name`: as it is compared. `last_visit`: they were met; `last_delivery`: it counts.

    The dates are of what names this household itself: readers follow merges (store/queries/alias). `marks`: on
    PostgreSQL, the characters by which those are looked at who pass the dates (domain/search); `CROWDED` where these
    are too many to be told.
    """

    __tablename__ = "household_search"
    __table_args__ = (
        Index(None, "household", unique=True),
        Index(None, "stream"),
        # Each has all that is asked of a row before it is read.
        Index(None, "n", "division", "last_visit", "last_delivery"),
        Index(None, "division", "last_visit", "last_delivery"),
        Index(None, "last_visit", "last_delivery", "division", postgresql_include=["n", "marks"]),
        Index(None, "last_delivery", "last_visit", "division", postgresql_include=["n", "marks"]),
        Index("ix_household_search_crowded", "n", postgresql_where=_CROWDED, sqlite_where=_CROWDED),
        {"info": {"key": ("household",), "own": ("n", "marks")}},
    )

    n: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), Identity(), primary_key=True)
    household: Mapped[Id]
    stream: Mapped[Ref]
    division: Mapped[Ref]
    village_group: Mapped[MaybeWords]
    name: Mapped[Words]
    last_visit: Mapped[MaybeDate]
    last_delivery: Mapped[MaybeDate]
    marks: Mapped[MaybeWords]


class HouseholdCount(Base):
    """How many households there are to find in a division, without those that were merged into others."""

    __tablename__ = "household_count"
    __table_args__ = (Index(None, "stream"),)

    division: Mapped[Code]
    stream: Mapped[Code]
    households: Mapped[Quantity]


def create_index(conn: Connection) -> None:
    """Beside the table `household_search`, which is there."""
    for statement in _SQLITE if conn.dialect.name == "sqlite" else _POSTGRESQL:
        conn.exec_driver_sql(statement.format(options=_options(conn)))


def _options(conn: Connection) -> str:
    if conn.dialect.name != "sqlite":
        return ""
    version = conn.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    return "content='', contentless_delete=1, " if tuple(map(int, version.split("."))) >= CONTENTLESS else ""


@event.listens_for(HouseholdSearch.__table__, "after_create")
def _created(_table: Table, conn: Connection, **_more: Any) -> None:
    create_index(conn)
