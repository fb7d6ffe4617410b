"""For `DatabaseAuthStorage`: its lists, and the statement of each for the filters given."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from storeproof.reference.auth.database.tables import (
    API_KEYS,
    AUDIT,
    GRANTS,
    ROLES,
    SESSIONS,
    USERS,
)
from storeproof.reference.auth.entities import (
    ApiKey,
    AuditEntry,
    Grant,
    Role,
    Session,
    User,
    cursor_after,
    position,
)
from storeproof.reference.database import Database
from storeproof.reference.database.columns import TEXT, contains
from storeproof.reference.database.entities import bind, columns, entity
from storeproof.reference.storage import Cursor, Page, canonical_limit

__all__ = [
    "API_KEY_LIST",
    "AUDIT_LIST",
    "GRANT_LIST",
    "ROLE_LIST",
    "SESSION_LIST",
    "USER_LIST",
    "Listing",
    "read_page",
]

Item = TypeVar("Item", bound=msgspec.Struct)
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, eq=False)
class Listing(Generic[Item]):
    """Entities of one table in the order of `key`, and the filters that there are for it."""

    kind: type[Item]
    table: sa.Table
    key: tuple[sa.Column[Any], ...]
    filters: Mapping[str, Condition]
    newest_first: bool = False


def _equal(*names: sa.Column[Any]) -> dict[str, Condition]:
    return {str(column.key): column == bind(column) for column in names}


_HOLDS = sa.exists().where(GRANTS.c.user == USERS.c.id, GRANTS.c.role == bind(GRANTS.c.role))
_PART = sa.bindparam("email_contains", type_=TEXT)

USER_LIST = Listing(
    User,
    USERS,
    (USERS.c.id,),
    _equal(USERS.c.enabled)
    | {"role": _HOLDS, "email_contains": contains(USERS.c.email_key, _PART)},
)
ROLE_LIST = Listing(Role, ROLES, (ROLES.c.name,), {})
GRANT_LIST = Listing(Grant, GRANTS, tuple(GRANTS.c), _equal(*GRANTS.c))
SESSION_LIST = Listing(Session, SESSIONS, (SESSIONS.c.id,), _equal(SESSIONS.c.user))
API_KEY_LIST = Listing(ApiKey, API_KEYS, (API_KEYS.c.id,), _equal(API_KEYS.c.user))
AUDIT_LIST = Listing(
    AuditEntry,
    AUDIT,
    (AUDIT.c.at, AUDIT.c.id),
    _equal(AUDIT.c.actor, AUDIT.c.action, AUDIT.c.subject)
    | {
        "since": AUDIT.c.at >= bind(AUDIT.c.at, "since"),
        "until": AUDIT.c.at < bind(AUDIT.c.at, "until"),
    },
    newest_first=True,
)


@cache
def _select(source: Listing[Any], given: frozenset[str], continued: bool) -> sa.Select[Any]:
    found = sa.select(*columns(source.table, source.kind))
    found = found.where(*(source.filters[name] for name in sorted(given)))
    if continued:
        last = sa.tuple_(*(bind(column, _last(column)) for column in source.key))
        here = sa.tuple_(*source.key)
        found = found.where(here < last if source.newest_first else here > last)
    order = [column.desc() if source.newest_first else column for column in source.key]
    return found.order_by(*order).limit(sa.bindparam("limit", type_=sa.BigInteger()))


def _last(column: sa.Column[Any]) -> str:
    return f"last_{column.key}"


async def read_page(
    database: Database,
    source: Listing[Item],
    filters: Mapping[str, Any],
    cursor: Cursor | None,
    limit: int,
) -> Page[Item]:
    """At most `limit` entities that match the filters (None: not given) behind the cursor."""
    after = position(source.kind, cursor)
    limit = canonical_limit(limit)
    given = {name: value for name, value in filters.items() if value is not None}
    last = dict(zip(map(_last, source.key), after or (), strict=after is not None))
    # One more than asked for tells whether another page follows.
    rows = await database.read(
        _select(source, frozenset(given), after is not None),
        {**given, **last, "limit": limit + 1},
    )
    items = tuple(entity(source.kind, row) for row in rows[:limit])
    more = len(rows) > limit
    return Page(items=items, next_cursor=cursor_after(items[-1]) if more else None)
