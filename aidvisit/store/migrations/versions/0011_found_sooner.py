"""Search looks at dates and places in indexes alone; more of a number's digits are found, and birth dates."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BEFORE = (["division", "last_visit"], ["division", "last_delivery"], ["last_visit"], ["last_delivery"])
SINCE = (
    ["n", "division", "last_visit", "last_delivery"],
    ["division", "last_visit", "last_delivery"],
    ["last_visit", "last_delivery", "division"],
    ["last_delivery", "last_visit", "division"],
)


def upgrade() -> None:
    for columns in BEFORE:
        op.drop_index(_name(columns), "household_search")
    for columns in SINCE:
        op.create_index(_name(columns), "household_search", columns)
    # The households that are held get their new tokens when the software takes up what it could not read before.
    op.execute("UPDATE op SET applied = false WHERE kind = 'household.registered' AND problem IS NULL")
    op.execute("DELETE FROM node WHERE key = 'version'")


def _name(columns: list[str]) -> str:
    return op.f(f"ix_household_search_{'_'.join(columns)}")


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
