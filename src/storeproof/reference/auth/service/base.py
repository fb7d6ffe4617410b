"""For the parts of `AuthService` only: what they are given, and how they check and record."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from uuid import uuid4

import msgspec

from storeproof.reference import tokens
from storeproof.reference.auth.entities import (
    GLOBAL,
    AuditEntry,
    AuditId,
    Digest,
    Grant,
    GrantFilter,
    JsonText,
    LockOutPolicy,
    PasswordHash,
    Permission,
    RoleName,
    Scope,
    UserId,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.auth.service.access import NEEDS, Access, Principal, covers, limited
from storeproof.reference.auth.service.exceptions import (
    AuthError,
    NotAllowed,
    NotAudited,
    WeakPassword,
)
from storeproof.reference.exceptions import InvalidValue, StorageError
from storeproof.reference.passwords import Argon2Hasher, PasswordHasher, PasswordPolicy
from storeproof.reference.service import ComponentService
from storeproof.reference.storage import Clock
from storeproof.reference.values import canonical_json

__all__ = ["AuthPolicy", "ServiceBase"]


class AuthPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may choose.

    The lock-out keeps guessing slow; it also lets anybody lock out anybody whose address they
    know, so its duration is short. A grace is how long a rotated token still works. Prefixes tell
    the kinds of tokens apart; they must differ.
    """

    passwords: PasswordPolicy = PasswordPolicy()
    lock_out: LockOutPolicy = LockOutPolicy(threshold=10, duration=timedelta(minutes=15))
    session_lifetime: timedelta = timedelta(hours=12)
    session_grace: timedelta = timedelta(seconds=30)
    key_grace: timedelta = timedelta(days=1)
    reset_lifetime: timedelta = timedelta(hours=1)
    session_prefix: str = "sps_"
    key_prefix: str = "spk_"
    reset_prefix: str = "spr_"

    def __post_init__(self) -> None:
        prefixes = (self.session_prefix, self.key_prefix, self.reset_prefix)
        for one in prefixes:
            if sum(each.startswith(one) for each in prefixes) != 1:
                raise ValueError(f"the prefix {one!r} does not tell its kind of token apart")


class ServiceBase(ComponentService[AuthStorage]):
    """Checks every call and records every change.

    The storage changes first, and the audit entry follows in a second operation. When the entry
    fails, or the process ends between the two, the change stands without its entry; in the first
    case the caller gets NotAudited. Nothing is ever recorded that did not happen.
    """

    def __init__(
        self,
        storage: AuthStorage,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid4().hex,
        new_secret: Callable[[], str] = tokens.new_secret,
        hasher: PasswordHasher | None = None,
        policy: AuthPolicy | None = None,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id
        self._new_secret = new_secret
        self._hasher = hasher or Argon2Hasher()
        self._policy = policy or AuthPolicy()

    async def _require(self, operation: str, by: Principal, scope: Scope = GLOBAL) -> None:
        """Refuses the operation unless the principal has what `NEEDS` says, in this scope."""
        need = NEEDS[operation]
        if need is Access.OWN:
            if by.session is None:
                await self._forbid(operation, by, "an API key can't do this; sign in")
        elif not isinstance(need, Access):
            held = await self._held(by, scope)
            if not covers(held, frozenset({need})):
                await self._forbid(operation, by, f"it needs the permission {need}")

    async def _require_for(self, operation: str, by: Principal, user: UserId) -> bool:
        """As `_require`, but open to the user itself, signed in; whether it is."""
        if by.user == user and by.session is not None:
            return True
        await self._require(operation, by)
        return False

    async def _require_all(
        self, operation: str, by: Principal, scope: Scope, permissions: frozenset[Permission]
    ) -> None:
        """Refuses whoever does not hold all these permissions in this scope."""
        if not covers(await self._held(by, scope), permissions):
            await self._forbid(operation, by, "it concerns permissions that you do not hold")

    async def _require_rank(self, operation: str, by: Principal, user: UserId) -> None:
        """Refuses whoever does not hold all that this user holds, enabled or not.

        Otherwise somebody who may reset passwords could become administrator.
        """
        roles: dict[Scope, set[RoleName]] = {}
        for grant in await self._grants_of(user):
            roles.setdefault(grant.scope, set()).add(grant.role)
        for scope, names in roles.items():
            await self._require_all(operation, by, scope, await self._permissions_of(names))

    async def _grants_of(self, user: UserId) -> list[Grant]:
        grants: list[Grant] = []
        page = await self._storage.list_grants(GrantFilter(user=user))
        grants.extend(page.items)
        while page.next_cursor is not None:
            page = await self._storage.list_grants(GrantFilter(user=user), page.next_cursor)
            grants.extend(page.items)
        return grants

    async def _held(self, by: Principal, scope: Scope) -> frozenset[Permission]:
        return limited(await self._storage.permissions(by.user, scope), by.permissions)

    async def _permissions_of(self, roles: Iterable[RoleName]) -> frozenset[Permission]:
        """What the roles and their ancestors give. Raises NotFound for an unknown role."""
        found: set[Permission] = set()
        waiting, seen = sorted(roles), set[RoleName]()
        for name in waiting:
            if name not in seen:
                seen.add(name)
                role = await self._storage.get_role(name)
                found |= role.permissions
                waiting.extend(role.parents)
        return frozenset(found)

    async def _forbid(self, operation: str, by: Principal, reason: str) -> NoReturn:
        refusal = NotAllowed(operation, reason)
        await self._refuse(refusal, operation, by.user, by.user, reason)

    async def _refuse(
        self, refusal: AuthError, operation: str, actor: UserId | None, subject: str, reason: str
    ) -> NoReturn:
        """Records the refusal and raises it, also if it can't be recorded."""
        entry = self._entry(actor, f"{operation}.refused", subject, None, {"reason": reason})
        try:
            await self._storage.append_audit(entry)
        except StorageError as error:
            raise refusal from error
        raise refusal

    async def _audit(
        self,
        actor: UserId | None,
        action: str,
        subject: str,
        *,
        before: object = None,
        after: object = None,
    ) -> None:
        """Records a change that was made. Forms must come from `views`, or hold no secrets."""
        try:
            await self._storage.append_audit(self._entry(actor, action, subject, before, after))
        except StorageError as error:
            raise NotAudited(action, subject) from error

    def _entry(
        self, actor: UserId | None, action: str, subject: str, before: object, after: object
    ) -> AuditEntry:
        return AuditEntry(
            id=AuditId(self._new_id()),
            at=self._clock(),
            actor=actor,
            action=action,
            subject=subject,
            before=_json(before),
            after=_json(after),
        )

    def _accept(self, password: str, about: frozenset[str]) -> None:
        problem = self._policy.passwords.problem(password, about)
        if problem is not None:
            raise WeakPassword(problem)

    async def _hash(self, password: str) -> PasswordHash:
        return PasswordHash(await self._hasher.hash(password))

    def _issue(self, prefix: str) -> tuple[str, Digest]:
        token = tokens.new_token(prefix, self._new_secret)
        return token, Digest(tokens.digest_of(token))


def _json(value: object) -> JsonText | None:
    """None stays None; what is too large for an entry is left out rather than not recorded."""
    if value is None:
        return None
    text = msgspec.json.encode(value, order="sorted").decode()
    try:
        return JsonText(canonical_json("value", text))
    except InvalidValue:
        return JsonText('{"omitted":"too large"}')
