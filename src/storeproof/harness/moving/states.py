"""The checks of moving ask here which of a program's states a storage, or an archive, shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import Renaming
from storeproof.harness.moving.moves import awaited
from storeproof.harness.moving.travelling import MODEL, Place, in_time, moves_of
from storeproof.harness.program import Program
from storeproof.harness.racing import Numbered, Parts
from storeproof.harness.running import Outcome, compare_outcomes

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["State", "calls_of", "loaded", "reads_of", "seen", "shows", "state_after", "verified"]


@dataclass(frozen=True)
class State:
    """What the model holds after some of a program's calls, and what its reads then give."""

    place: Place
    reads: Mapping[int, Outcome]


def calls_of(program: Program) -> Numbered:
    """Give a program's steps and branches, one after the other."""
    parts = Parts(program)
    return [*parts.steps, *(call for calls in parts.branches for call in calls)]


def reads_of(program: Program) -> Numbered:
    """Give what shows the content at a program's end."""
    return [call for calls in Parts(program).reads for call in calls]


async def state_after(contract: Contract, program: Program, made: Iterable[int]) -> State:
    """Give the state after the calls of these numbers, made on a new model."""
    place, wanted = Place(contract, MODEL, contract.model(), {}), set(made)
    for number, call in calls_of(program):
        if number in wanted:
            await place.make(number, call)
    return State(place, await seen(program, place))


async def seen(program: Program, place: Place) -> Mapping[int, Outcome]:
    """Make the reads of a program on a storage; those that can't be made there are left out."""
    found = {number: await place.make(number, call) for number, call in reads_of(program)}
    return {number: outcome for number, outcome in found.items() if outcome is not None}


def shows(contract: Contract, program: Program, state: State, reads: Mapping[int, Outcome]) -> bool:
    """Whether reads gave what they give in a state; server-made values are renamed one to one."""
    renaming = Renaming()
    return all(
        number in reads
        and compare_outcomes(contract, call.operation, outcome, reads[number], renaming) is None
        for number, call in reads_of(program)
        for outcome in [state.reads.get(number)]
        if outcome is not None
    )


async def loaded(contract: Contract, path: Path, results: Mapping[int, Any]) -> Place:
    """Give a new model with what an archive holds; raises Step where it can't be loaded."""
    model = contract.model()
    await in_time("load, into the model,", lambda: moves_of(contract).load(path, model))
    return Place(contract, MODEL, model, results)


async def verified(contract: Contract, path: Path, storage: Any) -> bool:
    """Whether a verifier, where there is one, finds in a storage just what is in an archive."""
    moves = moves_of(contract)
    if moves.verify is None:
        return True
    try:
        await awaited(moves.verify(path, storage))
    except moves.refusals:
        return False
    return True
