"""Pages of errors_rollups keep room for their rows' next counts, on PostgreSQL."""

from alembic import op

revision = "0005"
down_revision = "0004"
component = "errors"
loses = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE errors_rollups SET (fillfactor = 50)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE errors_rollups RESET (fillfactor)")
