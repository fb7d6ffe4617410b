"""Authors of a check subclass `Check`; the suite makes one pytest node of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from storeproof.harness.apart import Apart
from storeproof.harness.backends.base import Server
from storeproof.harness.law import MUST, Level

if TYPE_CHECKING:
    import asyncio

    from storeproof.harness.backends.base import Backend, RunOptions, Store
    from storeproof.harness.contract import Contract
    from storeproof.harness.program import Program

__all__ = ["Check", "CheckContext", "Profile", "Stage", "Tally"]

T = TypeVar("T")


class Stage(IntEnum):
    """Checks run in this order; a broken stage stops the later ones of its contract and backend."""

    SIGNATURE = 10
    CAPABILITIES = 20
    LAWS = 30
    AGREEMENT = 40
    ISOLATION = 50
    PAGES = 60
    LOOP_BLOCKING = 70
    BURSTS = 80
    LINEARIZABILITY = 90
    CANCELLATION = 100
    FAULTS = 110
    REOPEN = 120
    KILL = 130
    ROUNDTRIP = 140
    PLANTED_FAULTS = 150
    MOVE_INTERFERENCE = 160
    MOVE_CRASH = 170
    STATEMENTS = 200
    """The last one: what costs too much is right all the same."""


@dataclass(frozen=True)
class Profile:
    """How much a check tries."""

    name: str
    programs: int
    steps: int
    """Calls in a program of one client, at most."""
    drawn: int = 5
    """Programs of one client that are drawn for each that is tried."""
    bursts: int = 1
    """Pairs of calls that contend, for each operation."""
    pair_tries: int = 10
    """Programs in which an operation may contend before it is given up."""
    rival_tries: int = 25
    """Programs of each operation in which two of its calls may turn each other away."""
    histories: int = 60
    """Random programs of several clients."""
    cancellations: int = 1
    """Programs whose last call is cancelled, for each operation; where there is one, most
    operations are cancelled in one way only at each suspension."""
    often: int = 6
    """Operations, others with another seed, that are then cancelled in every way, and whose
    connection breaks at more messages than that of others."""
    messages: int = 3
    """Messages at which, at the least, the connection of a call of the other operations breaks."""
    faults: int = 0
    """Programs whose last call meets every fault at every message, for each operation; where there
    are none, one meets a single fault at some messages."""
    reopenings: int = 6
    """Programs whose data another process reads."""
    kills: int = 30
    """Processes that are killed during a call of one client."""
    killed_programs: int = 2
    """Random programs of several clients whose process is killed."""
    server_kills: int = 1
    """Random programs of several clients whose server is killed."""
    moves: int = 6
    """Programs whose content is moved, by each check of moving but that of crashes."""
    move_crashes: int = 8
    """Moments, and messages, at which a load is ended."""


@dataclass
class Tally:
    """What a check has tried so far."""

    programs: int = 0
    operations: int = 0
    contended: int = 0
    """Programs of several clients whose calls contended."""
    untried: tuple[str, ...] = ()
    """Operations for which nothing was found that a check is about."""
    calls: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By operation: how many calls were made, and how many of them succeeded on the model."""

    def add_call(self, operation: str, *, succeeded: bool) -> None:
        """Count a call that is compared with the model's."""
        made, well = self.calls.get(operation, (0, 0))
        self.calls[operation] = (made + 1, well + succeeded)


@dataclass
class CheckContext:
    """What a check is given: a contract, where to run it, how much to try.

    `store` is None for the checks that need none. `tally` counts, also when the check fails.
    """

    contract: Contract
    backend: Backend
    store: Store
    runner: asyncio.Runner
    profile: Profile
    seed: int
    tally: Tally = field(default_factory=Tally)
    replay: Program | None = None
    server: Server = field(default_factory=Server)
    """Where more stores of the backend are created."""
    apart: Apart = field(default_factory=Apart)
    options: RunOptions | None = None
    """For a server of the check's own."""
    others: Mapping[str, Callable[[], Store]] = field(default_factory=dict)
    """By name: the contract's stores on the run's other backends; raises HarnessError where one
    can't be had."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the worker's one event loop."""
        return self.runner.run(work)


class Check(ABC):
    """A proof derived from the contract; `run` returns where it holds, else raises CheckFailed."""

    id: ClassVar[str]
    stage: ClassVar[Stage]
    sentence: ClassVar[str]
    level: ClassVar[Level] = MUST
    since: ClassVar[str] = ""
    """Of a law: the version that introduced it."""
    stores: ClassVar[int] = 1
    """On which a program's clients make their calls, each on the next one, round and round."""

    def applies(self, contract: Contract) -> bool:
        """Whether the contract has what this check is about (pages, say)."""
        return True

    @abstractmethod
    def run(self, context: CheckContext) -> None:
        """Try it on the context's store."""
