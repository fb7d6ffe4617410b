"""Whoever adds a broken implementation to the catalogue plants it in its family with a `Seeds`.

A mutant is a correct storage of the reference package with one defect. It names the check that has
to kill it: the first one, in the order of the stages, that can find it. Laws are left out: they are
examples that people wrote for a component, each with mutants of its own in `tests/reference`. What
dies here would die in a contract that has no laws at all.
"""

from __future__ import annotations

import asyncio
import copy
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from reference.breaking import Breaking

from storeproof.reference.database import Database
from storeproof.reference.database.opening import TIMEOUT

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["MEMORY", "POSTGRES", "SQLITE", "Candidate", "Family", "Mutant", "Seeds", "turn"]

Open: TypeAlias = Callable[..., Any]
"""Opens a storage on an address; where it takes `timeout`, with one."""
Made = TypeVar("Made", bound=Callable[..., Any])
Errors: TypeAlias = tuple[type[Exception], ...]

MEMORY, SQLITE, POSTGRES = "memory", "sqlite", "postgres"


class Family(StrEnum):
    """What the defects of a family are about."""

    UNIQUENESS = "uniqueness and check-then-act"
    MONEY = "counters and money"
    READS = "reads and pages"
    VALUES = "values"
    DELETES = "deletes and errors"
    CANCELLATION = "cancellation and pool"
    CRASHES = "crash and fault"


@dataclass(frozen=True)
class Candidate:
    """An implementation of a contract on one backend, as a check is given it."""

    contract: Contract
    backend: str
    open: Open


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A candidate with one defect, told in one sentence, and the check that kills it.

    check: its id, or those of several, "agreement or pages", where it depends on the programs that
        are drawn which of them is the first to see the defect.
    leaks: the errors outside the contract's tree that are the defect itself. Any other one is an
        accident of the mutant's own code.
    only: whether no other check may break, not even a later one, which usually is not run.
    """

    name: str
    defect: str
    family: Family
    contract: Contract
    candidate: Candidate
    check: str
    leaks: Errors = ()
    only: bool = False

    @property
    def checks(self) -> Sequence[str]:
        """The ids of the checks, one of which must be the first that it breaks."""
        return self.check.split(" or ")


class Seeds:
    """The mutants of one family; the name and the docstring of what is decorated are the mutant's.

    `check`, `leaks` and `only` are what `Mutant` says.
    """

    def __init__(self, family: Family) -> None:
        self.family = family
        self.mutants: list[Mutant] = []

    def memory(self, contract: Contract, check: str, **told: Any) -> Callable[[Made], Made]:
        """A class of storages in memory, of which all clients share one."""
        return self._planting(contract, check, lambda made: in_memory(contract, made), **told)

    def operation(
        self, contract: Contract, operation: str, check: str, **told: Any
    ) -> Callable[[Made], Made]:
        """An operation of the model: `made(storage, right, **arguments)`, as in `Breaking`."""
        breaking = Breaking(contract.model)  # type: ignore[arg-type]  # every model here is a class

        def plant(made: Made) -> Candidate:
            return in_memory(contract, breaking.replacing(operation, made))

        return self._planting(contract, check, plant, **told)

    def sqlite(
        self,
        contract: Contract,
        check: str,
        *,
        database: Callable[..., Database] = Database,
        leaks: Errors = (),
        only: bool = False,
        **settings: Any,
    ) -> Callable[[Made], Made]:
        """A class of storages on a Database, here of a SQLite file."""

        def plant(made: Made) -> Candidate:
            return _in_database(contract, SQLITE, made, _opener(made, database, settings))

        return self._planting(contract, check, plant, leaks=leaks, only=only)

    def postgres(
        self,
        contract: Contract,
        check: str,
        *,
        database: Callable[..., Database] = Database,
        leaks: Errors = (),
        only: bool = False,
        **settings: Any,
    ) -> Callable[[Made], Made]:
        """A class of storages on a Database, here of a PostgreSQL server."""

        def plant(made: Made) -> Candidate:
            return _in_database(contract, POSTGRES, made, _opener(made, database, settings))

        return self._planting(contract, check, plant, leaks=leaks, only=only)

    def _planting(
        self,
        contract: Contract,
        check: str,
        plant: Callable[[Made], Candidate],
        *,
        leaks: Errors = (),
        only: bool = False,
    ) -> Callable[[Made], Made]:
        def decorate(made: Made) -> Made:
            self.mutants.append(
                Mutant(
                    name=_words(made.__name__),
                    defect=" ".join((made.__doc__ or "").split()),
                    family=self.family,
                    contract=contract,
                    candidate=plant(made),
                    check=check,
                    leaks=leaks,
                    only=only,
                )
            )
            return made

        return decorate


async def turn() -> None:
    """Let the other clients go on."""
    await asyncio.sleep(0)


def in_memory(contract: Contract, make: Callable[[], Any]) -> Candidate:
    """A storage in memory, which all clients share."""
    return Candidate(contract, MEMORY, lambda _address: make())


def _in_database(contract: Contract, backend: str, made: Any, opener: Open) -> Candidate:
    """A storage that another process can open too: it imports the contract from `made`'s module."""
    own = copy.copy(contract)
    own.storages = {**contract.storages, backend: opener}
    setattr(sys.modules[made.__module__], f"contract_of_{made.__name__}", own)
    return Candidate(own, backend, opener)


def _words(name: str) -> str:
    """`SelectThenInsert` as `select_then_insert`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=A)(?=[A-Z][a-z])", "_", name).lower()


def _opener(
    make: Callable[[Database], Any], database: Callable[..., Database], settings: dict[str, Any]
) -> Callable[[str], AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def opened(address: str, timeout: float = TIMEOUT) -> AsyncIterator[Any]:
        waiting = {"pool_timeout": timeout, "statement_timeout": timeout, **settings}
        async with database(address, create=True, **waiting) as connected:
            storage = make(connected)
            await connected.open()
            yield storage

    return opened
