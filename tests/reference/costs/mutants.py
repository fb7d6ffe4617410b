"""For the tests of the cost laws: ways to break one thing of the in-memory storage."""

import asyncio
import copy
import inspect
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from storeproof.reference.costs import InMemoryCostStorage
from storeproof.reference.exceptions import InvalidValue, StorageError

Mutant: TypeAlias = type[InMemoryCostStorage]
Change: TypeAlias = Callable[[Any], Any]

TICK = timedelta(microseconds=1)
NANO = Decimal("1E-9")


def replacing(operation: str, made: Callable[..., Any]) -> Mutant:
    """The operation does `made(storage, right, **arguments)`, where `right` is the right one."""
    right = getattr(InMemoryCostStorage, operation)
    signature = inspect.signature(right)

    async def broken(self: InMemoryCostStorage, *arguments: Any, **named: Any) -> Any:
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        given = dict(list(bound.arguments.items())[1:])
        return await made(self, lambda **changed: right(self, **{**given, **changed}), **given)

    return type(f"Broken_{operation}", (InMemoryCostStorage,), {operation: broken})


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


def accepting(operation: str, *fields: str) -> Mutant:
    """The operation does nothing, instead of refusing bad values of these fields."""

    def change(error: StorageError) -> StorageError | None:
        accepted = isinstance(error, InvalidValue) and error.field in fields
        return None if accepted else error

    return erring(operation, change)


def after(operation: str, work: Callable[..., Any]) -> Mutant:
    """After the right operation `work(storage, **arguments)` spoils something."""

    async def made(storage: Any, right: Any, **given: Any) -> Any:
        result = await right()
        work(storage, **given)
        return result

    return replacing(operation, made)


def checking(operation: str, check: Callable[..., Any]) -> Mutant:
    """Before the right operation, `await check(storage, **arguments)` runs, and may raise."""

    async def made(storage: Any, right: Any, **given: Any) -> Any:
        await check(storage, **given)
        return await right()

    return replacing(operation, made)


def racing(*operations: str) -> Mutant:
    """The operations work on a copy of everything, and store it later: updates get lost."""

    def wrapped(operation: str) -> Callable[..., Any]:
        async def broken(self: InMemoryCostStorage, *arguments: Any, **named: Any) -> Any:
            made = InMemoryCostStorage()
            made.__dict__ = copy.deepcopy(self.__dict__)
            result = await getattr(made, operation)(*arguments, **named)
            await asyncio.sleep(0)
            self.__dict__.update(made.__dict__)
            return result

        return broken

    members = {operation: wrapped(operation) for operation in operations}
    return type(f"Racing_{'_'.join(operations)}", (InMemoryCostStorage,), members)
