"""The tables of auth, for whoever runs `storeproof schema`."""

import sqlalchemy as sa
from alembic import op

from storeproof.reference.database.columns import TEXT, TIME

revision = "0001"
down_revision = None
component = "auth"
loses = "the tables of auth go, with all that they hold"


def upgrade() -> None:
    _create_api_keys()
    _create_audit()
    _create_roles()
    _create_sessions()
    _create_users()
    _create_grants()


def downgrade() -> None:
    op.drop_table("auth_grants")
    op.drop_table("auth_users")
    op.drop_table("auth_sessions")
    op.drop_table("auth_roles")
    op.drop_table("auth_audit")
    op.drop_table("auth_api_keys")


def _create_api_keys() -> None:
    op.create_table(
        "auth_api_keys",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("hint", TEXT, nullable=False),
        sa.Column("permissions", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.Column("previous_digest", TEXT),
        sa.Column("previous_until", TIME),
        sa.PrimaryKeyConstraint("id", name="auth_api_keys_id"),
        sa.UniqueConstraint("digest", name="auth_api_keys_digest"),
    )
    op.create_index("auth_api_keys_previous_digest_index", "auth_api_keys", ["previous_digest"])
    op.create_index("auth_api_keys_user_id_id_index", "auth_api_keys", ["user_id", "id"])


def _create_audit() -> None:
    op.create_table(
        "auth_audit",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", TEXT),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("before", TEXT),
        sa.Column("after", TEXT),
        sa.PrimaryKeyConstraint("id", name="auth_audit_id"),
    )
    op.create_index("auth_audit_at_id_index", "auth_audit", ["at", "id"])


def _create_roles() -> None:
    op.create_table(
        "auth_roles",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("parents", sa.Text(), nullable=False),
        sa.Column("essential", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="auth_roles_name"),
    )


def _create_sessions() -> None:
    op.create_table(
        "auth_sessions",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.Column("previous_digest", TEXT),
        sa.Column("previous_until", TIME),
        sa.PrimaryKeyConstraint("id", name="auth_sessions_id"),
        sa.UniqueConstraint("digest", name="auth_sessions_digest"),
    )
    op.create_index("auth_sessions_previous_digest_index", "auth_sessions", ["previous_digest"])
    op.create_index("auth_sessions_user_id_id_index", "auth_sessions", ["user_id", "id"])


def _create_users() -> None:
    op.create_table(
        "auth_users",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("display_name", TEXT, nullable=False),
        sa.Column("password_hash", TEXT),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", TIME),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("email_key", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="auth_users_id"),
        sa.UniqueConstraint("email_key", name="auth_users_email_key"),
    )


def _create_grants() -> None:
    op.create_table(
        "auth_grants",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "role", "scope", name="auth_grants_user_id_role_scope"),
        sa.ForeignKeyConstraint(["role"], ["auth_roles.name"], name="auth_grants_role_fkey"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["auth_users.id"], name="auth_grants_user_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_index("auth_grants_role_index", "auth_grants", ["role"])
