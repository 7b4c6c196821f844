"""On PostgreSQL the index of tokens has what households are put in order by: else each was looked up once more."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# As a table that is filled before it has indexes: to change every row of the old one would take many times as long.
STATEMENTS = (
    # By its marks a household that was merged would be found as itself.
    'UPDATE household_search SET marks = NULL WHERE household IN (SELECT id FROM household WHERE "into" IS NOT NULL)',
    "ALTER TABLE household_index RENAME TO household_index_before",
    """CREATE TABLE household_index (
    n bigint NOT NULL, household varchar(36) COLLATE "C" NOT NULL, division varchar COLLATE "C" NOT NULL,
    village_group text, name text NOT NULL, tokens tsvector NOT NULL)""",
    """INSERT INTO household_index
    SELECT n, household, division, village_group, name, tokens
    FROM household_index_before JOIN household_search USING (n)""",
    "DROP TABLE household_index_before",
    "ALTER TABLE household_index ADD PRIMARY KEY (n)",
    "ALTER TABLE household_index ADD FOREIGN KEY (n) REFERENCES household_search (n) ON DELETE CASCADE",
    "CREATE INDEX ix_household_index_tokens ON household_index USING gin (tokens) WITH (fastupdate = off)",
    "CREATE INDEX ix_household_index_first ON household_index USING gin (tokens) WITH (fastupdate = off)"
    " WHERE n <= 50000",
    "CREATE INDEX ix_household_index_next ON household_index USING gin (tokens) WITH (fastupdate = off)"
    " WHERE n > 50000 AND n <= 250000",
)


def upgrade() -> None:
    op.execute("CREATE INDEX ix_household_search_crowded ON household_search (n) WHERE marks = '*'")
    if op.get_bind().dialect.name == "postgresql":
        for statement in STATEMENTS:
            op.execute(statement)


def downgrade() -> None:
    """Never: a log is not undone."""
    raise NotImplementedError("restore a backup instead")
