"""For the tests of the error laws: ways to break one thing of the in-memory storage."""

import asyncio
import copy
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec.structs import replace

from storeproof.reference.errors import ErrorStorage, InMemoryErrorStorage
from storeproof.reference.exceptions import Duplicate, StorageError

Mutant: TypeAlias = type[InMemoryErrorStorage]
Change: TypeAlias = Callable[[Any], Any]


def replacing(operation: str, made: Callable[..., Any]) -> Mutant:
    """The operation does `made(storage, right, **arguments)`, where `right` is the right one."""
    right = getattr(InMemoryErrorStorage, operation)
    signature = inspect.signature(right)

    async def broken(self: InMemoryErrorStorage, *arguments: Any, **named: Any) -> Any:
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])
        return await made(self, lambda **changed: right(self, **{**given, **changed}), **given)

    return type(f"Broken_{operation}", (InMemoryErrorStorage,), {operation: broken})


def altering(operation: str, **changes: Change) -> Mutant:
    """The operation sees changed arguments."""

    async def made(_storage: Any, right: Any, **given: Any) -> Any:
        return await right(**{name: change(given[name]) for name, change in changes.items()})

    return replacing(operation, made)


def altering_fields(operation: str, argument: str, **fields: Change) -> Mutant:
    """The operation sees an argument with changed fields."""
    return altering(operation, **{argument: lambda entity: changed(entity, **fields)})


def changed(entity: Any, **fields: Change) -> Any:
    return replace(entity, **{name: f(getattr(entity, name)) for name, f in fields.items()})


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
            other = change(error)
            if other is not None:
                raise other from error
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


def following(operation: str, act: Callable[..., Any]) -> Mutant:
    """After the right operation, `act(storage, result, before, **arguments)` does damage.

    `before` is a copy of the storage as it was.
    """

    async def made(storage: Any, right: Any, **given: Any) -> Any:
        before = copy.deepcopy(storage)
        result = await right()
        damaged = act(storage, result, before, **given)
        return result if damaged is None else damaged

    return replacing(operation, made)


def racing(*operations: str) -> Mutant:
    """The operations work on a copy of everything, and store it later: updates get lost."""
    return _on_a_copy(operations, _store)


def clashing(*operations: str) -> Mutant:
    """As `racing`, but who finds that something was stored meanwhile raises a Duplicate."""

    def store(storage: InMemoryErrorStorage, was: Any, made: InMemoryErrorStorage) -> None:
        if storage.__dict__.get("stored") is not was:
            raise Duplicate("id")
        storage.__dict__["stored"] = object()
        _store(storage, was, made)

    return _on_a_copy(operations, store)


def _store(storage: InMemoryErrorStorage, _was: Any, made: InMemoryErrorStorage) -> None:
    stored = storage.__dict__.get("stored")
    storage.__dict__.update(made.__dict__, stored=stored)


def _on_a_copy(operations: tuple[str, ...], store: Callable[..., None]) -> Mutant:
    def wrapped(operation: str) -> Callable[..., Any]:
        async def broken(self: InMemoryErrorStorage, *arguments: Any, **named: Any) -> Any:
            was = self.__dict__.get("stored")
            made = InMemoryErrorStorage()
            made.__dict__ = copy.deepcopy(self.__dict__)
            result = await getattr(made, operation)(*arguments, **named)
            await asyncio.sleep(0)
            store(self, was, made)
            return result

        return broken

    members = {operation: wrapped(operation) for operation in operations}
    return type(f"Racing_{'_'.join(operations)}", (InMemoryErrorStorage,), members)


class Deaf(InMemoryErrorStorage):
    """Its second handle sees nothing of what the first one stored."""

    def second(self) -> ErrorStorage:
        return InMemoryErrorStorage()
