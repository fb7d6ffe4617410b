"""For the tests of the auth laws: what the laws of roles and permissions must not let pass."""

import fnmatch
from typing import Any

from msgspec.structs import replace

from storeproof.reference.auth import GLOBAL, GrantFilter, InMemoryAuthStorage
from storeproof.reference.exceptions import Duplicate, InUse, InvalidValue, NotFound

from ..breaking import Mutant
from .mutants import altering, answering, checking, erring, ignoring, replacing


async def merges_roles(storage: Any, right: Any, role: Any) -> Any:
    old = storage._roles.get(role.name, role)
    return await right(role=replace(role, permissions=role.permissions | old.permissions))


async def put_drops_grants(storage: Any, role: Any) -> None:
    storage._grants = {grant for grant in storage._grants if grant.role != role.name}


async def cycle_is_stored(storage: Any, right: Any, role: Any) -> Any:
    try:
        return await right()
    except InvalidValue:
        storage._roles[role.name] = role
        raise


async def once_essential(storage: Any, right: Any, role: Any) -> Any:
    old = storage._roles.get(role.name, role)
    return await right(role=replace(role, essential=old.essential))


async def grant_again_is_refused(storage: Any, user: Any, role: Any, scope: Any) -> None:
    found = (await storage.list_grants(GrantFilter(user=user, role=role, scope=scope))).items
    if found:
        raise Duplicate("id")


async def revoke_every_scope(storage: Any, right: Any, user: Any, role: Any, **_: Any) -> None:
    for grant in (await storage.list_grants(GrantFilter(user=user, role=role))).items:
        await right(scope=grant.scope)


async def revoke_needs_a_grant(storage: Any, user: Any, role: Any, scope: Any) -> None:
    if not (await storage.list_grants(GrantFilter(user=user, role=role, scope=scope))).items:
        raise NotFound("role", role)


async def holders_never_go(storage: Any, role: Any, **_: Any) -> None:
    if (await storage.get_role(role)).essential:
        raise InUse("role", role, "last holder")


async def holders_never_change(storage: Any, id: Any, **_: Any) -> None:
    for role in storage._global_roles(id):
        await holders_never_go(storage, role)


async def in_use_first(storage: Any, id: Any, patch: Any, **_: Any) -> None:
    if patch.enabled is False:
        storage._keep_holders(id, storage._global_roles(id))


async def only_of_users(storage: Any, user: Any, **_: Any) -> None:
    await storage.get_by_id(user)


class Permissive(InMemoryAuthStorage):
    """The right permissions, in parts that the mutants replace."""

    async def permissions(self, user: Any, scope: Any) -> frozenset[Any]:
        if not self.may(user):
            return frozenset()
        granted = [
            grant.role
            for grant in self._grants
            if grant.user == user and self.counts(grant.scope, scope)
        ]
        roles = [self._roles[name] for name in self.closure(granted)]
        return frozenset(permission for role in roles for permission in role.permissions)

    def may(self, user: Any) -> bool:
        return user in self._users and self._users[user].enabled

    def counts(self, granted: str, scope: str) -> bool:
        return granted in (GLOBAL, scope) or scope.startswith(f"{granted}/")

    def closure(self, names: Any) -> Any:
        return self._with_ancestors(names)


class NoParents(Permissive):
    def closure(self, names: Any) -> Any:
        return names


class OneGeneration(Permissive):
    def closure(self, names: Any) -> Any:
        return {*names, *(parent for name in names for parent in self._roles[name].parents)}


class PrefixScopes(Permissive):
    def counts(self, granted: str, scope: str) -> bool:
        return scope.startswith(granted)


class ExactScopes(Permissive):
    def counts(self, granted: str, scope: str) -> bool:
        return granted in (GLOBAL, scope)


class PatternScopes(Permissive):
    def counts(self, granted: str, scope: str) -> bool:
        pattern = granted.replace("_", "?").replace("%", "*")
        return super().counts(granted, scope) or fnmatch.fnmatchcase(scope, f"{pattern}*")


class GlobalIsAScope(Permissive):
    def counts(self, granted: str, scope: str) -> bool:
        return granted == scope or (granted != GLOBAL and super().counts(granted, scope))


class DisabledMay(Permissive):
    def may(self, user: Any) -> bool:
        return user in self._users


class DisabledHold(InMemoryAuthStorage):
    """Counts disabled users as holders of essential roles."""

    def _keep_holders(self, user: Any, roles: Any) -> None:
        for name in sorted(roles):
            grants = [each for each in self._grants if (each.role, each.scope) == (name, GLOBAL)]
            if self._roles[name].essential and [each.user for each in grants] == [user]:
                raise InUse("role", name, "last holder")


class AnyScopeHolds(InMemoryAuthStorage):
    """Counts grants in every scope for holding an essential role."""

    def _keep_holders(self, user: Any, roles: Any) -> None:
        for name in sorted(roles):
            users = {each.user for each in self._grants if each.role == name}
            if self._roles[name].essential and users == {user}:
                raise InUse("role", name, "last holder")


MUTANTS: dict[str, list[Mutant]] = {
    "AUTH-037": [
        altering("put_role", role=lambda role: replace(role, essential=False)),
        answering("list_roles", lambda page: replace(page, items=page.items[::-1])),
    ],
    "AUTH-038": [replacing("put_role", merges_roles), checking("put_role", put_drops_grants)],
    "AUTH-039": [
        ignoring("put_role", NotFound),
        erring("put_role", lambda _error: NotFound("role", "a")),
    ],
    "AUTH-040": [altering("put_role", role=lambda r: replace(r, parents=r.parents - {r.name}))],
    "AUTH-041": [ignoring("put_role", InvalidValue), replacing("put_role", cycle_is_stored)],
    "AUTH-042": [
        erring("put_role", lambda _error: InvalidValue("parents", "must not make a cycle"))
    ],
    "AUTH-043": [
        altering("get_role", name=str.lower),
        altering("delete_role", name=str.lower),
        ignoring("get_role", NotFound),
    ],
    "AUTH-044": [ignoring("delete_role", NotFound)],
    "AUTH-045": [
        ignoring("delete_role", InUse),
        erring("delete_role", lambda error: InUse("role", error.id, "role")),
    ],
    "AUTH-046": [ignoring("delete_role", InUse)],
    "AUTH-047": [checking("grant", grant_again_is_refused)],
    "AUTH-048": [
        ignoring("grant", NotFound),
        erring("grant", lambda _error: NotFound("role", "writer")),
    ],
    "AUTH-049": [replacing("revoke", revoke_every_scope), checking("revoke", revoke_needs_a_grant)],
    "AUTH-050": [checking("revoke", revoke_needs_a_grant)],
    "AUTH-051": [NoParents, OneGeneration],
    "AUTH-052": [PrefixScopes, ExactScopes],
    "AUTH-053": [PatternScopes],
    "AUTH-054": [GlobalIsAScope],
    "AUTH-055": [DisabledMay, checking("permissions", only_of_users)],
    "AUTH-056": [
        ignoring("revoke", InUse),
        ignoring("delete", InUse),
        ignoring("update", InUse),
    ],
    "AUTH-057": [checking("revoke", holders_never_go), checking("update", holders_never_change)],
    "AUTH-058": [DisabledHold],
    "AUTH-059": [AnyScopeHolds],
    "AUTH-060": [checking("revoke", holders_never_go), checking("update", holders_never_change)],
    "AUTH-061": [erring("delete", lambda _error: InUse("role", "b", "last holder"))],
    "AUTH-062": [checking("update", in_use_first)],
    "AUTH-063": [
        replacing("put_role", once_essential),
        altering("put_role", role=lambda role: replace(role, essential=True)),
    ],
}
