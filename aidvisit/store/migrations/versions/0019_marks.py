"""On PostgreSQL the indexes of dates know the characters of names, too: who has a word and passes is known by one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

DATED = (["last_visit", "last_delivery", "division"], ["last_delivery", "last_visit", "division"])
MARKS = """
    UPDATE household_search SET marks = CASE WHEN octet_length(made.marks) <= 2000 THEN made.marks ELSE '*' END
    FROM (
        SELECT s.n, s.name || '|' || coalesce((
            SELECT string_agg(substr(token, 2), '' ORDER BY token COLLATE "C")
            FROM household_index i, unnest(tsvector_to_array(i.tokens)) AS token
            WHERE i.n = s.n AND token LIKE 'w_'
        ), '') AS marks
        FROM household_search s
    ) AS made WHERE made.n = household_search.n
"""


def upgrade() -> None:
    op.add_column("household_search", sa.Column("marks", sa.Text()))
    if op.get_bind().dialect.name != "postgresql":
        return
    for columns in DATED:
        op.drop_index(_name(columns), "household_search")
    op.execute(MARKS)
    for columns in DATED:
        op.create_index(_name(columns), "household_search", columns, postgresql_include=["n", "marks"])


def _name(columns: list[str]) -> str:
    return op.f(f"ix_household_search_{'_'.join(columns)}")


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
