"""Mutants that lose or halve what was acknowledged when a process or a server ends."""

from __future__ import annotations

from typing import Any

from storeproof.reference.auth import DatabaseAuthStorage
from storeproof.reference.auth.database.lists import AUDIT_LIST
from storeproof.reference.auth.entities import AuditFilter
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.database import Database
from storeproof.reference.database.lists import read_page

from .catalogue import Family, Seeds

seeds = Seeds(Family.CRASHES)


class _FindsWhenOpened(Database):
    found: Any = None

    async def open(self) -> None:
        await super().open()
        if self.found is None:
            self.found = ()
            page = await read_page(self, AUDIT_LIST, {}, None, 1000)
            self.found = page if page.items else ()


@seeds.sqlite(auth, "agreement or reopen", database=_FindsWhenOpened)
class CachedAtTheStart(DatabaseAuthStorage):
    """A process that starts with audit entries lists those for ever, and no later ones."""

    async def list_audit(self, filter: Any, cursor: Any = None, limit: int = 100) -> Any:
        page = await super().list_audit(filter, cursor, limit)
        if (filter, cursor, limit) == (AuditFilter(), None, 1000):
            return self._database.found or page  # type: ignore[attr-defined]  # of this Database
        return page
