"""The tables that are projected from the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = '0001'
branch_labels = None
depends_on = None


def _bytewise(length: int | None = None) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


BYTEWISE, ID, DATE = _bytewise(), _bytewise(36), _bytewise(10)
TEXT, WHOLE = sa.Text(), sa.BigInteger()
TABLES = (
    'access',
    'allocation',
    'category',
    'delivery',
    'delivery_line',
    'division',
    'field_conflict',
    'field_device',
    'household',
    'household_category',
    'item',
    'member',
    'person',
    'place',
    'settlement',
    'stock_count',
    'stock_count_line',
    'stock_line',
    'stock_move',
    'team',
    'trip',
    'trip_release',
    'visit',
)


def upgrade() -> None:
    op.create_table(
        'access',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('actor', ID, nullable=False),
        sa.Column('device', ID, nullable=False),
        sa.Column('what', TEXT, nullable=False),
        sa.Column('household', ID),
        sa.Column('rows', WHOLE),
        sa.Column('detail', TEXT),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_access')),
    )
    op.create_index(op.f('ix_access_household'), 'access', ['household'])
    op.create_index(op.f('ix_access_order_key'), 'access', ['order_key'])
    op.create_table(
        'allocation',
        sa.Column('trip', ID, nullable=False),
        sa.Column('household', ID, nullable=False),
        sa.Column('item', BYTEWISE, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('quantity', WHOLE, nullable=False),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.Column('first_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('trip', 'household', 'item', name=op.f('pk_allocation')),
    )
    op.create_index(op.f('ix_allocation_household'), 'allocation', ['household'])
    op.create_table(
        'category',
        sa.Column('code', BYTEWISE, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('subject', ID, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('level', TEXT),
        sa.Column('synonyms', TEXT, nullable=False),
        sa.Column('basis', TEXT),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('code', name=op.f('pk_category')),
    )
    op.create_index(op.f('ix_category_subject'), 'category', ['subject'])
    op.create_table(
        'delivery',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('household', ID, nullable=False),
        sa.Column('member', ID),
        sa.Column('trip', ID),
        sa.Column('visit', ID),
        sa.Column('date', DATE, nullable=False),
        sa.Column('from_place', BYTEWISE),
        sa.Column('method', TEXT),
        sa.Column('received_as', TEXT, nullable=False),
        sa.Column('received_by', TEXT, nullable=False),
        sa.Column('received_relation', TEXT),
        sa.Column('received_id_last4', TEXT),
        sa.Column('handed_by', TEXT, nullable=False),
        sa.Column('witness', TEXT),
        sa.Column('proofs', TEXT, nullable=False),
        sa.Column('at', TEXT),
        sa.Column('overrides', TEXT, nullable=False),
        sa.Column('replaces', ID),
        sa.Column('note', TEXT),
        sa.Column('void_reason', TEXT),
        sa.Column('replaced', sa.Boolean(), nullable=False),
        sa.Column('counts', sa.Boolean(), nullable=False),
        sa.Column('actor', ID, nullable=False),
        sa.Column('device', ID, nullable=False),
        sa.Column('seq', WHOLE, nullable=False),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    )
    op.create_index(op.f('ix_delivery_date'), 'delivery', ['date'])
    op.create_index(op.f('ix_delivery_household_date'), 'delivery', ['household', 'date'])
    op.create_index(op.f('ix_delivery_replaces'), 'delivery', ['replaces'])
    op.create_index(op.f('ix_delivery_trip'), 'delivery', ['trip'])
    op.create_table(
        'delivery_line',
        sa.Column('delivery', ID, nullable=False),
        sa.Column('line', sa.Integer(), nullable=False, autoincrement=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('household', ID, nullable=False),
        sa.Column('trip', ID),
        sa.Column('date', DATE, nullable=False),
        sa.Column('item', BYTEWISE, nullable=False),
        sa.Column('quantity', WHOLE, nullable=False),
        sa.Column('lot', TEXT),
        sa.Column('counts', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('delivery', 'line', name=op.f('pk_delivery_line')),
    )
    op.create_index(op.f('ix_delivery_line_household_item_date'), 'delivery_line', ['household', 'item', 'date'])
    op.create_index(op.f('ix_delivery_line_item_date'), 'delivery_line', ['item', 'date'])
    op.create_index(op.f('ix_delivery_line_trip'), 'delivery_line', ['trip'])
    op.create_table(
        'division',
        sa.Column('code', BYTEWISE, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('subject', ID, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('parent', BYTEWISE),
        sa.Column('contact', TEXT),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('code', name=op.f('pk_division')),
    )
    op.create_index(op.f('ix_division_name'), 'division', ['name'])
    op.create_index(op.f('ix_division_subject'), 'division', ['subject'])
    op.create_table(
        'field_conflict',
        sa.Column('subject', ID, nullable=False),
        sa.Column('path', BYTEWISE, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('heads', TEXT, nullable=False),
        sa.PrimaryKeyConstraint('subject', 'path', name=op.f('pk_field_conflict')),
    )
    op.create_table(
        'field_device',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('team', ID),
        sa.Column('public_key', TEXT),
        sa.Column('revoked_reason', TEXT),
        sa.Column('enrolled_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_field_device')),
    )
    op.create_index(op.f('ix_field_device_team'), 'field_device', ['team'])
    op.create_table(
        'household',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('kind', TEXT, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('head_name', TEXT, nullable=False),
        sa.Column('head_id_number', TEXT),
        sa.Column('head_phone', TEXT),
        sa.Column('head_born', TEXT),
        sa.Column('head_sex', TEXT),
        sa.Column('division', BYTEWISE, nullable=False),
        sa.Column('address', TEXT),
        sa.Column('village_group', TEXT),
        sa.Column('size', WHOLE),
        sa.Column('note', TEXT),
        sa.Column('lat', WHOLE),
        sa.Column('lon', WHOLE),
        sa.Column('continues', ID),
        sa.Column('brought', TEXT, nullable=False),
        sa.Column('closed_reason', TEXT),
        sa.Column('closed_on', DATE),
        sa.Column('closed_to', TEXT),
        sa.Column('into', ID),
        sa.Column('search_text', TEXT, nullable=False),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_household')),
    )
    op.create_index(op.f('ix_household_continues'), 'household', ['continues'])
    op.create_index(op.f('ix_household_division'), 'household', ['division'])
    op.create_index(op.f('ix_household_into'), 'household', ['into'])
    op.create_table(
        'household_category',
        sa.Column('household', ID, nullable=False),
        sa.Column('code', BYTEWISE, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('since', TEXT),
        sa.Column('until', TEXT),
        sa.Column('grade', TEXT),
        sa.Column('certificate', TEXT),
        sa.PrimaryKeyConstraint('household', 'code', name=op.f('pk_household_category')),
    )
    op.create_index(op.f('ix_household_category_code'), 'household_category', ['code'])
    op.create_table(
        'item',
        sa.Column('code', BYTEWISE, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('subject', ID, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('unit', TEXT, nullable=False),
        sa.Column('spec', TEXT),
        sa.Column('item_class', TEXT, nullable=False),
        sa.Column('repeat_days', WHOLE),
        sa.Column('value_fen', WHOLE),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('code', name=op.f('pk_item')),
    )
    op.create_index(op.f('ix_item_subject'), 'item', ['subject'])
    op.create_table(
        'member',
        sa.Column('household', ID, nullable=False),
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('position', WHOLE, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('relation', TEXT),
        sa.Column('id_number', TEXT),
        sa.Column('born', TEXT),
        sa.Column('sex', TEXT),
        sa.Column('phone', TEXT),
        sa.Column('guardian', TEXT),
        sa.Column('categories', TEXT, nullable=False),
        sa.PrimaryKeyConstraint('household', 'id', name=op.f('pk_member')),
    )
    op.create_table(
        'person',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('team', ID, nullable=False),
        sa.Column('login', TEXT, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('phone', TEXT),
        sa.Column('role', TEXT, nullable=False),
        sa.Column('password_hash', TEXT),
        sa.Column('key', TEXT),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    )
    op.create_index(op.f('ix_person_login'), 'person', ['login'])
    op.create_table(
        'place',
        sa.Column('code', BYTEWISE, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('subject', ID, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('kind', TEXT, nullable=False),
        sa.Column('division', BYTEWISE),
        sa.Column('holder', TEXT),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('code', name=op.f('pk_place')),
    )
    op.create_index(op.f('ix_place_subject'), 'place', ['subject'])
    op.create_table(
        'settlement',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('deliveries', TEXT, nullable=False),
        sa.Column('verdict', TEXT, nullable=False),
        sa.Column('reason', TEXT),
        sa.Column('actor', ID, nullable=False),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_settlement')),
    )
    op.create_table(
        'stock_count',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('trip', ID),
        sa.Column('place', BYTEWISE, nullable=False),
        sa.Column('date', DATE, nullable=False),
        sa.Column('explained', TEXT, nullable=False),
        sa.Column('actor', ID),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_count')),
    )
    op.create_index(op.f('ix_stock_count_place'), 'stock_count', ['place'])
    op.create_index(op.f('ix_stock_count_trip'), 'stock_count', ['trip'])
    op.create_table(
        'stock_count_line',
        sa.Column('stock_count', ID, nullable=False),
        sa.Column('line', sa.Integer(), nullable=False, autoincrement=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('item', BYTEWISE, nullable=False),
        sa.Column('lot', TEXT),
        sa.Column('counted', WHOLE, nullable=False),
        sa.PrimaryKeyConstraint('stock_count', 'line', name=op.f('pk_stock_count_line')),
    )
    op.create_table(
        'stock_line',
        sa.Column('source', ID, nullable=False),
        sa.Column('line', sa.Integer(), nullable=False, autoincrement=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('trip', ID),
        sa.Column('from_place', BYTEWISE, nullable=False),
        sa.Column('to_place', BYTEWISE, nullable=False),
        sa.Column('item', BYTEWISE, nullable=False),
        sa.Column('quantity', WHOLE, nullable=False),
        sa.Column('date', DATE, nullable=False),
        sa.Column('lot', TEXT),
        sa.Column('expires', DATE),
        sa.Column('value_fen', WHOLE),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('source', 'line', name=op.f('pk_stock_line')),
    )
    op.create_index(op.f('ix_stock_line_from_place_item'), 'stock_line', ['from_place', 'item'])
    op.create_index(op.f('ix_stock_line_to_place_item'), 'stock_line', ['to_place', 'item'])
    op.create_index(op.f('ix_stock_line_trip_item'), 'stock_line', ['trip', 'item'])
    op.create_table(
        'stock_move',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('trip', ID),
        sa.Column('from_place', BYTEWISE, nullable=False),
        sa.Column('to_place', BYTEWISE, nullable=False),
        sa.Column('date', DATE, nullable=False),
        sa.Column('slip', TEXT),
        sa.Column('reason', TEXT),
        sa.Column('actor', ID),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_stock_move')),
    )
    op.create_index(op.f('ix_stock_move_trip'), 'stock_move', ['trip'])
    op.create_table(
        'team',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('name', TEXT, nullable=False),
        sa.Column('type', TEXT),
        sa.Column('level', WHOLE),
        sa.Column('parent', ID),
        sa.Column('divisions', TEXT, nullable=False),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_team')),
    )
    op.create_table(
        'trip',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('title', TEXT, nullable=False),
        sa.Column('starts', DATE, nullable=False),
        sa.Column('ends', DATE, nullable=False),
        sa.Column('team', ID),
        sa.Column('divisions', TEXT, nullable=False),
        sa.Column('tour', TEXT),
        sa.Column('distance_km', WHOLE),
        sa.Column('note', TEXT),
        sa.Column('status', TEXT, nullable=False),
        sa.Column('planned_by', ID),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_trip')),
    )
    op.create_index(op.f('ix_trip_starts'), 'trip', ['starts'])
    op.create_table(
        'trip_release',
        sa.Column('trip', ID, nullable=False),
        sa.Column('device', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('groups', TEXT, nullable=False),
        sa.PrimaryKeyConstraint('trip', 'device', name=op.f('pk_trip_release')),
    )
    op.create_index(op.f('ix_trip_release_device'), 'trip_release', ['device'])
    op.create_table(
        'visit',
        sa.Column('id', ID, nullable=False),
        sa.Column('stream', BYTEWISE, nullable=False),
        sa.Column('household', ID, nullable=False),
        sa.Column('member', ID),
        sa.Column('trip', ID),
        sa.Column('date', DATE, nullable=False),
        sa.Column('outcome', TEXT, nullable=False),
        sa.Column('met_with', TEXT),
        sa.Column('purposes', TEXT, nullable=False),
        sa.Column('visited_by', TEXT, nullable=False),
        sa.Column('minutes', WHOLE),
        sa.Column('needs', TEXT, nullable=False),
        sa.Column('note', TEXT),
        sa.Column('proofs', TEXT, nullable=False),
        sa.Column('at', TEXT),
        sa.Column('void_reason', TEXT),
        sa.Column('actor', ID, nullable=False),
        sa.Column('device', ID, nullable=False),
        sa.Column('seq', WHOLE, nullable=False),
        sa.Column('order_key', BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_visit')),
    )
    op.create_index(op.f('ix_visit_household_date'), 'visit', ['household', 'date'])
    op.create_index(op.f('ix_visit_trip'), 'visit', ['trip'])    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_stream"), table, ["stream"])


def downgrade() -> None:
    """Nothing is lost: the log makes these tables again."""
    for table in TABLES:
        op.drop_table(table)
