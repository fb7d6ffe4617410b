"""For `DatabaseProviderStorage`: its lists, and the statement of each for the filters given."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from storeproof.reference.database import Database
from storeproof.reference.database.columns import TEXT, members
from storeproof.reference.database.entities import bind, columns, entity
from storeproof.reference.providers.database.tables import PROVIDERS, SECRETS, USAGE
from storeproof.reference.providers.entities import (
    Cooling,
    Provider,
    Secret,
    Usage,
    cursor_after,
    position,
)
from storeproof.reference.storage import Cursor, Page, canonical_limit

__all__ = ["COOLING_LIST", "PROVIDER_LIST", "SECRET_LIST", "USAGE_LIST", "read_page"]

Item = TypeVar("Item", bound=msgspec.Struct)
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, eq=False)
class Listing(Generic[Item]):
    """Entities made of `columns`, in the order of `key`, and the filters that there are."""

    kind: type[Item]
    columns: tuple[sa.Column[Any], ...]
    key: tuple[sa.Column[Any], ...]
    filters: Mapping[str, Condition]
    always: tuple[Condition, ...] = ()


_MODEL = members(PROVIDERS.c.models)
_SERVES = sa.exists().select_from(_MODEL).where(_MODEL.c.value == sa.bindparam("model", type_=TEXT))

PROVIDER_LIST = Listing(
    Provider,
    columns(PROVIDERS, Provider),
    (PROVIDERS.c.priority, PROVIDERS.c.id),
    {
        "kind": PROVIDERS.c.kind == bind(PROVIDERS.c.kind),
        "enabled": PROVIDERS.c.enabled == bind(PROVIDERS.c.enabled),
        "model": _SERVES,
    },
    (sa.not_(PROVIDERS.c.deleted),),
)
SECRET_LIST = Listing(
    Secret,
    columns(SECRETS, Secret),
    (SECRETS.c.provider, SECRETS.c.name),
    {
        "provider": SECRETS.c.provider == bind(SECRETS.c.provider),
        "other_than": SECRETS.c.key != bind(SECRETS.c.key, "other_than"),
    },
)
USAGE_LIST = Listing(
    Usage,
    columns(USAGE, Usage),
    (USAGE.c.provider,),
    {"minute": USAGE.c.minute == bind(USAGE.c.minute)},
)
COOLING_LIST = Listing(
    Cooling,
    (PROVIDERS.c.id, PROVIDERS.c.cooling_until),
    (PROVIDERS.c.id,),
    {"now": PROVIDERS.c.cooling_until > bind(PROVIDERS.c.cooling_until, "now")},
)


@cache
def _select(source: Listing[Any], given: frozenset[str], continued: bool) -> sa.Select[Any]:
    found = sa.select(*source.columns).where(*source.always)
    found = found.where(*(source.filters[name] for name in sorted(given)))
    if continued:
        last = sa.tuple_(*(bind(column, _last(column)) for column in source.key))
        found = found.where(sa.tuple_(*source.key) > last)
    return found.order_by(*source.key).limit(sa.bindparam("limit", type_=sa.BigInteger()))


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
