"""Authors of a backend subclass `Backend` (and `Store`, where `HandleStore` does not fit)."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.exceptions import ContractError, Inconclusive, Unkillable
from storeproof.harness.wire.framing import Framing, RawBytes

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = [
    "Backend",
    "Calibration",
    "Capability",
    "Counter",
    "HandleStore",
    "KillableServer",
    "Opener",
    "RunOptions",
    "Server",
    "Store",
    "enter",
]

Opener = Callable[..., Any]
"""Opens a storage on an address: gives the storage, an awaitable of it, or an async context
manager that enters to it. One that takes `timeout` as well is given, by the check of faults, the
seconds that the storage may wait for its server."""

Calibration = Callable[[str], AbstractAsyncContextManager[Callable[[int], Awaitable[object]]]]
"""Opens a store's address with the driver alone, and gives what makes the nth call of one kind."""


class Capability(StrEnum):
    """What a backend declares that it can do; the capabilities check verifies both directions."""

    CONCURRENT_CLIENTS = "concurrent_clients"
    """Another handle on the same data sees at once what the first one wrote."""
    NETWORKED = "networked"
    """Handles reach the data through a TCP connection to the store's `endpoint`."""
    SURVIVES_RESTART = "survives_restart"
    """The data is still there after every handle was closed and a new one was opened."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run was asked for; a backend reads it when its server is started."""

    directory: Path
    """An empty directory of this run's own, shared by its workers, removed afterwards."""
    postgres_url: str | None = None
    postgres_image: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A backend's running server: where, and what it is, for the header and the report."""

    address: str = field(default="", repr=False)
    """What the backend's workers need to reach it; may hold a password, so it is never printed."""
    description: str = ""
    version: str = ""
    durable: bool = False
    """Whether it will be killed, so that no acknowledgement may wait in its memory."""


class KillableServer(ABC):
    """A server of one check's own, which may be killed and started again."""

    server: Server
    """Stays the same, whatever happens to its processes."""

    @abstractmethod
    def kill(self) -> None:
        """End all of its processes at once with SIGKILL."""

    @abstractmethod
    def restart(self) -> None:
        """Start it again on the same address and data; returns when it answers.

        Raises BackendUnavailable where it does not start.
        """

    @abstractmethod
    def stop(self) -> None:
        """End it, killed or not, and remove its data."""


class Counter(ABC):
    """Counts what a store's handles send to it."""

    unit: str
    """What is counted, such as "statement" or "round trip"."""
    problem: str = ""
    """Why something was not counted, if that is known."""

    @property
    @abstractmethod
    def total(self) -> int:
        """How many there were so far."""

    def begin(self) -> None:
        """A call begins: what it sends is no repetition of what was sent before."""
        return

    def units(self) -> Mapping[str, int]:
        """Give all that is counted, each by the word for one of it, and how many there were."""
        return {self.unit: self.total}

    @property
    def texts(self) -> Sequence[str]:
        """What was sent, in order, as far as that is known."""
        return ()


class Store(ABC):
    """One place for one contract's data, emptied and used again between programs."""

    address: str
    endpoint: tuple[str, int] | None = None
    """Host and port of the TCP server behind a networked store."""
    framing: type[Framing] = RawBytes
    """How the messages to and from that server are told apart."""

    @abstractmethod
    async def fresh(self) -> Any:
        """Empty the place and give its first handle."""

    @abstractmethod
    async def second(self) -> Any:
        """Give one more handle, independent of the others, on the same data."""

    def handle(self) -> AbstractAsyncContextManager[Any]:
        """Give one more handle for a block, at whose end it is closed, unless the store can't."""
        return _unclosed(self)

    async def clients(self, count: int) -> list[Any]:
        """Empty the place and give so many independent handles on it.

        They may be those of an earlier call of this method: opening one costs more than many
        programs do. `fresh` closes those that it does not give itself.
        """
        return [await self.fresh(), *[await self.second() for _ in range(count - 1)]]

    def through(
        self, host: str, port: int, *, timeout: float | None = None
    ) -> AbstractAsyncContextManager[Any]:
        """Give one more handle for a block, whose connections lead to another host and port.

        A proxy listens there, which stands before the `endpoint`. timeout: seconds that the storage
        may wait for the server, where its opener takes them.

        Raises Inconclusive where nothing says how the server is reached there.
        """
        raise Inconclusive(
            "faults",
            f"nothing says how {type(self).__name__} is reached through a proxy",
            "Write its address_at(host, port), where it is a HandleStore, or else its through()",
        )

    @abstractmethod
    async def reopen(self) -> Any:
        """Close every handle, then give a new first handle on the same data."""

    def counted(self) -> AbstractAsyncContextManager[Counter] | None:
        """Give what counts, while it is entered, what handles send that are opened meanwhile.

        Entering it closes all handles but the first one, leaving it closes all. None where nothing
        can be counted.
        """
        return None

    async def release(self) -> None:
        """Close every handle that was written through: another process is about to open the data.

        A store that can keep other processes out overrides this and closes every one.
        """
        await self.reopen()

    async def vacate(self) -> None:
        """Empty the place for another process, as `fresh` and `release` do."""
        await self.fresh()
        await self.release()

    async def settle(self) -> None:
        """Wait until nothing takes effect any more of what a killed process had asked for.

        For stores whose servers go on with the calls of a client that is no more.
        """
        return

    @abstractmethod
    async def close(self) -> None:
        """Close every handle and remove the place."""


class Backend(ABC):
    """A named way to open storages on one kind of store.

    `start` and `stop` run once a run (under pytest-xdist in its controller only); `create_store`
    runs in every worker, for every contract.
    """

    name: str
    capabilities: frozenset[Capability] = frozenset()
    openers: Mapping[type, Opener] = {}
    """Protocol -> opener, for contracts that do not name a storage for this backend themselves."""

    def start(self, options: RunOptions) -> Server:
        """Find or start the server.

        Raises BackendUnavailable where there is none to be had, ForeignData where it holds what
        storeproof did not create.
        """
        return Server(description=self.name)

    def stop(self) -> None:
        """Stop what `start` started and remove what it created."""
        return

    @abstractmethod
    async def create_store(self, contract: Contract, server: Server) -> Store:
        """Create a new, empty place for the contract's data."""

    def start_killable(self, options: RunOptions) -> KillableServer:
        """Start a server of the same kind for one check, which kills it; stores go there as well.

        Runs in workers. Its settings are those of the run's server, but it is `durable`.

        Raises Unkillable, with one sentence, where no such server can be had.
        """
        raise Unkillable(
            self.name,
            "nothing says how a server of it is killed and started again",
            "Override Backend.start_killable",
        )

    def calibrations(self) -> Mapping[str, Calibration]:
        """What latency budgets are multiples of, by name; made by the driver of most storages.

        The usual ones: `round_trip`, a statement that touches nothing; `read`, a row by its key;
        `insert`, one row that is committed when the call returns. They keep what they need in a
        table of their own.
        """
        return {}

    def opener(self, contract: Contract) -> Opener:
        """How the contract's storage is opened on this backend.

        Raises ContractError where neither the contract nor the backend says how.
        """
        found = contract.storages.get(self.name) or self.openers.get(contract.protocol)
        if found is None:
            raise ContractError(
                contract.name,
                f"nothing says how its storage is opened on {self.name}",
                f'Pass storages={{"{self.name}": open_storage}}, where open_storage(address) '
                "gives the storage, or leave this backend out of --storage",
            )
        return found


@asynccontextmanager
async def _unclosed(store: Store) -> AsyncIterator[Any]:
    yield await store.second()


async def enter(
    opener: Opener, address: str, handles: AsyncExitStack, *, timeout: float | None = None
) -> Any:
    """Open a storage on an address; what has to be closed is left to the stack.

    timeout: seconds that the storage may wait for its server, where its opener takes them.
    """
    opened = opener(address, **({"timeout": timeout} if timeout and _takes_timeout(opener) else {}))
    if isinstance(opened, AbstractAsyncContextManager):
        return await handles.enter_async_context(opened)
    return await opened if inspect.isawaitable(opened) else opened


class HandleStore(Store):
    """A store whose handles come from an opener; a subclass says how the place is emptied.

    The first handle stays open between programs, `empty` must work while it does; the others are
    closed before a program starts.
    """

    clients_stay_open: bool = False
    """Whether `clients` may keep its handles: `empty` works while all of them are open."""

    def __init__(
        self, opener: Opener, address: str, endpoint: tuple[str, int] | None = None
    ) -> None:
        self.address, self.endpoint = address, endpoint
        self._opener = opener
        self._first: Any = None
        self._clients: list[Any] = []
        self._handles, self._others = AsyncExitStack(), AsyncExitStack()

    def address_at(self, host: str, port: int) -> str | None:
        """Give the address of the same data for whoever reaches the server at this host and port.

        A networked store's author writes it, in one line where the address is a URL:
        `return url_at(self.address, host, port)`. None: nothing says how.
        """
        return None

    @asynccontextmanager
    async def _at(self, address: str, timeout: float | None) -> AsyncIterator[Any]:
        async with AsyncExitStack() as handles:
            yield await self._open(handles, address, timeout)

    def handle(self) -> AbstractAsyncContextManager[Any]:
        return self._at(self.address, None)

    def through(
        self, host: str, port: int, *, timeout: float | None = None
    ) -> AbstractAsyncContextManager[Any]:
        address = self.address_at(host, port)
        if address is None:
            return super().through(host, port, timeout=timeout)
        return self._at(address, timeout)

    @abstractmethod
    async def empty(self) -> None:
        """Remove all data."""

    @abstractmethod
    async def remove(self) -> None:
        """Remove the place itself; its handles are closed."""

    async def fresh(self) -> Any:
        await self._close_others()
        return await self._emptied()

    async def second(self) -> Any:
        return await self._open(self._others, self.address)

    async def clients(self, count: int) -> list[Any]:
        if not self.clients_stay_open:
            return await super().clients(count)
        first = await self._emptied()
        while len(self._clients) < count - 1:
            self._clients.append(await self.second())
        return [first, *self._clients[: count - 1]]

    async def reopen(self) -> Any:
        await self._close_handles()
        self._first = await self._open(self._handles, self.address)
        return self._first

    async def release(self) -> None:
        await self._close_handles()

    async def vacate(self) -> None:
        await self._close_handles()
        await self.empty()

    async def close(self) -> None:
        await self._close_handles()
        await self.remove()

    async def _open(
        self, handles: AsyncExitStack, address: str, timeout: float | None = None
    ) -> Any:
        return await enter(self._opener, address, handles, timeout=timeout)

    async def _emptied(self) -> Any:
        await self.empty()
        if self._first is None:
            self._first = await self._open(self._handles, self.address)
        return self._first

    async def _close_others(self) -> None:
        self._clients = []
        await self._others.aclose()

    async def _close_handles(self) -> None:
        self._first = None
        await self._close_others()
        await self._handles.aclose()


def _takes_timeout(opener: Opener) -> bool:
    try:
        return "timeout" in inspect.signature(opener).parameters
    except (TypeError, ValueError):  # some built-in callables have none
        return False
