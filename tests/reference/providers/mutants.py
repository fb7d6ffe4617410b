"""For the tests of the provider laws: ways to break one thing of the in-memory storage.

Most mutants are the storage's own source with one place changed, which must be there
exactly once: so a mutant can't outlive the code that it breaks.
"""

import asyncio
import copy
import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec.structs import replace

from storeproof.reference.exceptions import Duplicate, InvalidValue
from storeproof.reference.providers import InMemoryProviderStorage
from storeproof.reference.providers.entities import canonical
from storeproof.reference.providers.memory import storage as module

Mutant: TypeAlias = type[InMemoryProviderStorage]

SOURCE = inspect.getsource(module)


def _executed(source: str, **names: Any) -> Mutant:
    namespace: dict[str, Any] = {"__name__": "mutant"}
    exec(compile(source, "mutant", "exec"), namespace)  # noqa: S102 - the project's own source
    namespace.update(names)
    made: Mutant = namespace["InMemoryProviderStorage"]
    return made


def edited(old: str, new: str) -> Mutant:
    """The storage with one place of its source changed."""
    assert SOURCE.count(old) == 1, f"{SOURCE.count(old)} places are {old!r}"
    return _executed(SOURCE.replace(old, new))


def dropped(line: str, operation: str) -> Mutant:
    """The storage without a line of one operation."""
    start = SOURCE.index(f"    async def {operation}(")
    place = SOURCE.index(f"        {line}\n", start)
    assert "    async def" not in SOURCE[start + 5 : place], f"{operation} has no {line!r}"
    return _executed(SOURCE[:place] + SOURCE[place + len(line) + 9 :])


def using(**names: Any) -> Mutant:
    """The storage with other functions in the place of those that it imports."""
    return _executed(SOURCE, **names)


def lax(*fields: str) -> Mutant:
    """The storage takes entities whatever these fields are."""

    def take(entity: Any) -> Any:
        try:
            return canonical(entity)
        except InvalidValue as error:
            if error.field in fields:
                return entity
            raise

    return using(canonical=take)


def changing(kind: type, change: Callable[[Any], dict[str, Any]]) -> Mutant:
    """The storage stores entities of one kind with fields changed."""

    def take(entity: Any) -> Any:
        made = canonical(entity)
        return replace(made, **change(made)) if isinstance(made, kind) else made

    return using(canonical=take)


def racing(*operations: str) -> Mutant:
    """The operations work on a copy of everything, and store it later: updates get lost."""
    return _on_a_copy(operations, clash=False)


def clashing(*operations: str) -> Mutant:
    """As `racing`, but who finds that something was stored meanwhile raises a Duplicate."""
    return _on_a_copy(operations, clash=True)


def _on_a_copy(operations: tuple[str, ...], *, clash: bool) -> Mutant:
    def wrapped(operation: str) -> Callable[..., Any]:
        async def broken(self: InMemoryProviderStorage, *arguments: Any) -> Any:
            was = self.__dict__.get("stored")
            made = InMemoryProviderStorage()
            made.__dict__ = copy.deepcopy(self.__dict__)
            result = await getattr(made, operation)(*arguments)
            await asyncio.sleep(0)
            if clash and self.__dict__.get("stored") is not was:
                raise Duplicate("id")
            self.__dict__.update(made.__dict__, stored=object())
            return result

        return broken

    members = {operation: wrapped(operation) for operation in operations}
    return type(f"Racing_{'_'.join(operations)}", (InMemoryProviderStorage,), members)


class Deaf(InMemoryProviderStorage):
    """Its second handle sees nothing of what the first one stored."""

    def second(self) -> InMemoryProviderStorage:
        return InMemoryProviderStorage()
