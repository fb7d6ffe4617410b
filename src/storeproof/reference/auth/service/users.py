"""For administrators, through `AuthService`: users, roles, grants and the audit trail."""

from msgspec.structs import replace

from storeproof.reference.auth.entities import (
    GLOBAL,
    AuditEntry,
    AuditFilter,
    Email,
    Grant,
    GrantFilter,
    PasswordHash,
    Permission,
    Role,
    RoleName,
    Scope,
    User,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.service.access import BUILT_IN, Principal, covers, limited
from storeproof.reference.auth.service.sign_in import SignIn, about
from storeproof.reference.auth.service.views import IssuedSession, UserView, view_user
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.storage import Cursor, Page

__all__ = ["UserManagement"]

RESERVED = frozenset(role.name for role in BUILT_IN)


class UserManagement(SignIn):
    """Nobody grants, or takes from others, permissions that they do not hold themselves.

    What the methods raise beside NotAllowed and NotAudited is what the operation of the same name
    in `AuthStorage` raises: InUse, for one, where the last administrator would be lost.

    Whether a caller may do something is read before it is done, in operations of their own: a
    grant that is made in between counts from the next call on.
    """

    async def get_user(self, by: Principal, id: UserId) -> UserView:
        """Open to the user itself, signed in, too."""
        await self._require_for("get_user", by, id)
        return view_user(await self._storage.get_by_id(id))

    async def list_users(
        self,
        by: Principal,
        filter: UserFilter,
        cursor: Cursor | None = None,
        limit: int = 100,
    ) -> Page[UserView]:
        await self._require("list_users", by)
        page = await self._storage.list_users(filter, cursor, limit)
        return Page(items=tuple(map(view_user, page.items)), next_cursor=page.next_cursor)

    async def create_user(
        self,
        by: Principal,
        email: str,
        *,
        display_name: str = "",
        password: str | None = None,
        id: str | None = None,
    ) -> UserView:
        """Without a password the user can't sign in until a `reset_password` was redeemed.

        With an id it may be repeated: the same user, as it is by now, is returned, and nothing is
        audited again. Raises WeakPassword where the policy does not accept the password.
        """
        await self._require("create_user", by)
        try:
            user = await self._add_user(email, display_name, password, id)
        except Duplicate as error:
            if id is None or error.field != "id":
                raise
            return await self._made_before(UserId(id), email, display_name, password)
        await self._audit(by.user, "create_user", user.id, after=user)
        return user

    async def update_user(
        self, by: Principal, id: UserId, patch: UserPatch, expected_version: int
    ) -> UserView:
        """A new e-mail is not verified unless the patch says so. Disabling ends all sessions."""
        await self._require("update_user", by)
        await self._require_rank("update_user", by, id)
        before = await self._storage.get_by_id(id)
        if patch.email not in (None, before.email) and patch.verified is None:
            patch = replace(patch, verified=False)
        after = view_user(await self._storage.update(id, patch, expected_version))
        if patch.enabled is False:
            await self._storage.revoke_sessions(id, None, self._clock())
        await self._audit(by.user, "update_user", id, before=view_user(before), after=after)
        return after

    async def delete_user(self, by: Principal, id: UserId) -> None:
        await self._require("delete_user", by)
        await self._require_rank("delete_user", by, id)
        before = view_user(await self._storage.get_by_id(id))
        await self._storage.delete(id, self._clock())
        await self._audit(by.user, "delete_user", id, before=before)

    async def reset_password(self, by: Principal, id: UserId) -> IssuedSession:
        """Ends the user's password and sessions, and gives a token for `redeem_reset`.

        So nobody but the user ever knows the next password (ASVS 6.4.6). The token works once,
        for `reset_lifetime`, while the user is enabled.
        """
        await self._require("reset_password", by)
        await self._require_rank("reset_password", by, id)
        unknown = await self._hash(self._new_secret())
        await self._force_password(id, unknown)
        count = await self._storage.revoke_sessions(id, None, self._clock())
        lifetime = self._policy.reset_lifetime
        issued = await self._open(id, self._policy.reset_prefix, "password reset", lifetime)
        await self._audit(by.user, "reset_password", id, after={"sessions": count})
        return issued

    async def unlock_user(self, by: Principal, id: UserId) -> None:
        """Ends a lock-out and forgets failed attempts."""
        await self._require("unlock_user", by)
        await self._require_rank("unlock_user", by, id)
        before = view_user(await self._storage.get_by_id(id))
        await self._storage.clear_attempts(id)
        await self._audit(by.user, "unlock_user", id, before=before)

    async def get_role(self, by: Principal, name: RoleName) -> Role:
        await self._require("get_role", by)
        return await self._storage.get_role(name)

    async def list_roles(
        self, by: Principal, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Role]:
        await self._require("list_roles", by)
        return await self._storage.list_roles(cursor, limit)

    async def put_role(self, by: Principal, role: Role) -> Role:
        """Creates or replaces a role, whose permissions, old and new, the caller must hold.

        The built-in roles can't be replaced.
        """
        await self._require("put_role", by)
        await self._require_changeable("put_role", by, role.name)
        before = await self._find_role(role.name)
        concerned = [*role.parents, *([] if before is None else [role.name])]
        wanted = role.permissions | await self._permissions_of(concerned)
        await self._require_all("put_role", by, GLOBAL, wanted)
        after = await self._storage.put_role(role)
        await self._audit(by.user, "put_role", role.name, before=before, after=after)
        return after

    async def delete_role(self, by: Principal, name: RoleName) -> None:
        await self._require("delete_role", by)
        await self._require_changeable("delete_role", by, name)
        before = await self._storage.get_role(name)
        await self._require_all("delete_role", by, GLOBAL, await self._permissions_of([name]))
        await self._storage.delete_role(name)
        await self._audit(by.user, "delete_role", name, before=before)

    async def grant(self, by: Principal, user: UserId, role: RoleName, scope: Scope) -> Grant:
        """Gives a role, all of whose permissions the caller must hold in this scope."""
        await self._require("grant", by, scope)
        await self._require_all("grant", by, scope, await self._permissions_of([role]))
        before = await self._grant_of(user, role, scope)
        after = await self._storage.grant(user, role, scope)
        await self._audit(by.user, "grant", user, before=before, after=after)
        return after

    async def revoke(self, by: Principal, user: UserId, role: RoleName, scope: Scope) -> None:
        """Takes a role away, all of whose permissions the caller must hold in this scope.

        Raises NotFound("role", role) for an unknown role, unlike the storage.
        """
        await self._require("revoke", by, scope)
        await self._require_all("revoke", by, scope, await self._permissions_of([role]))
        before = await self._grant_of(user, role, scope)
        await self._storage.revoke(user, role, scope)
        await self._audit(by.user, "revoke", user, before=before)

    async def list_grants(
        self,
        by: Principal,
        filter: GrantFilter,
        cursor: Cursor | None = None,
        limit: int = 100,
    ) -> Page[Grant]:
        """Needs its permission in the scope of the filter; without one, in GLOBAL."""
        await self._require("list_grants", by, filter.scope or GLOBAL)
        return await self._storage.list_grants(filter, cursor, limit)

    async def list_permissions(
        self, by: Principal, user: UserId, scope: Scope
    ) -> frozenset[Permission]:
        """What a user may do in a scope."""
        await self._require("list_permissions", by, scope)
        return await self._storage.permissions(user, scope)

    async def own_permissions(self, by: Principal, scope: Scope) -> frozenset[Permission]:
        """What the caller may do in a scope, with this session or key."""
        return limited(await self._storage.permissions(by.user, scope), by.permissions)

    async def own_user(self, by: Principal) -> UserView:
        """The caller."""
        return view_user(await self._storage.get_by_id(by.user))

    async def require(self, by: Principal, permission: Permission, scope: Scope = GLOBAL) -> None:
        """Refuses who does not hold an application's own permission in this scope.

        Raises NotAllowed, which is audited.
        """
        if not covers(await self._held(by, scope), frozenset({permission})):
            await self._forbid(f"require {permission}", by, f"it needs the permission {permission}")

    async def list_audit(
        self,
        by: Principal,
        filter: AuditFilter,
        cursor: Cursor | None = None,
        limit: int = 100,
    ) -> Page[AuditEntry]:
        await self._require("list_audit", by)
        return await self._storage.list_audit(filter, cursor, limit)

    async def _require_changeable(self, operation: str, by: Principal, name: RoleName) -> None:
        if name in RESERVED:
            await self._forbid(operation, by, "built-in roles can't be changed")

    async def _find_role(self, name: RoleName) -> Role | None:
        try:
            return await self._storage.get_role(name)
        except NotFound:
            return None

    async def _grant_of(self, user: UserId, role: RoleName, scope: Scope) -> Grant | None:
        wanted = GrantFilter(user=user, role=role, scope=scope)
        page = await self._storage.list_grants(wanted, None, 1)
        return page.items[0] if page.items else None

    async def _made_before(
        self, id: UserId, email: str, display_name: str, password: str | None
    ) -> UserView:
        """The user with this id. Raises Duplicate("id") for one made of something else."""
        known = await self._storage.get_by_id(id)
        same = (known.email, known.display_name) == (email, display_name)
        if password is not None:
            same = await self._hasher.verify(known.password_hash, password) and same
        if not same:
            raise Duplicate("id")
        return view_user(known)

    async def _add_user(
        self, email: str, display_name: str, password: str | None, id: str | None = None
    ) -> UserView:
        hashed = None
        if password is not None:
            self._accept(password, about(email, display_name))
            hashed = await self._hash(password)
        user = User(
            id=UserId(self._new_id() if id is None else id),
            email=Email(email),
            display_name=display_name,
            password_hash=hashed,
            created_at=self._clock(),
        )
        return view_user(await self._storage.create(user))

    async def _force_password(self, id: UserId, new: PasswordHash) -> None:
        """Replaces the hash whatever it is; who loses a race starts again."""
        replaced = False
        while not replaced:
            old = (await self._storage.get_by_id(id)).password_hash
            replaced = await self._storage.replace_password_hash(id, old, new)
