"""For the tests of `AuthService`: a service with a clock to turn and a storage to watch."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from storeproof.reference.auth import (
    GLOBAL,
    AuditFilter,
    AuthStorage,
    InMemoryAuthStorage,
    LockOutPolicy,
    PasswordHash,
    Role,
    RoleName,
    UserId,
)
from storeproof.reference.auth.service import AuthPolicy, AuthService
from storeproof.reference.auth.service.access import BUILT_IN, Principal
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.passwords import Argon2Hasher, PasswordPolicy

from .examples import NOW, user

CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
PASSWORD, OTHER = "correct horse battery", "another long password"
ADMIN, EVE = UserId("admin"), UserId("eve")
POLICY = AuthPolicy(
    passwords=PasswordPolicy(minimum=12),
    lock_out=LockOutPolicy(threshold=3, duration=timedelta(minutes=15)),
)


class CountingHasher(Argon2Hasher):
    """Remembers whether each comparison was made with a hash of a user."""

    def __init__(self, **parameters: int) -> None:
        super().__init__(**(CHEAP | parameters))
        self.verified: list[bool] = []
        self.hashed = 0

    async def hash(self, password: str) -> str:
        self.hashed += 1
        return await super().hash(password)

    async def verify(self, hash: str | None, password: str) -> bool:
        self.verified.append(hash is not None)
        return await super().verify(hash, password)


@dataclass
class Watched:
    """Passes every operation on; notes its name; first calls what `before` has for it."""

    storage: AuthStorage
    calls: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> Any:
            self.calls.append(name)
            if name in self.before:
                await self.before.pop(name)()
            if name in self.failing:
                raise Unavailable("the test says so")
            return await getattr(self.storage, name)(*arguments, **named)

        return call


class Bench:
    """A service on a watched in-memory storage. Principals are made without signing in."""

    def __init__(self, hasher: CountingHasher, policy: AuthPolicy = POLICY) -> None:
        self.now = NOW
        self.hasher = hasher
        self.memory = InMemoryAuthStorage()
        self.watched = Watched(self.memory)
        self.service = self.another(policy)

    def another(self, policy: AuthPolicy = POLICY, hasher: CountingHasher | None = None) -> Any:
        numbers = itertools.count(1)
        prefix = "id" if not hasattr(self, "service") else "other"
        return AuthService(
            cast(AuthStorage, self.watched),
            clock=lambda: self.now,
            new_id=lambda: f"{prefix}{next(numbers):08}",
            new_secret=lambda: f"secret{prefix}{next(numbers):030}",
            hasher=hasher or self.hasher,
            policy=policy,
        )

    def later(self, **passed: float) -> datetime:
        self.now += timedelta(**passed)
        return self.now

    async def add_user(self, name: UserId, password: str | None = None) -> Principal:
        """A user, and a principal of theirs with a session that is not stored."""
        hashed = None if password is None else PasswordHash(await self.hasher.hash(password))
        await self.memory.create(user(name, password_hash=hashed))
        return Principal(user=name, session=cast(Any, f"session of {name}"))

    async def install_roles(self) -> None:
        for role in BUILT_IN:
            await self.memory.put_role(role)

    async def add_holder(self, name: str, *permissions: str, scope: str = "") -> Principal:
        """A user who holds exactly these permissions in a scope."""
        held = Role(name=RoleName(f"of {name}"), permissions=cast(Any, frozenset(permissions)))
        await self.memory.put_role(held)
        principal = await self.add_user(UserId(name))
        await self.memory.grant(principal.user, held.name, cast(Any, scope))
        return principal

    async def add_built_in(self, name: str, role: str) -> Principal:
        await self.install_roles()
        principal = await self.add_user(UserId(name))
        await self.memory.grant(principal.user, RoleName(role), GLOBAL)
        return principal

    async def trail(self, **wanted: Any) -> list[Any]:
        """Audit entries, oldest first; those of one instant by id."""
        page = await self.memory.list_audit(AuditFilter(**wanted), None, 1000)
        return list(reversed(page.items))

    async def actions(self) -> list[str]:
        return [entry.action for entry in await self.trail()]
