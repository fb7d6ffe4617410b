"""The nodes of one process share a `Session`; a pasted program runs through `run_program`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import socket
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from storeproof.harness.apart import Apart
from storeproof.harness.backends.base import Backend, RunOptions, Store
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.exceptions import HarnessError
from storeproof.harness.frames import without_our_first_frames
from storeproof.harness.pasted_proving import check_called, recorded
from storeproof.harness.profiles import PROFILES
from storeproof.harness.servers import Servers

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = [
    "Session",
    "current_session",
    "prove_program",
    "run_on_store",
    "run_program",
    "session_of_its_own",
]

T = TypeVar("T")

_PROBE_SECONDS = 5.0
_CLOSE_SECONDS = 30.0


@dataclass
class _Opened:
    contract: Contract
    backend: str
    store: Store


class Session:
    """One event loop and one store per contract and backend, for all nodes of a process."""

    def __init__(
        self, backends: Mapping[str, Backend], servers: Servers, chosen: Sequence[str] = ()
    ) -> None:
        self.backends, self.servers, self.chosen = backends, servers, chosen
        self.runner = asyncio.Runner()
        self.apart = Apart()
        self._opened: dict[tuple[int, str], _Opened] = {}
        self._unopened: dict[tuple[int, str], str] = {}

    def store(self, contract: Contract, backend: str) -> Store:
        """Give the contract's store on a backend, which was opened once to see that it can be.

        Raises HarnessError where there is no server, or nothing says how the storage is opened;
        otherwise whatever opening it raises, the first time.
        """
        key = (id(contract), backend)
        if key not in self._opened:
            store = self._open(contract, backend)
            self._opened[key] = _Opened(contract, backend, store)
        return self._opened[key].store

    def unopened(self, contract: Contract, backend: str) -> str:
        """Why the contract's storage could not be opened before; empty where it could."""
        return self._unopened.get((id(contract), backend), "")

    def died(self, backend: str) -> str:
        """Look whether a networked backend still answers; gives a sentence where it does not."""
        for opened in self._opened.values():
            endpoint = opened.store.endpoint if opened.backend == backend else None
            if endpoint is not None and not _answers(endpoint):
                self.servers.lost(
                    backend,
                    f"{backend}: the server at {endpoint[0]}:{endpoint[1]} stopped answering in "
                    "the middle of the run. Look at the server's log, then run again",
                )
        return self.servers.problem(backend)

    def run_on_store(
        self, contract: Contract, body: Callable[[Store], Coroutine[Any, Any, T]], backend: str
    ) -> T:
        """Run `body` on the contract's store; what it raises shows its own frames only."""
        __tracebackhide__ = True
        store = self.store(contract, backend)
        try:
            return self.runner.run(body(store))
        except BaseException as error:  # pytest's own failures are no Exceptions
            error.__traceback__ = without_our_first_frames(error.__traceback__)
            raise

    def context(
        self, contract: Contract, backend: str, others: Sequence[str] | None = None, **given: Any
    ) -> CheckContext:
        """Give a check what it needs of this session; `store` says what that raises.

        others: backends beside that one; those that were chosen, unless given.
        """
        beside = [each for each in self.chosen if each != backend] if others is None else others
        return CheckContext(
            contract=contract,
            backend=self.backends[backend],
            store=self.store(contract, backend),
            server=self.servers.of(backend),
            runner=self.runner,
            apart=self.apart,
            options=self.servers.options,
            others={name: functools.partial(self.store, contract, name) for name in beside},
            **given,
        )

    def close(self) -> list[str]:
        """Close every store and the loop; gives a sentence on each store that can't be closed."""
        sentences = [each for each in map(self._close, self._opened.values()) if each]
        self._opened.clear()
        self.apart.close()
        self.runner.close()
        return sentences

    def _open(self, contract: Contract, backend: str) -> Store:
        key = (id(contract), backend)
        server = self.servers.of(backend)
        try:
            return self.runner.run(_open(self.backends[backend], contract, server))
        except HarnessError as error:
            self._unopened[key] = str(error)
            raise
        except Exception as error:
            where = f"the storage of {contract.name} can't be opened on {backend}"
            self._unopened[key] = f"{where}: {_tell(error)}"
            raise

    def _close(self, opened: _Opened) -> str:
        async def close() -> None:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await opened.store.close()

        try:
            self.runner.run(close())
        except Exception as error:
            if not self.died(opened.backend):
                where = f"{opened.contract.name} on {opened.backend}"
                return f"{where}: the store could not be closed: {_tell(error)}"
        return ""


async def _open(backend: Backend, contract: Contract, server: Any) -> Store:
    store = await backend.create_store(contract, server)
    try:
        await store.fresh()
    except BaseException as error:
        error.add_note(f"It was opened on the address {_without_password(store.address)}")
        with contextlib.suppress(Exception):  # what `fresh` raised tells more
            await store.close()
        raise
    return store


def _without_password(address: str) -> str:
    return re.sub(r"://([^:/@]*):[^@/]*@", r"://\1:***@", address)


def _answers(endpoint: tuple[str, int]) -> bool:
    try:
        socket.create_connection(endpoint, timeout=_PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def _tell(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


_current: list[Session] = []


@contextlib.contextmanager
def current_session(session: Session) -> Iterator[None]:
    """Make `run_program` use this session."""
    _current.append(session)
    try:
        yield
    finally:
        _current.remove(session)


def run_program(
    contract: Contract, body: Callable[[Any], Awaitable[T]], backend: str = "sqlite"
) -> T:
    """Run `async def body(storage)` on a fresh storage of the named backend and give its result.

    Like `run_on_store`, which it uses.
    """
    __tracebackhide__ = True

    async def on_store(store: Store) -> T:
        return await body(await store.fresh())

    return run_on_store(contract, on_store, backend)


def run_on_store(
    contract: Contract, body: Callable[[Store], Coroutine[Any, Any, T]], backend: str
) -> T:
    """Run `async def body(store)` on the contract's store on a backend and give its result.

    Inside a pytest run that has a session, on that session's loop and server; otherwise on what is
    started for this call and stopped after it. Not to be called inside a running event loop.

    Raises UnknownBackend; another HarnessError where the backend or the storage can't be had;
    whatever `body` raises.
    """
    __tracebackhide__ = True
    with _session_with(backend) as session:
        return session.run_on_store(contract, body, backend)


def prove_program(
    contract: Contract,
    function: Callable[..., Awaitable[None]],
    *,
    check: str,
    backend: str,
    shared: bool = False,
    others: Sequence[str] = (),
) -> None:
    """Have a check prove the program that an async function makes of its calls, on a backend.

    The session is that of `run_on_store`. Raises what the check raises.
    """
    __tracebackhide__ = True
    proof = check_called(contract, check)
    with _session_with(backend, *others) as session:
        program = session.runner.run(
            recorded(contract, function, stores=proof.stores, shared=shared)
        )
        proof.run(
            session.context(
                contract, backend, others, profile=PROFILES["quick"], seed=0, replay=program
            )
        )


@contextlib.contextmanager
def _session_with(*backends: str) -> Iterator[Session]:
    """Give the session of the run, where it has such backends, or one that ends with the block.

    Raises UnknownBackend.
    """
    from storeproof.harness.backends.registry import choose, registered_backends

    if _current and set(backends) <= set(_current[-1].backends):
        yield _current[-1]
        return
    chosen = choose(",".join(backends), registered_backends(()))
    with session_of_its_own({each.name: each for each in chosen}) as session:
        yield session


@contextlib.contextmanager
def session_of_its_own(backends: Mapping[str, Backend]) -> Iterator[Session]:
    with tempfile.TemporaryDirectory(prefix="storeproof-") as directory:
        options = RunOptions(
            directory=Path(directory),
            postgres_url=os.environ.get("STOREPROOF_POSTGRES_URL"),
            postgres_image=os.environ.get("STOREPROOF_POSTGRES_IMAGE"),
        )
        servers = Servers(backends, options)
        session = Session(backends, servers)
        try:
            yield session
        finally:
            session.close()
            servers.stop()
