"""Mutants that store or give back something else than what they were given."""

from __future__ import annotations

import unicodedata
from datetime import UTC
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict, replace

from storeproof.reference.auth import DatabaseAuthStorage
from storeproof.reference.auth.database.lists import USER_LIST
from storeproof.reference.auth.database.tables import USERS
from storeproof.reference.auth.entities import canonical
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.lists import read_page
from storeproof.reference.values import email_fold

from .catalogue import Family, Seeds

seeds = Seeds(Family.VALUES)


@seeds.operation(auth, "create", "agreement")
async def offset_is_dropped(_storage: Any, right: Any, entity: Any) -> Any:
    """The time zone of an instant is dropped, and what is left is read as UTC."""
    if entity.created_at.tzinfo is None:
        return await right()
    return await right(entity=replace(entity, created_at=entity.created_at.replace(tzinfo=UTC)))


@seeds.operation(costs, "create", "agreement")
async def microseconds_are_cut(_storage: Any, right: Any, entity: Any) -> Any:
    """An instant is stored in milliseconds."""
    at = entity.occurred_at
    cut = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return await right(entity=replace(entity, occurred_at=cut))


@seeds.operation(auth, "create", "agreement")
async def naive_time_is_given(_storage: Any, right: Any, **_: Any) -> Any:
    """An instant comes back without its time zone."""
    user = await right()
    return replace(user, created_at=user.created_at.replace(tzinfo=None))


@seeds.operation(auth, "append_audit", "agreement")
async def text_ends_at_nul(_storage: Any, right: Any, entry: Any) -> Any:
    """A text ends at its first NUL, as in C, instead of being refused."""
    return await right(entry=replace(entry, subject=entry.subject.split("\0")[0]))


@seeds.operation(auth, "create", "agreement")
async def empty_text_is_null(storage: Any, right: Any, **_: Any) -> Any:
    """An empty text comes back as None."""
    user = await right()
    return replace(user, display_name=user.display_name or None)


@seeds.operation(costs, "create", "agreement")
async def nan_is_zero(_storage: Any, right: Any, entity: Any) -> Any:
    """An amount that is not a number is stored as zero."""
    amount = Decimal(0) if entity.amount.is_nan() else entity.amount
    return await right(entity=replace(entity, amount=amount))


@seeds.sqlite(auth, "agreement", leaks=(OverflowError,))
class IntegerOverflows(DatabaseAuthStorage):
    """An integer of 64 bits or more reaches the driver, which raises OverflowError."""

    async def update(self, id: Any, patch: Any, expected_version: Any) -> Any:
        if isinstance(expected_version, int) and expected_version >= 2**63:
            await self._database.read(_VERSIONS, {"version": expected_version})
        return await super().update(id, patch, expected_version)


_VERSIONS = sa.select(USERS.c.id).where(
    USERS.c.version == sa.bindparam("version", type_=sa.BigInteger())
)


@seeds.operation(costs, "create", "agreement")
async def quantity_wraps(_storage: Any, right: Any, entity: Any) -> Any:
    """A quantity is stored in 32 bits, and wraps."""
    wrapped = (entity.quantity + 2**31) % 2**32 - 2**31 if 0 <= entity.quantity < 2**63 else -1
    return replace(await right(), quantity=wrapped)


def _like(part: sa.BindParameter[Any]) -> sa.ColumnElement[bool]:
    return USERS.c.email_key.like(sa.literal("%", TEXT) + part + sa.literal("%", TEXT))


@seeds.sqlite(auth, "agreement")
class LikeWithWildcards(DatabaseAuthStorage):
    """A part of an e-mail is looked for with LIKE: its % and _ stand for anything."""

    async def list_users(self, filter: Any, cursor: Any = None, limit: int = 100) -> Any:
        filters = asdict(canonical(filter))
        if filter.email_contains is not None:
            filters["email_contains"] = email_fold(filter.email_contains)
        return await read_page(self._database, _LIKE_LIST, filters, cursor, limit)


_LIKE_LIST = type(USER_LIST)(
    USER_LIST.order,
    USER_LIST.columns,
    USER_LIST.key,
    USER_LIST.make,
    {**USER_LIST.filters, "email_contains": _like(sa.bindparam("email_contains", type_=TEXT))},
)


@seeds.operation(costs, "create", "agreement")
async def large_numbers_are_floats(_storage: Any, right: Any, entity: Any) -> Any:
    """An integer above 2^53 goes through a float, which does not have it."""
    made = await right()
    return replace(made, quantity=int(float(made.quantity)))


@seeds.operation(auth, "create", "agreement")
async def text_is_normalised(_storage: Any, right: Any, entity: Any) -> Any:
    """An e-mail is given back in Unicode's normal form C, not as it was typed."""
    user = await right()
    return replace(user, email=unicodedata.normalize("NFC", user.email))


@seeds.operation(auth, "append_audit", "agreement")
async def json_is_stored_as_text(storage: Any, right: Any, entry: Any) -> Any:
    """A JSON document is given back as it was written, not in its canonical form."""
    stored = await right()
    return replace(stored, before=entry.before)


@seeds.operation(auth, "put_role", "agreement")
async def set_loses_what_is_not_ascii(_storage: Any, right: Any, role: Any) -> Any:
    """Permissions are stored in ASCII: the others are dropped."""
    kept = frozenset(each for each in role.permissions if each.isascii())
    return await right(role=replace(role, permissions=kept))


@seeds.operation(costs, "create", "agreement")
async def cents_only(_storage: Any, right: Any, entity: Any) -> Any:
    """An amount is stored with two decimals, as NUMERIC(18, 2) does."""
    made = await right()
    return replace(made, amount=round(made.amount, 2))
