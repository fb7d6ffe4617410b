"""For `DatabaseProviderStorage`: its statements, those of leases and outcomes apart.

A parameter has the name of its column, or the one given to `bind`. FOR SHARE and FOR
UPDATE mean something on PostgreSQL only; SQLite has one writer at a time.
"""

from typing import Any

import sqlalchemy as sa

from storeproof.reference.database import notify, per_dialect
from storeproof.reference.database.entities import bind, columns
from storeproof.reference.providers.database.tables import CHANNEL, PROVIDERS, SECRETS
from storeproof.reference.providers.entities import Provider, Secret

__all__ = [
    "CHANGES_SINCE",
    "COOL_DOWN",
    "CREATE_PROVIDER",
    "DELETE_PROVIDER",
    "DELETE_SECRETS",
    "END_COOLING",
    "GET_PROVIDER",
    "GET_SECRET",
    "PUT_SECRET",
    "ROTATE_SECRET",
    "UPDATE_PROVIDER",
]


_LIMIT = sa.bindparam("limit", type_=sa.BigInteger())
_THIS = sa.and_(PROVIDERS.c.id == bind(PROVIDERS.c.id), sa.not_(PROVIDERS.c.deleted))
_ANY = PROVIDERS.alias("any_provider")
_NEXT = sa.select(sa.func.coalesce(sa.func.max(_ANY.c.revision), 0) + 1).scalar_subquery()
"""The next revision. Who uses it holds the lock of the schema, so nobody else does."""

_NOTIFY_CHANGE = notify(CHANNEL, PROVIDERS.c.revision)
_NOTIFY_SECRET = notify(CHANNEL)

GET_PROVIDER = sa.select(*columns(PROVIDERS, Provider)).where(_THIS)
CREATE_PROVIDER = (
    sa.insert(PROVIDERS)
    .values(
        {column: bind(column) for column in columns(PROVIDERS, Provider)}
        | {PROVIDERS.c.revision: _NEXT, PROVIDERS.c.deleted: sa.false()}
    )
    .returning(PROVIDERS.c.id, _NOTIFY_CHANGE)
)
UPDATE_PROVIDER = (
    sa.update(PROVIDERS)
    .where(_THIS, PROVIDERS.c.version == bind(PROVIDERS.c.version, "expected_version"))
    .values({column: bind(column) for column in columns(PROVIDERS, Provider)[1:-1]})
    .values({PROVIDERS.c.version: PROVIDERS.c.version + 1, PROVIDERS.c.revision: _NEXT})
    .returning(PROVIDERS.c.id, _NOTIFY_CHANGE)
)
DELETE_PROVIDER = (
    sa.update(PROVIDERS)
    .where(_THIS)
    .values(deleted=sa.true(), cooling_until=sa.null(), revision=_NEXT)
    .returning(PROVIDERS.c.id, _NOTIFY_CHANGE)
)
CHANGES_SINCE = (
    sa.select(PROVIDERS.c.revision, PROVIDERS.c.deleted, *columns(PROVIDERS, Provider))
    .where(PROVIDERS.c.revision > bind(PROVIDERS.c.revision))
    .order_by(PROVIDERS.c.revision)
    .limit(_LIMIT)
)

_UNTIL = bind(PROVIDERS.c.cooling_until, "until")
COOL_DOWN = (
    sa.update(PROVIDERS)
    .where(_THIS)
    .values(
        cooling_until=sa.case(
            (PROVIDERS.c.cooling_until > _UNTIL, PROVIDERS.c.cooling_until), else_=_UNTIL
        )
    )
    .returning(PROVIDERS.c.cooling_until)
)

_AT = bind(PROVIDERS.c.cooling_until, "at")
END_COOLING = (
    sa.update(PROVIDERS)
    .where(_THIS)
    .values(
        cooling_until=sa.case(
            (PROVIDERS.c.cooling_until > _AT, _AT), else_=PROVIDERS.c.cooling_until
        )
    )
    .returning(PROVIDERS.c.cooling_until)
)

_THIS_SECRET = sa.and_(
    SECRETS.c.provider == bind(SECRETS.c.provider), SECRETS.c.name == bind(SECRETS.c.name)
)
GET_SECRET = sa.select(*columns(SECRETS, Secret)).where(_THIS_SECRET)
DELETE_SECRETS = sa.delete(SECRETS).where(SECRETS.c.provider == bind(SECRETS.c.provider))


def _put_secret(insert: Any) -> Any:
    # Nobody deletes the provider before the statement ends.
    owner = (
        sa.select(PROVIDERS.c.id)
        .where(PROVIDERS.c.id == bind(SECRETS.c.provider), sa.not_(PROVIDERS.c.deleted))
        .with_for_update(read=True)
        .cte("owner")
    )
    values = sa.select(*(bind(column) for column in SECRETS.c))
    new = insert(SECRETS).from_select(list(SECRETS.c), values.where(sa.exists().select_from(owner)))
    return new.on_conflict_do_update(
        index_elements=[SECRETS.c.provider, SECRETS.c.name],
        set_={column: new.excluded[column.key] for column in (SECRETS.c.key, SECRETS.c.ciphertext)},
    ).returning(SECRETS.c.name, _NOTIFY_SECRET)


PUT_SECRET = per_dialect(_put_secret)
"""Returns no row where the provider does not exist."""

_CIPHERTEXT = bind(SECRETS.c.ciphertext)
_EXPECTED = SECRETS.c.ciphertext.in_((bind(SECRETS.c.ciphertext, "old"), _CIPHERTEXT))
ROTATE_SECRET = (
    sa.update(SECRETS)
    .where(_THIS_SECRET)
    .values(
        {
            SECRETS.c.key: sa.case((_EXPECTED, bind(SECRETS.c.key)), else_=SECRETS.c.key),
            SECRETS.c.ciphertext: sa.case((_EXPECTED, _CIPHERTEXT), else_=SECRETS.c.ciphertext),
        }
    )
    .returning(SECRETS.c.ciphertext, sa.case((SECRETS.c.ciphertext == _CIPHERTEXT, _NOTIFY_SECRET)))
)
"""Returns the ciphertext that is stored in the end: it is the new one, or `old` was wrong."""
