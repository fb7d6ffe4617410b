"""Pages of cost_rollups keep room for their rows' next counts, on PostgreSQL."""

from alembic import op

revision = "0006"
down_revision = "0005"
component = "costs"
loses = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE cost_rollups SET (fillfactor = 50)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE cost_rollups RESET (fillfactor)")
