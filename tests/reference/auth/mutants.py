"""For the tests of the auth laws: ways to break one thing of the in-memory storage."""

import asyncio
import copy
import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeAlias

from storeproof.reference.auth import AuthStorage, InMemoryAuthStorage
from storeproof.reference.exceptions import Duplicate, StorageError

Mutant: TypeAlias = type[InMemoryAuthStorage]
Change: TypeAlias = Callable[[Any], Any]

TICK = timedelta(microseconds=1)
LISTS = (
    "list_users",
    "list_roles",
    "list_grants",
    "list_sessions",
    "list_api_keys",
    "list_audit",
)
SESSION = {
    "create": "create_session",
    "find": "find_session",
    "list": "list_sessions",
    "rotate": "rotate_session",
    "revoke": "revoke_session",
    "revoke_all": "revoke_sessions",
    "purge": "purge_sessions",
    "memory": "_sessions",
    "entity": "session",
}
API_KEY = {
    "create": "create_api_key",
    "find": "find_api_key",
    "list": "list_api_keys",
    "rotate": "rotate_api_key",
    "revoke": "revoke_api_key",
    "revoke_all": "revoke_api_keys",
    "purge": "purge_api_keys",
    "memory": "_keys",
    "entity": "key",
}


def replacing(operation: str, made: Callable[..., Any]) -> Mutant:
    """The operation does `made(storage, right, **arguments)`, where `right` is the right one."""
    right = getattr(InMemoryAuthStorage, operation)
    signature = inspect.signature(right)

    async def broken(self: InMemoryAuthStorage, *arguments: Any, **named: Any) -> Any:
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])
        return await made(self, lambda **changed: right(self, **{**given, **changed}), **given)

    return type(f"Broken_{operation}", (InMemoryAuthStorage,), {operation: broken})


def altering(operation: str, **changes: Change) -> Mutant:
    """The operation sees changed arguments."""

    async def made(_storage: Any, right: Any, **given: Any) -> Any:
        return await right(**{name: change(given[name]) for name, change in changes.items()})

    return replacing(operation, made)


def answering(operation: str, change: Change) -> Mutant:
    """The operation gives a changed result."""

    async def made(_storage: Any, right: Any, **_given: Any) -> Any:
        return change(await right())

    return replacing(operation, made)


def erring(operation: str, change: Callable[[Any], StorageError | None]) -> Mutant:
    """The operation raises another error, or, where `change` gives None, none at all."""

    async def made(_storage: Any, right: Any, **_given: Any) -> Any:
        try:
            return await right()
        except StorageError as error:
            changed = change(error)
            if changed is not None:
                raise changed from error
            return None

    return replacing(operation, made)


def ignoring(operation: str, *errors: type[StorageError]) -> Mutant:
    """The operation returns where it should raise one of these errors."""
    return erring(operation, lambda error: None if isinstance(error, errors) else error)


def checking(operation: str, check: Callable[..., Any]) -> Mutant:
    """Before the right operation, `await check(storage, **arguments)` runs, and may raise."""

    async def made(storage: Any, right: Any, **given: Any) -> Any:
        await check(storage, **given)
        return await right()

    return replacing(operation, made)


def racing(*operations: str, steps: int = 1) -> Mutant:
    """The operations work on a copy of everything, and store it later: updates get lost."""
    return _on_a_copy(operations, steps, _store)


def clashing(*operations: str) -> Mutant:
    """As `racing`, but who finds that something was stored meanwhile raises a Duplicate."""

    def store(storage: InMemoryAuthStorage, was: Any, made: InMemoryAuthStorage) -> None:
        if storage.__dict__.get("stored") is not was:
            raise Duplicate("id")
        storage.__dict__["stored"] = object()
        _store(storage, was, made)

    return _on_a_copy(operations, 1, store)


def _store(storage: InMemoryAuthStorage, _was: Any, made: InMemoryAuthStorage) -> None:
    stored = storage.__dict__.get("stored")
    storage.__dict__.update(made.__dict__, stored=stored)


def _on_a_copy(operations: tuple[str, ...], steps: int, store: Callable[..., None]) -> Mutant:
    def wrapped(operation: str) -> Callable[..., Any]:
        async def broken(self: InMemoryAuthStorage, *arguments: Any, **named: Any) -> Any:
            was = self.__dict__.get("stored")
            made = InMemoryAuthStorage()
            made.__dict__ = copy.deepcopy(self.__dict__)
            result = await getattr(made, operation)(*arguments, **named)
            for _ in range(steps):
                await asyncio.sleep(0)
            store(self, was, made)
            return result

        return broken

    members = {operation: wrapped(operation) for operation in operations}
    return type(f"Racing_{'_'.join(operations)}", (InMemoryAuthStorage,), members)


class Deaf(InMemoryAuthStorage):
    """Its second handle sees nothing of what the first one stored."""

    def second(self) -> AuthStorage:
        return InMemoryAuthStorage()
