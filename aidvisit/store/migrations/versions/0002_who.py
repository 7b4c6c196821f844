"""Tables projected from the log: the catalogue, people and teams, households."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _bytewise(length: int | None = None) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


BYTEWISE, ID, DATE = _bytewise(), _bytewise(36), _bytewise(10)
TEXT, WHOLE = sa.Text(), sa.BigInteger()
TABLES = (
    "access",
    "category",
    "division",
    "field_conflict",
    "field_device",
    "household",
    "household_category",
    "item",
    "member",
    "person",
    "place",
    "team",
)


def upgrade() -> None:
    op.create_table(
        "access",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("device", ID, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("household", ID),
        sa.Column("rows", WHOLE),
        sa.Column("detail", TEXT),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access")),
    )
    op.create_index(op.f("ix_access_household"), "access", ["household"])
    op.create_index(op.f("ix_access_order_key"), "access", ["order_key"])
    op.create_table(
        "category",
        sa.Column("code", BYTEWISE, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("level", TEXT),
        sa.Column("synonyms", TEXT, nullable=False),
        sa.Column("basis", TEXT),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_category")),
    )
    op.create_index(op.f("ix_category_subject"), "category", ["subject"])
    op.create_table(
        "division",
        sa.Column("code", BYTEWISE, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("parent", BYTEWISE),
        sa.Column("contact", TEXT),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_division")),
    )
    op.create_index(op.f("ix_division_name"), "division", ["name"])
    op.create_index(op.f("ix_division_subject"), "division", ["subject"])
    op.create_table(
        "field_conflict",
        sa.Column("subject", ID, nullable=False),
        sa.Column("path", BYTEWISE, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("heads", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("subject", "path", name=op.f("pk_field_conflict")),
    )
    op.create_table(
        "field_device",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("team", ID),
        sa.Column("public_key", TEXT),
        sa.Column("revoked_reason", TEXT),
        sa.Column("enrolled_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_device")),
    )
    op.create_index(op.f("ix_field_device_team"), "field_device", ["team"])
    op.create_table(
        "household",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("head_name", TEXT, nullable=False),
        sa.Column("head_id_number", TEXT),
        sa.Column("head_phone", TEXT),
        sa.Column("head_born", TEXT),
        sa.Column("head_sex", TEXT),
        sa.Column("division", BYTEWISE, nullable=False),
        sa.Column("address", TEXT),
        sa.Column("village_group", TEXT),
        sa.Column("size", WHOLE),
        sa.Column("note", TEXT),
        sa.Column("lat", WHOLE),
        sa.Column("lon", WHOLE),
        sa.Column("continues", ID),
        sa.Column("brought", TEXT, nullable=False),
        sa.Column("closed_reason", TEXT),
        sa.Column("closed_on", DATE),
        sa.Column("closed_to", TEXT),
        sa.Column("into", ID),
        sa.Column("search_text", TEXT, nullable=False),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household")),
    )
    op.create_index(op.f("ix_household_continues"), "household", ["continues"])
    op.create_index(op.f("ix_household_division"), "household", ["division"])
    op.create_index(op.f("ix_household_into"), "household", ["into"])
    op.create_table(
        "household_category",
        sa.Column("household", ID, nullable=False),
        sa.Column("code", BYTEWISE, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("since", TEXT),
        sa.Column("until", TEXT),
        sa.Column("grade", TEXT),
        sa.Column("certificate", TEXT),
        sa.PrimaryKeyConstraint("household", "code", name=op.f("pk_household_category")),
    )
    op.create_index(op.f("ix_household_category_code"), "household_category", ["code"])
    op.create_table(
        "item",
        sa.Column("code", BYTEWISE, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("spec", TEXT),
        sa.Column("item_class", TEXT, nullable=False),
        sa.Column("repeat_days", WHOLE),
        sa.Column("value_fen", WHOLE),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_item")),
    )
    op.create_index(op.f("ix_item_subject"), "item", ["subject"])
    op.create_table(
        "member",
        sa.Column("household", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("relation", TEXT),
        sa.Column("id_number", TEXT),
        sa.Column("born", TEXT),
        sa.Column("sex", TEXT),
        sa.Column("phone", TEXT),
        sa.Column("guardian", TEXT),
        sa.Column("categories", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("household", "id", name=op.f("pk_member")),
    )
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("team", ID, nullable=False),
        sa.Column("login", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("phone", TEXT),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("password_hash", TEXT),
        sa.Column("key", TEXT),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_login"), "person", ["login"])
    op.create_table(
        "place",
        sa.Column("code", BYTEWISE, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("division", BYTEWISE),
        sa.Column("holder", TEXT),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_place")),
    )
    op.create_index(op.f("ix_place_subject"), "place", ["subject"])
    op.create_table(
        "team",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("type", TEXT),
        sa.Column("level", WHOLE),
        sa.Column("parent", ID),
        sa.Column("divisions", TEXT, nullable=False),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
    )
    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_stream"), table, ["stream"])


def downgrade() -> None:
    """Nothing is lost: the log makes these tables again."""
    for table in TABLES:
        op.drop_table(table)
