"""For tables of mutants: ways to break one thing of a component's in-memory storage.

A component's mutants.py gives its model to `Breaking`, or the model's module to `Editing`; its
tables need no more than the methods.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import unicodedata
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

from msgspec.structs import replace

from storeproof.reference.exceptions import Duplicate, InvalidValue, StorageError
from storeproof.reference.storage import canonical_limit

Mutant: TypeAlias = type[Any]
"""A class of broken storages. Its `second()`, if it has one, gives another handle."""
Change: TypeAlias = Callable[[Any], Any]


class Breaking:
    """Subclasses of one model, whose operations do something else."""

    def __init__(self, model: Mutant) -> None:
        self.model = model

    def replacing(self, operation: str, made: Callable[..., Any]) -> Mutant:
        """The operation does `made(storage, right, **arguments)`, where `right` is the right one.

        `right(**changed)` takes the arguments that are to be others.
        """
        right = getattr(self.model, operation)
        signature = inspect.signature(right)

        async def broken(storage: Any, *arguments: Any, **named: Any) -> Any:
            bound = signature.bind(storage, *arguments, **named)
            bound.apply_defaults()
            given = dict(list(bound.arguments.items())[1:])
            return await made(
                storage, lambda **changed: right(storage, **{**given, **changed}), **given
            )

        return type(f"Broken_{operation}", (self.model,), {operation: broken})

    def altering(self, operation: str, **changes: Change) -> Mutant:
        """The operation sees changed arguments."""

        async def made(_storage: Any, right: Any, **given: Any) -> Any:
            return await right(**{name: change(given[name]) for name, change in changes.items()})

        return self.replacing(operation, made)

    def altering_fields(self, operation: str, argument: str, **fields: Change) -> Mutant:
        """The operation sees an argument with changed fields."""
        return self.altering(operation, **{argument: lambda entity: changed(entity, **fields)})

    def answering(self, operation: str, change: Change) -> Mutant:
        """The operation gives a changed result."""

        async def made(_storage: Any, right: Any, **_given: Any) -> Any:
            return change(await right())

        return self.replacing(operation, made)

    def erring(self, operation: str, change: Callable[[Any], StorageError | None]) -> Mutant:
        """The operation raises another error, or, where `change` gives None, none at all."""

        async def made(_storage: Any, right: Any, **_given: Any) -> Any:
            try:
                return await right()
            except StorageError as error:
                other = change(error)
                if other is not None:
                    raise other from error
                return None

        return self.replacing(operation, made)

    def ignoring(self, operation: str, *errors: type[StorageError]) -> Mutant:
        """The operation returns where it should raise one of these errors."""
        return self.erring(operation, lambda error: None if isinstance(error, errors) else error)

    def accepting(self, operation: str, *fields: str) -> Mutant:
        """The operation does nothing, instead of refusing bad values of these fields."""

        def change(error: StorageError) -> StorageError | None:
            accepted = isinstance(error, InvalidValue) and error.field in fields
            return None if accepted else error

        return self.erring(operation, change)

    def checking(self, operation: str, check: Callable[..., Any]) -> Mutant:
        """Before the right operation, `await check(storage, **arguments)` runs, and may raise."""

        async def made(storage: Any, right: Any, **given: Any) -> Any:
            await check(storage, **given)
            return await right()

        return self.replacing(operation, made)

    def after(self, operation: str, work: Callable[..., Any]) -> Mutant:
        """After the right operation `work(storage, **arguments)` spoils something."""

        async def made(storage: Any, right: Any, **given: Any) -> Any:
            result = await right()
            work(storage, **given)
            return result

        return self.replacing(operation, made)

    def following(self, operation: str, act: Callable[..., Any]) -> Mutant:
        """After the right operation, `act(storage, result, before, **arguments)` does damage.

        `before` is a copy of the storage as it was; what `act` gives is the result, unless None.
        """

        async def made(storage: Any, right: Any, **given: Any) -> Any:
            before = copy.deepcopy(storage)
            result = await right()
            damaged = act(storage, result, before, **given)
            return result if damaged is None else damaged

        return self.replacing(operation, made)

    def racing(self, *operations: str, steps: int = 1) -> Mutant:
        """The operations work on a copy of everything, and store it later: updates get lost."""
        return self._on_a_copy(operations, steps, _store)

    def clashing(self, *operations: str) -> Mutant:
        """As `racing`, but who finds that something was stored meanwhile raises a Duplicate."""

        def store(storage: Any, was: Any, made: Any) -> None:
            if vars(storage).get("stored") is not was:
                raise Duplicate("id")
            vars(storage)["stored"] = object()
            _store(storage, was, made)

        return self._on_a_copy(operations, 1, store)

    def _on_a_copy(
        self, operations: tuple[str, ...], steps: int, store: Callable[..., None]
    ) -> Mutant:
        model = self.model

        def wrapped(operation: str) -> Callable[..., Any]:
            async def broken(storage: Any, *arguments: Any, **named: Any) -> Any:
                was = vars(storage).get("stored")
                made = model()
                made.__dict__ = copy.deepcopy(vars(storage))
                result = await getattr(made, operation)(*arguments, **named)
                for _ in range(steps):
                    await asyncio.sleep(0)
                store(storage, was, made)
                return result

            return broken

        members = {operation: wrapped(operation) for operation in operations}
        return type(f"Racing_{'_'.join(operations)}", (model,), members)

    def deaf(self) -> Mutant:
        """Its second handle sees nothing of what the first one stored."""
        return type("Deaf", (self.model,), {"second": lambda _storage: self.model()})


def _store(storage: Any, _was: Any, made: Any) -> None:
    stored = vars(storage).get("stored")
    vars(storage).update(vars(made), stored=stored)


def changed(entity: Any, **fields: Change) -> Any:
    return replace(entity, **{name: f(getattr(entity, name)) for name, f in fields.items()})


def shorter(page: Any) -> Any:
    """The last page has one item less."""
    return replace(page, items=page.items[1:]) if page.next_cursor is None else page


def without_cursor(page: Any) -> Any:
    return replace(page, next_cursor=None)


async def limit_first(_storage: Any, limit: int, **_: Any) -> None:
    canonical_limit(limit)


def nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


class Editing:
    """A model's own source with one place changed, which must be there exactly once.

    So a mutant can't outlive the code that it breaks. `model` is the only class of storages of
    the module, `canonical` its function of the component that checks entities.
    """

    def __init__(self, module: ModuleType, model: Mutant, canonical: Change) -> None:
        self._source = inspect.getsource(module)
        self._model = model.__name__
        self._canonical = canonical

    def _executed(self, source: str, **names: Any) -> Mutant:
        namespace: dict[str, Any] = {"__name__": "mutant"}
        exec(compile(source, "mutant", "exec"), namespace)  # noqa: S102 - the project's own source
        namespace.update(names)
        made: Mutant = namespace[self._model]
        return made

    def edited(self, old: str, new: str) -> Mutant:
        """The storage with one place of its source changed."""
        places = self._source.count(old)
        assert places == 1, f"{places} places are {old!r}"
        return self._executed(self._source.replace(old, new))

    def dropped(self, line: str, operation: str) -> Mutant:
        """The storage without a line of one operation."""
        source = self._source
        start = source.index(f"    async def {operation}(")
        place = source.index(f"        {line}\n", start)
        assert "    async def" not in source[start + 5 : place], f"{operation} has no {line!r}"
        return self._executed(source[:place] + source[place + len(line) + 9 :])

    def using(self, **names: Any) -> Mutant:
        """The storage with other functions in the place of those that it imports."""
        return self._executed(self._source, **names)

    def lax(self, *fields: str) -> Mutant:
        """The storage takes entities whatever these fields are."""

        def take(entity: Any) -> Any:
            try:
                return self._canonical(entity)
            except InvalidValue as error:
                if error.field in fields:
                    return entity
                raise

        return self.using(canonical=take)

    def changing(self, kind: type[Any], change: Callable[[Any], dict[str, Any]]) -> Mutant:
        """The storage stores entities of one kind with fields changed."""

        def take(entity: Any) -> Any:
            made = self._canonical(entity)
            return replace(made, **change(made)) if isinstance(made, kind) else made

        return self.using(canonical=take)
