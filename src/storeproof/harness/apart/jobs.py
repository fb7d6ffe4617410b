"""A check says in a `Job` what a client process has to do, and reads in `Told` what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from storeproof.harness.running import Outcome

if TYPE_CHECKING:
    from storeproof.harness.apart.origins import Origin
    from storeproof.harness.history import Recorder
    from storeproof.harness.program import Program

__all__ = ["Ended", "Imported", "Invoked", "Job", "LoadJob", "Part", "Returned", "Told"]


class Part(StrEnum):
    """A part of a program."""

    STEPS = "steps"
    BRANCHES = "branches"
    READS = "reads"


@dataclass(frozen=True, kw_only=True)
class Job:
    """Parts of a program, to be made on a storage that the client process opens for itself."""

    backend: str
    opener: Origin | None
    """None where the contract says how its storage is opened."""
    address: str
    program: Program
    parts: tuple[Part, ...]
    lanes: tuple[int, ...]
    """The clients' numbers in the history; so many handles are opened unless they share one."""
    results: Mapping[int, Any] = field(default_factory=dict)
    """What calls of the program were given by other processes, by their numbers."""
    moment: int | None = None
    """Counted from the first moment of the branches on: at which of them the process is killed."""
    dies: bool = False
    """Whether the process is killed in any case, at the end if at no moment before."""


@dataclass(frozen=True, kw_only=True)
class LoadJob:
    """An archive, to be loaded into a storage that the client process opens for itself.

    The process is killed at a moment of the load, as a `Job`'s is, or at its end.
    """

    backend: str
    opener: Origin | None
    address: str
    path: str
    moment: int | None = None
    dies: bool = True


@dataclass(frozen=True)
class Imported:
    """The process imported these modules to open its handles, which its launcher did not have."""

    modules: tuple[str, ...]


@dataclass(frozen=True)
class Invoked:
    """A client began the call with this number."""

    lane: int
    position: int


@dataclass(frozen=True)
class Returned:
    """The call with this number was acknowledged."""

    position: int
    outcome: Outcome


@dataclass(frozen=True)
class Ended:
    """The process has made all calls, or could not.

    problem: why not. by_storage: whether it is the storage's doing.
    """

    moments: int = 0
    problem: str = ""
    by_storage: bool = False


@dataclass(frozen=True)
class Told:
    """What a client process told until it ended, or was killed."""

    events: tuple[Invoked | Returned, ...]
    end: Ended | None
    """None where it was killed before its end."""
    imported: tuple[str, ...] = ()
    """Modules that its launcher did not have."""

    @property
    def outcomes(self) -> dict[int, Outcome]:
        """What each call gave that was acknowledged, by its number."""
        return {each.position: each.outcome for each in self.events if isinstance(each, Returned)}

    @property
    def results(self) -> dict[int, Any]:
        """The values that calls gave, by their numbers."""
        outcomes = self.outcomes.items()
        return {number: each.value for number, each in outcomes if each.error is None}

    def note(self, program: Program, recorder: Recorder) -> None:
        """Note the calls in the history of the process that asks."""
        calls, words = program.calls, dict[int, int]()
        for each in self.events:
            if isinstance(each, Returned):
                recorder.respond(words[each.position], each.outcome)
            else:
                call: Any = calls[each.position]
                words[each.position] = recorder.invoke(each.lane, each.position, call)
