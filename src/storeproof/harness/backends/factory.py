"""Whoever has a function that makes a storage, and no backend, registers a `FactoryBackend`."""

from __future__ import annotations

import inspect
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.base import (
    Backend,
    Capability,
    HandleStore,
    RunOptions,
    Server,
    Store,
)
from storeproof.harness.exceptions import HarnessError

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["BadFactory", "Factory", "FactoryBackend", "load_factory"]

_CALLED = (
    "Give a class or function that is called without arguments, or with one, the path of an empty "
    "folder"
)
_REMEDY = "Name a class or function that makes a storage, such as shop.storages:make_storage"


class BadFactory(HarnessError):
    """Something can't be called to make a storage."""

    def __init__(self, name: str, problem: str, remedy: str = "") -> None:
        self.name, self.problem, self.remedy = name, problem, remedy or _CALLED
        super().__init__(f"{name}: {problem}. {self.remedy}")


class Factory:
    """Opens a storage by calling a function or class, and closes it; an `Opener`.

    What it gives may be the storage, an awaitable of it, or a context manager, async or not. Where
    it is no context manager, its `aclose` or `close` is called in the end, if it has one.

    A factory is called in one of two ways:
    - one without required parameters, without arguments; each call gives an empty storage;
    - one with one required parameter, with a place: the path of an empty folder, whose name no
      other one has, which serves as a prefix or the name of a database too. Called again with the
      same place it gives another handle on the same data.

    Raises BadFactory where it can't be called in either way.
    """

    def __init__(self, make: Callable[..., Any], name: str = "") -> None:
        self._make = make
        self.takes_place = _takes_place(make, name or repr(make))
        # Another process imports it under this name.
        self.__module__ = getattr(make, "__module__", "")
        self.__qualname__ = getattr(make, "__qualname__", "<locals>")

    @asynccontextmanager
    async def __call__(self, address: str) -> AsyncIterator[Any]:
        async with AsyncExitStack() as handles:
            yield await self._entered(handles, self._make(*[address][: self.takes_place]))

    async def _entered(self, handles: AsyncExitStack, made: Any) -> Any:
        if inspect.isawaitable(made) and not isinstance(made, AbstractAsyncContextManager):
            made = await made
        if isinstance(made, AbstractAsyncContextManager):
            return await handles.enter_async_context(made)
        if isinstance(made, AbstractContextManager):
            return handles.enter_context(made)
        close = getattr(made, "aclose", None) or getattr(made, "close", None)
        if callable(close):
            handles.push_async_callback(_called, close)
        return made


class FactoryBackend(Backend):
    """Storages that a function or class makes, called as `Factory` says; nothing else is known.

    >>> mine = FactoryBackend("mine", InMemoryOrders)

    capabilities: what it can do beside `concurrent_clients`: `survives_restart`, where a process
    that comes later finds the data at the same place.

    Raises BadFactory where the factory can't be called, or a capability needs what it lacks.
    """

    def __init__(
        self, name: str, make: Callable[..., Any], *, capabilities: Iterable[Capability] = ()
    ) -> None:
        self.name = name
        self._factory = Factory(make, name)
        self.capabilities = frozenset({Capability.CONCURRENT_CLIENTS, *capabilities})
        if Capability.NETWORKED in self.capabilities:
            raise BadFactory(name, "networked needs a Backend whose store knows its endpoint")
        if Capability.SURVIVES_RESTART in self.capabilities and not self._factory.takes_place:
            raise BadFactory(name, "survives_restart needs a factory that takes a place")

    def start(self, options: RunOptions) -> Server:
        directory = options.directory / f"factory-{secrets.token_hex(4)}"
        directory.mkdir(parents=True)
        return Server(address=str(directory), description=self.name)

    def opener(self, contract: Contract) -> Factory:
        return self._factory

    async def create_store(self, contract: Contract, server: Server) -> Store:
        if self._factory.takes_place:
            return _PlacedStore(self._factory, Path(server.address))
        return _SharedStore(self._factory)


class _PlacedStore(HandleStore):
    """A place is left for a new one when the store is emptied: nobody knows how to empty it."""

    def __init__(self, factory: Factory, directory: Path) -> None:
        super().__init__(factory, "")
        self._directory = directory

    async def fresh(self) -> Any:
        await self._close_handles()
        return await super().fresh()

    async def empty(self) -> None:
        await self.remove()
        self.address = _new_folder(self._directory)

    async def remove(self) -> None:
        if self.address:
            shutil.rmtree(self.address, ignore_errors=True)


class _SharedStore(Store):
    """One storage, which its clients share; emptied, it is another one."""

    def __init__(self, factory: Factory) -> None:
        self.address = "memory"
        self._factory = factory
        self._storage: Any = None
        self._handles = AsyncExitStack()

    async def fresh(self) -> Any:
        await self.close()
        self._storage = await self._handles.enter_async_context(self._factory(self.address))
        return self._storage

    async def second(self) -> Any:
        return self._storage

    async def reopen(self) -> Any:
        return await self.fresh()

    async def close(self) -> None:
        self._storage = None
        await self._handles.aclose()


def load_factory(target: str) -> Callable[..., Any]:
    """Import what makes a storage, by a name such as `shop.storages:make_storage`.

    Raises BadTarget, BadFactory where it can't be called.
    """
    from storeproof.harness.targets import load_named

    found: Callable[..., Any] = load_named(target, _REMEDY)
    if not callable(found):
        raise BadFactory(target, f"a {type(found).__name__} can't be called")
    return found


def _new_folder(directory: Path) -> str:
    folder = directory / f"place_{secrets.token_hex(8)}"
    folder.mkdir()
    return str(folder)


def _takes_place(make: Callable[..., Any], name: str) -> bool:
    try:
        parameters = inspect.signature(make).parameters.values()
    except (TypeError, ValueError):  # some built-in callables have none
        return False
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [
        each
        for each in parameters
        if each.default is inspect.Parameter.empty and each.kind not in variadic
    ]
    names = ", ".join(each.name for each in required)
    if len(required) > 1:
        raise BadFactory(name, f"it needs {len(required)} arguments ({names})")
    if required and required[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise BadFactory(name, f"it needs {names} by its name")
    return bool(required)


async def _called(close: Callable[[], Any]) -> None:
    closed = close()
    if inspect.isawaitable(closed):
        await closed
