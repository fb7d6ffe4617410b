"""The tables of providers, for whoever runs `storeproof schema`."""

import sqlalchemy as sa
from alembic import op

from storeproof.reference.database.columns import TEXT, TIME

revision = "0004"
down_revision = "0003"
component = "providers"
loses = "the tables of providers go, with all that they hold"


def upgrade() -> None:
    _create_providers()
    _create_counts()
    _create_usage()
    _create_leases()
    _create_outcomes()
    _create_secrets()


def downgrade() -> None:
    op.drop_table("providers_secrets")
    op.drop_table("providers_outcomes")
    op.drop_table("providers_leases")
    op.drop_table("providers_usage")
    op.drop_table("providers_counts")
    op.drop_table("providers")


def _create_providers() -> None:
    op.create_table(
        "providers",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("endpoint", TEXT, nullable=False),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("rpm", sa.BigInteger()),
        sa.Column("tpm", sa.BigInteger()),
        sa.Column("prices", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("cooling_until", TIME),
        sa.PrimaryKeyConstraint("id", name="providers_id"),
        sa.UniqueConstraint("revision", name="providers_revision"),
    )
    op.create_index("providers_priority_id_index", "providers", ["priority", "id"])


def _create_counts() -> None:
    op.create_table(
        "providers_counts",
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("slot", TIME, nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("bucket", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "provider",
            "minutes",
            "slot",
            "ok",
            "bucket",
            name="providers_counts_provider_minutes_slot_ok_bucket",
        ),
    )
    op.create_index("providers_counts_slot_index", "providers_counts", ["slot"])


def _create_usage() -> None:
    op.create_table(
        "providers_usage",
        sa.Column("minute", TIME, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "provider", name="providers_usage_minute_provider"),
    )


def _create_leases() -> None:
    op.create_table(
        "providers_leases",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("minute", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="providers_leases_id"),
        sa.ForeignKeyConstraint(
            ["minute", "provider"],
            ["providers_usage.minute", "providers_usage.provider"],
            name="providers_leases_minute_provider_fkey",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "providers_leases_minute_provider_index", "providers_leases", ["minute", "provider"]
    )


def _create_outcomes() -> None:
    op.create_table(
        "providers_outcomes",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("latency", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("bucket", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="providers_outcomes_id"),
        sa.ForeignKeyConstraint(
            ["provider"], ["providers.id"], name="providers_outcomes_provider_fkey"
        ),
    )
    op.create_index("providers_outcomes_at_id_index", "providers_outcomes", ["at", "id"])
    op.create_index(
        "providers_outcomes_provider_at_index", "providers_outcomes", ["provider", "at"]
    )


def _create_secrets() -> None:
    op.create_table(
        "providers_secrets",
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("ciphertext", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("provider", "name", name="providers_secrets_provider_name"),
        sa.ForeignKeyConstraint(
            ["provider"], ["providers.id"], name="providers_secrets_provider_fkey"
        ),
    )
