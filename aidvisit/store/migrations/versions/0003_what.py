"""Tables projected from the log: trips, stock, deliveries, visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _bytewise(length: int | None = None) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


BYTEWISE, ID, DATE = _bytewise(), _bytewise(36), _bytewise(10)
TEXT, WHOLE = sa.Text(), sa.BigInteger()
TABLES = (
    "allocation",
    "delivery",
    "delivery_line",
    "settlement",
    "stock_count",
    "stock_count_line",
    "stock_line",
    "stock_move",
    "trip",
    "trip_release",
    "visit",
)


def upgrade() -> None:
    op.create_table(
        "allocation",
        sa.Column("trip", ID, nullable=False),
        sa.Column("household", ID, nullable=False),
        sa.Column("item", BYTEWISE, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.Column("first_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("trip", "household", "item", name=op.f("pk_allocation")),
    )
    op.create_index(op.f("ix_allocation_household"), "allocation", ["household"])
    op.create_table(
        "delivery",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("household", ID, nullable=False),
        sa.Column("member", ID),
        sa.Column("trip", ID),
        sa.Column("visit", ID),
        sa.Column("date", DATE, nullable=False),
        sa.Column("from_place", BYTEWISE),
        sa.Column("method", TEXT),
        sa.Column("received_as", TEXT, nullable=False),
        sa.Column("received_by", TEXT, nullable=False),
        sa.Column("received_relation", TEXT),
        sa.Column("received_id_last4", TEXT),
        sa.Column("handed_by", TEXT, nullable=False),
        sa.Column("witness", TEXT),
        sa.Column("proofs", TEXT, nullable=False),
        sa.Column("at", TEXT),
        sa.Column("overrides", TEXT, nullable=False),
        sa.Column("replaces", ID),
        sa.Column("note", TEXT),
        sa.Column("void_reason", TEXT),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("device", ID, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_date"), "delivery", ["date"])
    op.create_index(op.f("ix_delivery_household_date"), "delivery", ["household", "date"])
    op.create_index(op.f("ix_delivery_replaces"), "delivery", ["replaces"])
    op.create_index(op.f("ix_delivery_trip"), "delivery", ["trip"])
    op.create_table(
        "delivery_line",
        sa.Column("delivery", ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("household", ID, nullable=False),
        sa.Column("trip", ID),
        sa.Column("date", DATE, nullable=False),
        sa.Column("item", BYTEWISE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("lot", TEXT),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("delivery", "line", name=op.f("pk_delivery_line")),
    )
    op.create_index(op.f("ix_delivery_line_household_item_date"), "delivery_line", ["household", "item", "date"])
    op.create_index(op.f("ix_delivery_line_item_date"), "delivery_line", ["item", "date"])
    op.create_index(op.f("ix_delivery_line_trip"), "delivery_line", ["trip"])
    op.create_table(
        "settlement",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("deliveries", TEXT, nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("actor", ID, nullable=False),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
    )
    op.create_table(
        "stock_count",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("trip", ID),
        sa.Column("place", BYTEWISE, nullable=False),
        sa.Column("date", DATE, nullable=False),
        sa.Column("explained", TEXT, nullable=False),
        sa.Column("actor", ID),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count")),
    )
    op.create_index(op.f("ix_stock_count_place"), "stock_count", ["place"])
    op.create_index(op.f("ix_stock_count_trip"), "stock_count", ["trip"])
    op.create_table(
        "stock_count_line",
        sa.Column("stock_count", ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("item", BYTEWISE, nullable=False),
        sa.Column("lot", TEXT),
        sa.Column("counted", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("stock_count", "line", name=op.f("pk_stock_count_line")),
    )
    op.create_table(
        "stock_line",
        sa.Column("source", ID, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("trip", ID),
        sa.Column("from_place", BYTEWISE, nullable=False),
        sa.Column("to_place", BYTEWISE, nullable=False),
        sa.Column("item", BYTEWISE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("date", DATE, nullable=False),
        sa.Column("lot", TEXT),
        sa.Column("expires", DATE),
        sa.Column("value_fen", WHOLE),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("source", "line", name=op.f("pk_stock_line")),
    )
    op.create_index(op.f("ix_stock_line_from_place_item"), "stock_line", ["from_place", "item"])
    op.create_index(op.f("ix_stock_line_to_place_item"), "stock_line", ["to_place", "item"])
    op.create_index(op.f("ix_stock_line_trip_item"), "stock_line", ["trip", "item"])
    op.create_table(
        "stock_move",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("trip", ID),
        sa.Column("from_place", BYTEWISE, nullable=False),
        sa.Column("to_place", BYTEWISE, nullable=False),
        sa.Column("date", DATE, nullable=False),
        sa.Column("slip", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("actor", ID),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
    )
    op.create_index(op.f("ix_stock_move_trip"), "stock_move", ["trip"])
    op.create_table(
        "trip",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("starts", DATE, nullable=False),
        sa.Column("ends", DATE, nullable=False),
        sa.Column("team", ID),
        sa.Column("divisions", TEXT, nullable=False),
        sa.Column("tour", TEXT),
        sa.Column("distance_km", WHOLE),
        sa.Column("note", TEXT),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("planned_by", ID),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trip")),
    )
    op.create_index(op.f("ix_trip_starts"), "trip", ["starts"])
    op.create_table(
        "trip_release",
        sa.Column("trip", ID, nullable=False),
        sa.Column("device", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("groups", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("trip", "device", name=op.f("pk_trip_release")),
    )
    op.create_index(op.f("ix_trip_release_device"), "trip_release", ["device"])
    op.create_table(
        "visit",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", BYTEWISE, nullable=False),
        sa.Column("household", ID, nullable=False),
        sa.Column("member", ID),
        sa.Column("trip", ID),
        sa.Column("date", DATE, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("met_with", TEXT),
        sa.Column("purposes", TEXT, nullable=False),
        sa.Column("visited_by", TEXT, nullable=False),
        sa.Column("minutes", WHOLE),
        sa.Column("needs", TEXT, nullable=False),
        sa.Column("note", TEXT),
        sa.Column("proofs", TEXT, nullable=False),
        sa.Column("at", TEXT),
        sa.Column("void_reason", TEXT),
        sa.Column("actor", ID, nullable=False),
        sa.Column("device", ID, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("order_key", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_household_date"), "visit", ["household", "date"])
    op.create_index(op.f("ix_visit_trip"), "visit", ["trip"])
    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_stream"), table, ["stream"])


def downgrade() -> None:
    """Nothing is lost: the log makes these tables again."""
    for table in TABLES:
        op.drop_table(table)
