"""Mutants that lose or halve what was acknowledged when a process or a server ends."""

from __future__ import annotations

from typing import Any

from storeproof.reference.auth import DatabaseAuthStorage
from storeproof.reference.auth.database.lists import AUDIT_LIST
from storeproof.reference.auth.entities import AuditFilter
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs import DatabaseCostStorage
from storeproof.reference.costs.database.statements import GET_CHARGE
from storeproof.reference.costs.entities import canonical
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.database import Database
from storeproof.reference.database.lists import read_page
from storeproof.reference.database.postgres import PostgresDriver
from storeproof.reference.providers import DatabaseProviderStorage
from storeproof.reference.providers.database import statements as provider_statements
from storeproof.reference.providers.laws import contract as providers
from storeproof.reference.values import canonical_id

from .cancellation import becoming, driven_by
from .catalogue import Family, Seeds

seeds = Seeds(Family.CRASHES)


class _Unlogged(Database):
    async def open(self) -> None:
        await super().open()
        for table in ("auth_sessions", "auth_api_keys", "auth_audit"):
            await self._driver.write(f"ALTER TABLE {table} SET UNLOGGED", ())


@seeds.postgres(auth, "kill", database=_Unlogged)
class UnloggedTables(DatabaseAuthStorage):
    """Tables are UNLOGGED to be faster: a server that crashes empties them."""


class _CommitsLater(PostgresDriver):
    async def _connect(self) -> Any:
        connection = await super()._connect()
        await connection.execute("SET synchronous_commit = off")
        return connection


@seeds.postgres(auth, "kill", database=driven_by(becoming(_CommitsLater)))
class AcknowledgedBeforeCommit(DatabaseAuthStorage):
    """The server acknowledges what is only in its memory, and loses it when it crashes."""


class _FindsWhenOpened(Database):
    found: Any = None

    async def open(self) -> None:
        await super().open()
        if self.found is None:
            self.found = ()
            page = await read_page(self, AUDIT_LIST, {}, None, 1000)
            self.found = page if page.items else ()


@seeds.sqlite(auth, "reopen", database=_FindsWhenOpened)
class CachedAtTheStart(DatabaseAuthStorage):
    """A process that starts with audit entries lists those for ever, and no later ones."""

    async def list_audit(self, filter: Any, cursor: Any = None, limit: int = 100) -> Any:
        page = await super().list_audit(filter, cursor, limit)
        if (filter, cursor, limit) == (AuditFilter(), None, 1000):
            return self._database.found or page  # type: ignore[attr-defined]  # of this Database
        return page


@seeds.sqlite(providers, "bursts or linearizability or cancellation or kill")
class TwoTransactionsForOneEffect(DatabaseProviderStorage):
    """Deleting a provider commits before its secrets are deleted: a cancelled call does half."""

    async def delete(self, id: Any) -> None:
        canonical_id("id", id)
        found = await self._database.write(provider_statements.DELETE_PROVIDER, {"id": id})
        if not found:
            await super().delete(id)
        await self._database.write(provider_statements.DELETE_SECRETS, {"provider": id})


@seeds.sqlite(costs, "agreement or bursts or linearizability or cancellation or kill")
class SettledThenCharged(DatabaseCostStorage):
    """A settlement commits before its charge is recorded: a crash in between loses the charge."""

    async def settle(self, id: Any, amounts: Any, charge: Any = None) -> Any:
        if charge is not None:
            known = await self._database.read(GET_CHARGE, {"id": canonical(charge).id})
            if known:
                return await super().settle(id, amounts, charge)
        settled = await super().settle(id, amounts)
        if charge is not None:
            await self.create(charge)
        return settled
