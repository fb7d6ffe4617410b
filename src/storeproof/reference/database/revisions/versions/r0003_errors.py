"""The tables of errors, for whoever runs `storeproof schema`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storeproof.reference.database.columns import TEXT, TIME

revision = "0003"
down_revision = "0002"
component = "errors"
loses = "the tables of errors go, with all that they hold"

COUNTS = postgresql.ARRAY(sa.BigInteger()).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    _create_archives()
    _create_events()
    _create_groups()
    _create_points()
    _create_rollups()


def downgrade() -> None:
    op.drop_table("errors_rollups")
    op.drop_table("errors_points")
    op.drop_table("errors_groups")
    op.drop_table("errors_events")
    op.drop_table("errors_archives")


def _create_archives() -> None:
    op.create_table(
        "errors_archives",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("before", TIME, nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="errors_archives_id"),
    )
    op.create_index("errors_archives_first_seen_id_index", "errors_archives", ["first_seen", "id"])


def _create_events() -> None:
    op.create_table(
        "errors_events",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("fingerprint", TEXT, nullable=False),
        sa.Column("grouping", sa.BigInteger(), nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("stack", TEXT, nullable=False),
        sa.Column("tags", TEXT, nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("group_id", TEXT, nullable=False),
        sa.Column("archive_id", TEXT),
        sa.Column("digest", TEXT),
        sa.PrimaryKeyConstraint("id", name="errors_events_id"),
    )
    op.create_index(
        "errors_events_archive_id_index",
        "errors_events",
        ["archive_id"],
        sqlite_where=sa.text("archive_id IS NOT NULL"),
        postgresql_where=sa.text("archive_id IS NOT NULL"),
    )
    op.create_index(
        "errors_events_group_id_occurred_at_id_index",
        "errors_events",
        ["group_id", "occurred_at", "id"],
        sqlite_where=sa.text("archive_id IS NULL"),
        postgresql_where=sa.text("archive_id IS NULL"),
    )
    op.create_index(
        "errors_events_occurred_at_id_index",
        "errors_events",
        ["occurred_at", "id"],
        sqlite_where=sa.text("archive_id IS NULL"),
        postgresql_where=sa.text("archive_id IS NULL"),
    )


def _create_groups() -> None:
    op.create_table(
        "errors_groups",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("state_at", TIME),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("regressed_by", TEXT),
        sa.Column("merged_into", TEXT),
        sa.PrimaryKeyConstraint("id", name="errors_groups_id"),
    )
    op.create_index(
        "errors_groups_count_id_index",
        "errors_groups",
        ["count", "id"],
        sqlite_where=sa.text("merged_into IS NULL"),
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.create_index(
        "errors_groups_created_at_id_index",
        "errors_groups",
        ["created_at", "id"],
        sqlite_where=sa.text("merged_into IS NULL"),
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.create_index(
        "errors_groups_last_seen_id_index",
        "errors_groups",
        ["last_seen", "id"],
        sqlite_where=sa.text("merged_into IS NULL"),
        postgresql_where=sa.text("merged_into IS NULL"),
    )
    op.create_index(
        "errors_groups_merged_into_index",
        "errors_groups",
        ["merged_into"],
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )


def _create_points() -> None:
    op.create_table(
        "errors_points",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="errors_points_id"),
    )
    op.create_index(
        "errors_points_name_kind_at_id_index", "errors_points", ["name", "kind", "at", "id"]
    )


def _create_rollups() -> None:
    op.create_table(
        "errors_rollups",
        sa.Column("dimension", TEXT, nullable=False),
        sa.Column("span", TEXT, nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("shard", sa.BigInteger(), nullable=False),
        sa.Column("counts", COUNTS, nullable=False),
        sa.PrimaryKeyConstraint(
            "dimension",
            "span",
            "slot",
            "key",
            "shard",
            name="errors_rollups_dimension_span_slot_key_shard",
        ),
    )
    op.create_index(
        "errors_rollups_dimension_key_span_slot_index",
        "errors_rollups",
        ["dimension", "key", "span", "slot"],
    )
