"""For `DatabaseAuthStorage`: what sessions and API keys have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from msgspec.structs import asdict

from storeproof.reference.auth.database.statements import LOCK_USER
from storeproof.reference.auth.database.tables import API_KEYS, SESSIONS, USERS
from storeproof.reference.auth.entities import (
    ApiKey,
    Digest,
    Session,
    UserId,
    canonical,
    canonical_digest,
)
from storeproof.reference.database import Database, Row, Transaction, UniqueViolated
from storeproof.reference.database.entities import bind, columns, entity, first, taken_field
from storeproof.reference.exceptions import Duplicate
from storeproof.reference.storage import canonical_limit
from storeproof.reference.values import canonical_id, canonical_time, later

__all__ = ["API_KEY_STATEMENTS", "SESSION_STATEMENTS", "DatabaseTokens"]

Token = TypeVar("Token", Session, ApiKey)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Statements:
    table: sa.Table
    taken: sa.Select[Any]
    create: Any
    find: sa.Select[Any]
    rotate: Any
    revoke: Any
    revoke_all: Any
    purge: Any


def _statements(kind: type[Session] | type[ApiKey], table: sa.Table) -> _Statements:
    this = sa.and_(table.c.id == bind(table.c.id), table.c.user == bind(table.c.user))
    return _Statements(
        table=table,
        taken=sa.select(table.c.id).where(
            sa.or_(table.c.id == bind(table.c.id), table.c.digest == bind(table.c.digest))
        ),
        create=_create(table),
        find=_find(table, kind),
        rotate=_rotate(table, this).returning(*columns(table, kind)),
        revoke=sa.update(table)
        .where(this)
        .values(revoked_at=sa.func.coalesce(table.c.revoked_at, bind(table.c.revoked_at, "at")))
        .returning(*columns(table, kind)),
        revoke_all=_revoke_all(table),
        purge=_purge(table),
    )


def _owner(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.CTE:
    """The user of a token, which nobody deletes or disables before the statement ends."""
    found = sa.select(USERS.c.id).where(USERS.c.id == bind(table.c.user), *conditions)
    return found.with_for_update(read=True, key_share=True).cte("owner")


def _live(table: sa.Table) -> sa.ColumnElement[bool]:
    """The part of being live that the token itself decides."""
    unexpired = table.c.expires_at > bind(table.c.expires_at, "at")
    return sa.and_(table.c.revoked_at.is_(None), sa.or_(table.c.expires_at.is_(None), unexpired))


def _create(table: sa.Table) -> Any:
    owner = _owner(table)
    revoked = bind(table.c.revoked_at).is_not(None)
    values = sa.select(*(bind(column) for column in table.c))
    return (
        sa.insert(table)
        .from_select(list(table.c), values.where(sa.or_(revoked, sa.exists().select_from(owner))))
        .returning(table.c.id)
    )


def _find(table: sa.Table, kind: type[Session] | type[ApiKey]) -> sa.Select[Any]:
    digest = bind(table.c.digest)
    previous = sa.and_(
        table.c.previous_digest == digest,
        table.c.previous_until > bind(table.c.previous_until, "at"),
    )
    return (
        sa.select(*columns(table, kind))
        .join(USERS, USERS.c.id == table.c.user)
        .where(USERS.c.enabled, _live(table), sa.or_(table.c.digest == digest, previous))
        .order_by(sa.case((table.c.digest == digest, 0), else_=1), table.c.id)
        .limit(1)
    )


def _rotate(table: sa.Table, this: sa.ColumnElement[bool]) -> sa.Update:
    owner = _owner(table, USERS.c.enabled)
    new = bind(table.c.digest, "new")
    same = table.c.digest == new
    until = bind(table.c.previous_until, "until")
    return (
        sa.update(table)
        .where(this, _live(table), table.c.user.in_(sa.select(owner.c.id)))
        .values(
            digest=new,
            previous_digest=sa.case((same, table.c.previous_digest), else_=table.c.digest),
            previous_until=sa.case((same, table.c.previous_until), else_=until),
        )
    )


def _revoke_all(table: sa.Table) -> Any:
    kept = bind(table.c.id, "except_id")
    return (
        sa.update(table)
        .where(table.c.user == bind(table.c.user), table.c.revoked_at.is_(None))
        .where(sa.or_(kept.is_(None), table.c.id != kept))
        .values(revoked_at=bind(table.c.revoked_at, "at"))
        .returning(table.c.id)
    )


def _purge(table: sa.Table) -> Any:
    before = bind(table.c.expires_at, "before")
    ended = (
        sa.select(table.c.id)
        .where(sa.or_(table.c.expires_at < before, table.c.revoked_at < before))
        .order_by(table.c.id)
        .limit(sa.bindparam("limit", type_=sa.BigInteger()))
        .with_for_update()
        .cte("ended")
    )
    return sa.delete(table).where(table.c.id.in_(sa.select(ended.c.id))).returning(table.c.id)


SESSION_STATEMENTS = _statements(Session, SESSIONS)
API_KEY_STATEMENTS = _statements(ApiKey, API_KEYS)


class DatabaseTokens(Generic[Token]):
    """The sessions, or the API keys, of a `DatabaseAuthStorage`."""

    def __init__(
        self, database: Database, kind: type[Token], name: str, statements: _Statements
    ) -> None:
        self._database = database
        self._kind: type[Token] = kind
        self._name = name
        self._statements = statements

    async def create(self, token: Token) -> Token:
        token = canonical(token)
        try:
            rows = await self._database.write(self._statements.create, asdict(token))
        except UniqueViolated as error:
            field = await self._taken(token, error)
            if field is None:
                return await self.create(token)
            raise Duplicate(field) from error
        first(rows, "user", token.user)
        return token

    async def find(self, digest: Digest, at: datetime) -> Token:
        canonical_digest("digest", digest)
        at = canonical_time("at", at)
        rows = await self._database.read(self._statements.find, {"digest": digest, "at": at})
        return self._one(rows, digest)

    async def rotate(
        self, user: UserId, id: str, new: Digest, at: datetime, grace: timedelta
    ) -> Token:
        canonical_id("user", user)
        canonical_id("id", id)
        canonical_digest("new", new)
        at = canonical_time("at", at)
        given = {"user": user, "id": id, "new": new, "at": at, "until": later("grace", at, grace)}
        try:
            return self._one(await self._database.write(self._statements.rotate, given), id)
        except UniqueViolated as error:
            raise Duplicate("digest") from error

    async def revoke(self, user: UserId, id: str, at: datetime) -> Token:
        canonical_id("user", user)
        canonical_id("id", id)
        given = {"user": user, "id": id, "at": canonical_time("at", at)}
        return self._one(await self._database.write(self._statements.revoke, given), id)

    async def revoke_all(self, user: UserId, except_id: str | None, at: datetime) -> int:
        canonical_id("user", user)
        if except_id is not None:
            canonical_id("except_id", except_id)
        at = canonical_time("at", at)

        async def work(transaction: Transaction) -> int:
            # No token of this user is created between the choice and the commit.
            await transaction.run(LOCK_USER, {"id": user})
            return await self.revoke_within(transaction, user, except_id, at)

        return await self._database.transact(work)

    async def revoke_within(
        self, transaction: Transaction, user: UserId, except_id: str | None, at: datetime
    ) -> int:
        """Revokes a locked user's tokens, canonical arguments given; how many."""
        given: Mapping[str, Any] = {"user": user, "except_id": except_id, "at": at}
        return len(await transaction.run(self._statements.revoke_all, given))

    async def purge(self, before: datetime, limit: int) -> int:
        given = {"before": canonical_time("before", before), "limit": canonical_limit(limit)}
        return len(await self._database.write(self._statements.purge, given))

    def _one(self, rows: list[Row], id: str) -> Token:
        return entity(self._kind, first(rows, self._name, id))

    async def _taken(self, token: Token, error: UniqueViolated) -> str | None:
        """Which field is a duplicate; the id if both are, whatever the database noticed.

        None where what was taken has been purged meanwhile.
        """
        if error.constraint == f"{self._statements.table.name}_id":
            return "id"
        rows = await self._database.read(self._statements.taken, asdict(token))
        return taken_field(token.id, rows, "digest")
