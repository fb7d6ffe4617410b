"""The tables of costs, for whoever runs `storeproof schema`."""

import sqlalchemy as sa
from alembic import op

from storeproof.reference.database.columns import TEXT, TIME

revision = "0002"
down_revision = "0001"
component = "costs"
loses = "the tables of costs go, with all that they hold"


def upgrade() -> None:
    _create_alerts()
    _create_budget_versions()
    _create_budgets()
    _create_charges()
    _create_corrections()
    _create_deliveries()
    _create_held()
    _create_reservations()
    _create_rollups()


def downgrade() -> None:
    op.drop_table("cost_rollups")
    op.drop_table("cost_reservations")
    op.drop_table("cost_held")
    op.drop_table("cost_deliveries")
    op.drop_table("cost_corrections")
    op.drop_table("cost_charges")
    op.drop_table("cost_budgets")
    op.drop_table("cost_budget_versions")
    op.drop_table("cost_alerts")


def _create_alerts() -> None:
    op.create_table(
        "cost_alerts",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("budget", TEXT, nullable=False),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="cost_alerts_id"),
    )
    op.create_index(
        "cost_alerts_budget_window_start_index", "cost_alerts", ["budget", "window_start"]
    )
    op.create_index(
        "cost_alerts_raised_at_window_start_threshold_budget_index",
        "cost_alerts",
        ["raised_at", "window_start", "threshold", "budget"],
    )


def _create_budget_versions() -> None:
    op.create_table(
        "cost_budget_versions",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("provider", TEXT),
        sa.Column("model", TEXT),
        sa.Column("tag", TEXT),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("timezone", TEXT, nullable=False),
        sa.Column("thresholds", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="cost_budget_versions_id_version"),
    )


def _create_budgets() -> None:
    op.create_table(
        "cost_budgets",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("provider", TEXT),
        sa.Column("model", TEXT),
        sa.Column("tag", TEXT),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("timezone", TEXT, nullable=False),
        sa.Column("thresholds", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("window_end", TIME),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="cost_budgets_id"),
    )
    op.create_index("cost_budgets_scope_tag_index", "cost_budgets", ["scope", "tag"])


def _create_charges() -> None:
    op.create_table(
        "cost_charges",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("series", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("model", TEXT, nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="cost_charges_id"),
    )
    op.create_index("cost_charges_occurred_at_id_index", "cost_charges", ["occurred_at", "id"])


def _create_corrections() -> None:
    op.create_table(
        "cost_corrections",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("charge", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("series", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("model", TEXT, nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="cost_corrections_id"),
    )
    op.create_index("cost_corrections_at_index", "cost_corrections", ["at"])
    op.create_index("cost_corrections_charge_index", "cost_corrections", ["charge"])


def _create_deliveries() -> None:
    op.create_table(
        "cost_deliveries",
        sa.Column("alert", TEXT, nullable=False),
        sa.Column("sink", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("alert", "sink", name="cost_deliveries_alert_sink"),
    )


def _create_held() -> None:
    op.create_table(
        "cost_held",
        sa.Column("reservation", TEXT, nullable=False),
        sa.Column("budget", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger()),
        sa.Column("window_start", TIME, nullable=False),
        sa.PrimaryKeyConstraint("reservation", "budget", name="cost_held_reservation_budget"),
    )


def _create_reservations() -> None:
    op.create_table(
        "cost_reservations",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="cost_reservations_id"),
    )
    op.create_index(
        "cost_reservations_state_expires_at_id_index",
        "cost_reservations",
        ["state", "expires_at", "id"],
    )


def _create_rollups() -> None:
    op.create_table(
        "cost_rollups",
        sa.Column("hours", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("series", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("model", TEXT, nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.Column("nano", sa.BigInteger(), nullable=False),
        sa.Column("charges", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hours", "slot", "series", name="cost_rollups_hours_slot_series"),
    )
