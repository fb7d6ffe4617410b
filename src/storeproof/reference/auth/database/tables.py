"""For `DatabaseAuthStorage`: its tables.

The columns of an entity have the names and the order of its fields, so a row is an
entity; `user` is called user_id in the database, where it would need quotes. Sessions
and keys outlive their user, and audit entries everything: they refer to nothing.
"""

from typing import Any

import sqlalchemy as sa

from storeproof.reference.database import Schema
from storeproof.reference.database.columns import NAMES, TEXT, TIME, column, metadata

__all__ = ["API_KEYS", "AUDIT", "GRANTS", "ROLES", "SCHEMA", "SESSIONS", "USERS"]

_TABLES = metadata()
SCHEMA = Schema("auth", 1, _TABLES)


def _user(*constraints: sa.ForeignKey, **options: Any) -> sa.Column[Any]:
    return sa.Column("user_id", TEXT, *constraints, key="user", **{"nullable": False} | options)


USERS = sa.Table(
    "auth_users",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("email", TEXT),
    column("display_name", TEXT),
    column("password_hash", TEXT, nullable=True),
    column("enabled", sa.Boolean()),
    column("verified", sa.Boolean()),
    column("created_at", TIME),
    column("failures", sa.BigInteger()),
    column("locked_until", TIME, nullable=True),
    column("version", sa.BigInteger()),
    column("email_key", TEXT, unique=True),
)

ROLES = sa.Table(
    "auth_roles",
    _TABLES,
    column("name", TEXT, primary_key=True),
    column("permissions", NAMES),
    column("parents", NAMES),
    column("essential", sa.Boolean()),
)

GRANTS = sa.Table(
    "auth_grants",
    _TABLES,
    _user(sa.ForeignKey(USERS.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("role", TEXT, sa.ForeignKey(ROLES.c.name), primary_key=True, index=True),
    column("scope", TEXT, primary_key=True),
)


def _tokens(name: str, *own: sa.Column[Any], expires: bool) -> sa.Table:
    table = sa.Table(
        name,
        _TABLES,
        column("id", TEXT, primary_key=True),
        _user(),
        column("digest", TEXT, unique=True),
        column("label", TEXT),
        *own,
        column("created_at", TIME),
        column("expires_at", TIME, nullable=not expires),
        column("revoked_at", TIME, nullable=True),
        column("previous_digest", TEXT, nullable=True, index=True),
        column("previous_until", TIME, nullable=True),
    )
    sa.Index(None, table.c.user, table.c.id)
    return table


SESSIONS = _tokens("auth_sessions", expires=True)
API_KEYS = _tokens(
    "auth_api_keys",
    column("hint", TEXT),
    column("permissions", NAMES, nullable=True),
    expires=False,
)

AUDIT = sa.Table(
    "auth_audit",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("at", TIME),
    column("actor", TEXT, nullable=True),
    column("action", TEXT),
    column("subject", TEXT),
    column("before", TEXT, nullable=True),
    column("after", TEXT, nullable=True),
)
sa.Index(None, AUDIT.c.at, AUDIT.c.id)
