"""The kill matrix has its mutants, and what is correct, run through the checks by a `Bench`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.toys import ToyStore

from storeproof.harness.apart import Apart
from storeproof.harness.backends.base import Backend, Capability, Opener, RunOptions, Server, Store
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.sqlite import SqliteBackend
from storeproof.harness.checks import all_checks
from storeproof.harness.checks.base import Check, CheckContext, Profile, Tally
from storeproof.harness.exceptions import CheckFailed, NotApplicable
from storeproof.harness.experience import Experience
from storeproof.harness.law_check import law_check
from storeproof.harness.profiles import PROFILES

from .catalogue import MEMORY, POSTGRES, SQLITE, Candidate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from storeproof.harness.contract import Contract

__all__ = ["Bench", "Proof"]


class _Seeded(Backend):
    """A backend that opens the candidate in the place of the contract's own storage."""

    candidate: Opener

    def opener(self, contract: Contract) -> Opener:
        return self.candidate


class _Memory(_Seeded, MemoryBackend):
    async def create_store(self, contract: Contract, server: Server) -> Store:  # type: ignore[override]  # a store of another class
        return ToyStore(self._make, reopened=lambda _: self._make())

    def _make(self) -> Any:
        return self.candidate("memory")


class _Sqlite(_Seeded, SqliteBackend):
    pass


class _Postgres(_Seeded, PostgresBackend):
    pass


BACKENDS: Mapping[str, type[_Seeded]] = {MEMORY: _Memory, SQLITE: _Sqlite, POSTGRES: _Postgres}


@dataclass
class Proof:
    """What the checks said of a candidate."""

    check: str = ""
    """The first one that it broke, if any."""
    failed: CheckFailed | None = None
    programs: int = 0
    seconds: float = 0.0
    others: list[str] = field(default_factory=list)
    """Later ones that it broke, where these were asked for."""
    leaked: list[Exception] = field(default_factory=list)
    """The errors outside the contract's tree that its operations raised."""

    @property
    def calls(self) -> int:
        """How many calls the shortest program has; 0 where there is none."""
        program = self.failed.program if self.failed is not None else None
        return len(program.calls) if program is not None else 0


class Bench:
    """One event loop, one server of each backend, and checks that have learned from the models."""

    def __init__(self, *, seed: int = 0, profile: Profile = PROFILES["quick"]) -> None:
        self._seed, self._profile = seed, profile
        self._checks: dict[str, Sequence[Check]] = {}
        self._learned: dict[str, Experience | None] = {}
        self._backends: dict[str, tuple[_Seeded, Server]] = {}
        self._closing = ExitStack()

    def __enter__(self) -> Bench:
        with ExitStack() as closing:
            made = tempfile.TemporaryDirectory(prefix="storeproof-")
            self._directory = Path(closing.enter_context(made))
            self._runner = closing.enter_context(asyncio.Runner())
            self._apart = closing.enter_context(contextlib.closing(Apart()))
            self._closing = closing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def prove(
        self, candidate: Candidate, laws: Sequence[str] = (), *, all_checks: bool = False
    ) -> Proof:
        """Run the derived checks in the order of their stages until one is broken.

        laws: the ids of the laws to run in their place. all_checks: whether to run the later ones
        too. Raises whatever keeps a check from being carried out.
        """
        proof, contract = Proof(), candidate.contract
        contract.experience = self._learned.get(contract.name)
        backend, server = self._backend(candidate.backend)
        backend.candidate = _watched(candidate, proof.leaked)
        with self._store(backend, server, contract) as store:
            for check in self._suited(contract, backend, laws):
                context = self._context(contract, backend, server, store)
                if not proof.check:
                    _carry_out(check, context, proof)
                elif all_checks:
                    later = Proof()
                    _carry_out(check, context, later)
                    proof.others += [later.check] if later.check else []
        self._learned[contract.name] = contract.experience
        return proof

    def _suited(self, contract: Contract, backend: Backend, laws: Sequence[str]) -> Iterator[Check]:
        if contract.name not in self._checks:
            self._checks[contract.name] = sorted(all_checks(), key=lambda check: check.stage)
        named = [law_check(contract.name, each) for each in contract.laws if each.id in laws]
        for check in named or self._checks[contract.name]:
            needs: frozenset[Capability] = getattr(check, "needs", frozenset())
            if needs <= backend.capabilities and check.applies(contract):
                yield check

    def _context(
        self, contract: Contract, backend: Backend, server: Server, store: Store
    ) -> CheckContext:
        return CheckContext(
            contract=contract,
            backend=backend,
            store=store,
            runner=self._runner,
            profile=self._profile,
            seed=self._seed,
            tally=Tally(),
            server=server,
            apart=self._apart,
            options=RunOptions(directory=self._directory),
        )

    def _backend(self, name: str) -> tuple[_Seeded, Server]:
        if name not in self._backends:
            backend = BACKENDS[name]()
            server = backend.start(RunOptions(directory=self._directory))
            self._closing.callback(backend.stop)
            self._backends[name] = backend, server
        return self._backends[name]

    @contextmanager
    def _store(self, backend: Backend, server: Server, contract: Contract) -> Iterator[Store]:
        store = self._runner.run(backend.create_store(contract, server))
        try:
            yield store
        finally:
            self._runner.run(_closed(store))


def _carry_out(check: Check, context: CheckContext, proof: Proof) -> None:
    started = time.perf_counter()
    try:
        check.run(context)
    except NotApplicable:
        return
    except CheckFailed as failed:
        proof.check, proof.failed = check.id, failed
    proof.seconds += time.perf_counter() - started
    proof.programs += context.tally.programs


async def _closed(store: Store) -> None:
    """Close what a mutant may keep from being closed."""
    try:
        async with asyncio.timeout(10):
            await store.close()
    except Exception as error:
        print(f"  (its store could not be closed: {error!r})")  # noqa: T201


def _watched(candidate: Candidate, leaked: list[Exception]) -> Opener:
    """The candidate's opener, whose storages tell of errors outside the tree."""

    def watched(storage: Any) -> Any:
        storage.__class__ = _watching(type(storage), candidate.contract, leaked)
        return storage

    @functools.wraps(candidate.open)  # the checks look whether it takes a timeout
    def open_watched(address: str, **given: Any) -> Any:
        opened = candidate.open(address, **given)
        return (
            _entered(opened, watched)
            if isinstance(opened, AbstractAsyncContextManager)
            else watched(opened)
        )

    return open_watched


@asynccontextmanager
async def _entered(
    opened: AbstractAsyncContextManager[Any], watched: Callable[[Any], Any]
) -> AsyncIterator[Any]:
    async with opened as storage:
        yield watched(storage)


def _watching(cls: type, contract: Contract, leaked: list[Exception]) -> type:
    """A subclass whose operations note the errors that are none of the contract's."""

    def noting(operation: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(operation)
        async def noted(*arguments: Any, **named: Any) -> Any:
            try:
                return await operation(*arguments, **named)
            except contract.errors:
                raise
            except Exception as error:
                leaked.append(error)
                raise

        return noted

    operations = {name: noting(getattr(cls, name)) for name in contract.operations}
    return type(cls.__name__, (cls,), operations)
