"""For `DatabaseAuthStorage`: its tables.

The columns of an entity have the names and the order of its fields, so a row is an
entity; `user` is called user_id in the database, where it would need quotes. Sessions
and keys outlive their user, and audit entries everything: they refer to nothing.
"""

from typing import Any

import sqlalchemy as sa

from storeproof.reference.database import Schema
from storeproof.reference.database.columns import NAMES, TEXT, TIME, metadata

__all__ = ["API_KEYS", "AUDIT", "GRANTS", "ROLES", "SCHEMA", "SESSIONS", "USERS"]

_TABLES = metadata()
SCHEMA = Schema("auth", 1, _TABLES)


def _column(name: str, kind: sa.types.TypeEngine[Any], **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, **{"nullable": False} | options)


def _user(*constraints: sa.ForeignKey, **options: Any) -> sa.Column[Any]:
    return sa.Column("user_id", TEXT, *constraints, key="user", **{"nullable": False} | options)


USERS = sa.Table(
    "auth_users",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("email", TEXT),
    _column("display_name", TEXT),
    _column("password_hash", TEXT, nullable=True),
    _column("enabled", sa.Boolean()),
    _column("verified", sa.Boolean()),
    _column("created_at", TIME),
    _column("failures", sa.BigInteger()),
    _column("locked_until", TIME, nullable=True),
    _column("version", sa.BigInteger()),
    _column("email_key", TEXT, unique=True),
)

ROLES = sa.Table(
    "auth_roles",
    _TABLES,
    _column("name", TEXT, primary_key=True),
    _column("permissions", NAMES),
    _column("parents", NAMES),
    _column("essential", sa.Boolean()),
)

GRANTS = sa.Table(
    "auth_grants",
    _TABLES,
    _user(sa.ForeignKey(USERS.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("role", TEXT, sa.ForeignKey(ROLES.c.name), primary_key=True, index=True),
    _column("scope", TEXT, primary_key=True),
)


def _tokens(name: str, *own: sa.Column[Any], expires: bool) -> sa.Table:
    table = sa.Table(
        name,
        _TABLES,
        _column("id", TEXT, primary_key=True),
        _user(),
        _column("digest", TEXT, unique=True),
        _column("label", TEXT),
        *own,
        _column("created_at", TIME),
        _column("expires_at", TIME, nullable=not expires),
        _column("revoked_at", TIME, nullable=True),
        _column("previous_digest", TEXT, nullable=True, index=True),
        _column("previous_until", TIME, nullable=True),
    )
    sa.Index(None, table.c.user, table.c.id)
    return table


SESSIONS = _tokens("auth_sessions", expires=True)
API_KEYS = _tokens(
    "auth_api_keys",
    _column("hint", TEXT),
    _column("permissions", NAMES, nullable=True),
    expires=False,
)

AUDIT = sa.Table(
    "auth_audit",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("at", TIME),
    _column("actor", TEXT, nullable=True),
    _column("action", TEXT),
    _column("subject", TEXT),
    _column("before", TEXT, nullable=True),
    _column("after", TEXT, nullable=True),
)
sa.Index(None, AUDIT.c.at, AUDIT.c.id)
