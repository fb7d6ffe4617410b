"""For applications: users sign in, and are managed, through `AuthService`."""

from collections.abc import Sequence

from storeproof.reference.auth.entities import GLOBAL, Role, User, UserFilter, UserPatch
from storeproof.reference.auth.service.access import ADMINISTRATOR, BUILT_IN
from storeproof.reference.auth.service.base import AuthPolicy
from storeproof.reference.auth.service.exceptions import NotAllowed
from storeproof.reference.auth.service.sign_in import about
from storeproof.reference.auth.service.tokens import TokenManagement
from storeproof.reference.auth.service.users import UserManagement
from storeproof.reference.auth.service.views import UserView, view_user

__all__ = ["AuthPolicy", "AuthService"]


class AuthService(UserManagement, TokenManagement):
    """Passwords, sessions, API keys, users, roles and their audit trail, on any `AuthStorage`.

        service = AuthService(storage)
        await service.bootstrap("ann@example.org", password)
        issued = await service.log_in("ann@example.org", password)
        principal = await service.authenticate(issued.token)
        await service.create_user(principal, "bob@example.org")

    Methods take the `Principal` who calls as `by`, check it against `access.NEEDS` in every call,
    and record every change, and every refusal, in the audit trail. See `access.Access` for which
    methods must not be exposed. What is refused raises an error of `auth.exceptions`.

    storage: injected. clock: gives the present. new_id, new_secret: give ids, and the random part
    of tokens. hasher: hashes passwords. policy: what an operator may choose.
    """

    async def bootstrap(self, email: str, password: str, *, display_name: str = "") -> UserView:
        """Installs the built-in roles and the first administrator.

        If it was interrupted, call it again: whoever has this e-mail already gets the password and
        becomes administrator. Raises WeakPassword; then NotAllowed where there is an administrator.
        Two operators who call it at the same time may both become administrators.
        """
        self._accept(password, about(email, display_name))
        administrators = UserFilter(role=ADMINISTRATOR, enabled=True)
        if (await self._storage.list_users(administrators, None, 1)).items:
            raise NotAllowed("bootstrap", "there is an administrator already")
        await self.install_roles()
        known = await self._find(email)
        if known is None:
            user = await self._add_user(email, display_name, password)
        else:
            user = await self._adopt(known, password)
        await self._storage.grant(user.id, ADMINISTRATOR, GLOBAL)
        await self._audit(None, "bootstrap", user.id, after=user)
        return user

    async def install_roles(self, roles: Sequence[Role] = BUILT_IN) -> tuple[Role, ...]:
        """Stores the built-in roles, or these, as this version defines them.

        Each must come after its parents. Repeating it is harmless.
        """
        for role in roles:
            before = await self._find_role(role.name)
            if before != role:
                await self._storage.put_role(role)
                await self._audit(None, "install_roles", role.name, before=before, after=role)
        return tuple(roles)

    async def _adopt(self, user: User, password: str) -> UserView:
        await self._force_password(user.id, await self._hash(password))
        if not user.enabled:
            await self._storage.update(user.id, UserPatch(enabled=True), user.version)
        return view_user(await self._storage.get_by_id(user.id))
