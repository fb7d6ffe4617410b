"""Mutants that let two have what one may have, or that look first and act later."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict

from storeproof.reference.auth import DatabaseAuthStorage, InMemoryAuthStorage
from storeproof.reference.auth.database import statements
from storeproof.reference.auth.database.tables import USERS
from storeproof.reference.auth.entities import GLOBAL, Grant, canonical
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs import DatabaseCostStorage
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.database import per_dialect
from storeproof.reference.exceptions import Duplicate, StorageError, VersionConflict
from storeproof.reference.providers.laws import contract as providers
from storeproof.reference.values import email_key

from .catalogue import Family, Seeds, turn
from .swapping import Unlocked, swapping

seeds = Seeds(Family.UNIQUENESS)


@seeds.operation(auth, "create", "bursts")
async def select_then_insert(storage: Any, _right: Any, entity: Any) -> Any:
    """It looks whether the e-mail is free and stores the user later: two users get the same one."""
    user = canonical(entity)
    if user.id in storage._users:
        raise Duplicate("id")
    storage._check_email(user.id, user.email)
    await turn()
    storage._users[user.id] = user
    storage._claim_email(user.id, user.email)
    return user


def _insert_or_ignore(insert: Any) -> Any:
    return insert(USERS).on_conflict_do_nothing()


_INSERT_OR_IGNORE = per_dialect(_insert_or_ignore)


class _SelectsFirst(DatabaseAuthStorage):
    async def create(self, entity: Any) -> Any:
        user = canonical(entity)
        values = {**asdict(user), "email_key": email_key(user.email)}
        for statement, field in ((statements.GET_USER, "id"), (statements.FIND_USER, "email")):
            if await self._database.read(statement, values):
                raise Duplicate(field)
        await self._database.write(_INSERT_OR_IGNORE, values)
        return user


@seeds.sqlite(auth, "bursts")
class SelectThenInsertOrIgnore(_SelectsFirst):
    """It looks first and inserts with OR IGNORE: of two at once both are told that they exist."""


@seeds.postgres(auth, "bursts")
class SelectThenOnConflictDoNothing(_SelectsFirst):
    """It looks first and inserts with ON CONFLICT DO NOTHING: both of two at once succeed."""


@seeds.operation(auth, "update", "bursts")
async def rename_without_check(storage: Any, right: Any, id: Any, patch: Any, **_: Any) -> Any:
    """A new e-mail is not looked up: a user can take that of another."""
    key = email_key(patch.email or "")
    owner = storage._emails.get(key, id)
    if owner != id:
        del storage._emails[key]
    try:
        return await right()
    except StorageError:
        storage._emails.update({key: owner} if owner != id else {})
        raise


class _Keyed(DatabaseAuthStorage):
    """Has a key of its own for e-mails."""

    @staticmethod
    def key(email: str) -> str:
        raise NotImplementedError

    async def create(self, entity: Any) -> Any:
        user = await super().create(entity)
        key = sa.update(USERS).where(USERS.c.id == user.id).values(email_key=self.key(user.email))
        await self._database.write(key, {})
        return user


@seeds.sqlite(auth, "agreement")
class CaseSensitiveEmails(_Keyed):
    """E-mails are unique as they were typed: Ann@b.c and ann@b.c are two users."""

    @staticmethod
    def key(email: str) -> str:
        return email


@seeds.sqlite(auth, "agreement")
class LowerFoldsOnlyAscii(_Keyed):
    """The key of an e-mail is SQLite's lower(), which leaves every letter but A to Z as it is."""

    @staticmethod
    def key(email: str) -> str:
        return "".join(each.lower() if each.isascii() else each for each in email)


def _upsert(insert: Any) -> Any:
    new = insert(USERS)
    changed = {column.key: new.excluded[column.key] for column in USERS.c}
    return new.on_conflict_do_update(index_elements=[USERS.c.id], set_=changed)


@seeds.sqlite(auth, "agreement", database=swapping({statements.CREATE_USER: per_dialect(_upsert)}))
class UpsertOnCreate(DatabaseAuthStorage):
    """Creating is an upsert: a user whose id is taken replaces the one who has it."""


class _Bag(list[Grant]):
    """What a table without a unique constraint is."""

    add = list.append

    def discard(self, grant: Grant) -> None:
        if grant in self:
            self.remove(grant)


@seeds.memory(auth, "agreement")
class DuplicateGrants(InMemoryAuthStorage):
    """A grant that is there already is stored once more, and listed twice."""

    def __init__(self) -> None:
        super().__init__()
        self._grants = _Bag()  # type: ignore[assignment]  # the defect


@seeds.operation(auth, "revoke", "AUTH-134 or AUTH-135")
async def last_admin_race(storage: Any, _right: Any, user: Any, role: Any, scope: Any) -> None:
    """It looks whether another administrator is left and revokes later: the last two both go."""
    grant = canonical(Grant(user=user, role=role, scope=scope))
    if grant in storage._grants and scope == GLOBAL:
        storage._keep_holders(user, [role])
    await turn()
    storage._grants.discard(grant)


@seeds.postgres(auth, "bursts", database=Unlocked)
class RolesWithoutLock(DatabaseAuthStorage):
    """What changes roles takes no lock: of two who delete one role at once both succeed."""


@seeds.operation(providers, "acquire", "bursts")
async def lease_given_twice(storage: Any, right: Any, lease: Any, **_: Any) -> Any:
    """It looks whether a lease was given and gives it later: of two at once both are counted."""
    if lease not in storage._leases:
        await turn()
        storage._leases.pop(lease, None)
    return await right()


@seeds.memory(auth, "agreement")
class DigestOfTwo(InMemoryAuthStorage):
    """Digests have no unique constraint: two sessions have the same one."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions._check_digest = lambda _id, _digest: None  # type: ignore[method-assign]


@seeds.operation(auth, "append_audit", "agreement")
async def audit_is_overwritten(storage: Any, right: Any, entry: Any) -> Any:
    """An audit entry whose id is taken replaces the one that was there."""
    storage._audit.pop(canonical(entry).id, None)
    return await right()


@seeds.sqlite(costs, "bursts")
class VersionCheckedBefore(DatabaseCostStorage):
    """The expected version is compared before the transaction that puts the budget begins."""

    async def put_budget(self, budget: Any, expected_version: Any, actor: Any, at: Any) -> Any:
        while True:
            found = await self.list_budget_versions(budget.id) if budget.id else None
            present = len(found.items) if found else 0
            try:
                return await super().put_budget(budget, expected_version, actor, at)
            except VersionConflict:
                if present != expected_version:
                    raise
                expected_version += 1
