"""Mutants that leave something behind, or answer with the wrong error, a foreign one, or none."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict
from reference.auth.mutants_of_users import delete_keeps_grants

from storeproof.reference.auth import DatabaseAuthStorage, InMemoryAuthStorage
from storeproof.reference.auth.database import statements
from storeproof.reference.auth.database.tables import AUDIT, USERS
from storeproof.reference.auth.entities import User, canonical
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs.entities import canonical as canonical_charge
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.database import UniqueViolated
from storeproof.reference.database.entities import bind, columns
from storeproof.reference.exceptions import Duplicate, NotFound, VersionConflict
from storeproof.reference.providers import DatabaseProviderStorage
from storeproof.reference.providers.database import statements as provider_statements
from storeproof.reference.providers.database.tables import SECRETS
from storeproof.reference.providers.laws import contract as providers
from storeproof.reference.values import email_key

from .catalogue import Family, Seeds
from .swapping import swapping

seeds = Seeds(Family.DELETES)

_DELETE_NONE = sa.delete(SECRETS).where(SECRETS.c.provider == bind(SECRETS.c.provider), sa.false())


@seeds.sqlite(
    providers,
    "agreement",
    database=swapping({provider_statements.DELETE_SECRETS: _DELETE_NONE}),
)
class OrphanedSecrets(DatabaseProviderStorage):
    """The secrets of a deleted provider stay, and are listed."""


@seeds.operation(auth, "delete", "agreement")
async def orphaned_grants(storage: Any, right: Any, **given: Any) -> None:
    """The grants of a deleted user stay, and are those of the next user with that id."""
    await delete_keeps_grants(storage, right, **given)


@seeds.operation(auth, "delete", "agreement")
async def silent_success(_storage: Any, right: Any, **_: Any) -> None:
    """Deleting what is not there succeeds."""
    try:
        await right()
    except NotFound:
        return


@seeds.sqlite(auth, "agreement")
class SwallowedIntegrityError(DatabaseAuthStorage):
    """A violated constraint is taken for success: the caller believes that the user exists."""

    async def create(self, entity: Any) -> Any:
        try:
            return await super().create(entity)
        except Duplicate:
            return canonical(entity)


@seeds.postgres(auth, "agreement")
class SwallowedInsideTheTransaction(DatabaseAuthStorage):
    """An error is swallowed inside a transaction, which PostgreSQL then undoes as a whole."""

    async def append_audit(self, entry: Any) -> Any:
        entry = canonical(entry)

        async def work(transaction: Any) -> None:
            try:
                await transaction.run(sa.insert(AUDIT), asdict(entry))
            except UniqueViolated:
                return

        await self._database.transact(work)
        return entry


@seeds.operation(auth, "create_session", "agreement")
async def wrong_precedence(storage: Any, right: Any, session: Any) -> Any:
    """A taken id is told before an unknown user is."""
    if session.id in storage._sessions._tokens and session.user not in storage._users:
        canonical(session)
        raise Duplicate("id")
    return await right()


@seeds.operation(costs, "put_budget", "agreement")
async def conflict_before_missing(_storage: Any, right: Any, **given: Any) -> Any:
    """A budget that is not there is told as a conflict of versions."""
    try:
        return await right()
    except NotFound as error:
        raise VersionConflict("budget", error.id, given["expected_version"]) from error


@seeds.sqlite(auth, "agreement", leaks=(sqlite3.IntegrityError,))
class LeakedDriverError(DatabaseAuthStorage):
    """The driver's IntegrityError leaves the storage."""

    async def create(self, entity: Any) -> Any:
        try:
            return await super().create(entity)
        except Duplicate as error:
            raise sqlite3.IntegrityError(f"UNIQUE constraint failed: {error.field}") from error


@seeds.postgres(auth, "agreement", leaks=(UniqueViolated,))
class LeakedInternalError(DatabaseAuthStorage):
    """The error by which the layers below tell of a constraint leaves the storage."""

    async def create(self, entity: Any) -> Any:
        user = canonical(entity)
        values = {**asdict(user), "email_key": email_key(user.email)}
        await self._database.write(statements.CREATE_USER, values)
        return user


@seeds.operation(auth, "update", "agreement", leaks=(RecursionError,))
async def infinite_retry(storage: Any, right: Any, **given: Any) -> Any:
    """A conflict of versions is retried with the same version, again and again."""
    try:
        return await right()
    except VersionConflict:
        return await infinite_retry(storage, right, **given)


_NO_VERSION = (
    sa.update(USERS)
    .where(USERS.c.id == bind(USERS.c.id))
    .values(
        {
            column: sa.func.coalesce(bind(column), column)
            for column in (
                USERS.c.email,
                USERS.c.email_key,
                USERS.c.display_name,
                USERS.c.enabled,
                USERS.c.verified,
            )
        }
    )
    .values(version=USERS.c.version + 1)
    .returning(*columns(USERS, User))
)


@seeds.sqlite(auth, "agreement", database=swapping({statements.UPDATE_USER: _NO_VERSION}))
class LostVersionCheck(DatabaseAuthStorage):
    """UPDATE has no condition on the version: the second of two editors overwrites the first."""


@seeds.memory(auth, "agreement")
class EmailIsNeverFreeAgain(InMemoryAuthStorage):
    """The e-mail of a deleted user stays taken."""

    def __init__(self) -> None:
        super().__init__()
        self._gone: set[str] = set()

    async def delete(self, id: Any, at: Any) -> None:
        user = self._users.get(id)
        await super().delete(id, at)
        self._gone.update([email_key(user.email)] if user else [])

    async def create(self, entity: Any) -> Any:
        user = canonical(entity)
        if user.id not in self._users and email_key(user.email) in self._gone:
            raise Duplicate("email")
        return await super().create(entity)


@seeds.operation(costs, "settle", "agreement")
async def half_done_before_the_error(storage: Any, right: Any, charge: Any, **_: Any) -> Any:
    """The charge of a settlement is stored, also where the settlement then is refused."""
    if charge is not None:
        charge = canonical_charge(charge)
    result = None
    try:
        result = await right()
    finally:
        if result is None and charge is not None:
            storage._charges.setdefault(charge.id, charge)
    return result


@seeds.operation(providers, "get_secret", "agreement")
async def wrong_kind(_storage: Any, right: Any, provider: Any, **_: Any) -> Any:
    """A missing secret is told as a missing provider."""
    try:
        return await right()
    except NotFound as error:
        raise NotFound("provider", provider) from error


@seeds.operation(auth, "delete", "agreement")
async def sessions_outlive_their_user(storage: Any, right: Any, **_: Any) -> None:
    """The sessions of a deleted user are not revoked."""
    sessions = dict(storage._sessions._tokens)
    await right()
    storage._sessions._tokens = sessions
