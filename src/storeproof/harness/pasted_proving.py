"""`Contract.prove` makes here a program of what a pasted test calls, and has a check prove it."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from storeproof.harness.exceptions import ContractError
from storeproof.harness.program import Branch, Call, Program
from storeproof.harness.recording import Client, Recording, Turns
from storeproof.harness.templates import Build, Change, Reference

if TYPE_CHECKING:
    from storeproof.harness.checks.base import Check
    from storeproof.harness.contract import Contract

__all__ = ["AFTER", "BEFORE", "check_called", "recorded"]

BEFORE, AFTER = "before", "after"
"""The parameters of a function of several storages that stand for no client's calls at once."""


class _Made(NamedTuple):
    """A call that the function made: on which store, as which one there, and by which storage."""

    store: int
    number: int
    by: str
    call: Call


def check_called(contract: Contract, name: str) -> Check:
    """Give the check with this id. Raises ContractError where there is none."""
    from storeproof.harness.checks import all_checks, move_checks

    known = {each.id: each for each in (*all_checks(), *move_checks())}
    if name not in known:
        raise ContractError(
            contract.name, f"no check is called {name!r}", f"Known: {', '.join(known)}"
        )
    return known[name]


async def recorded(
    contract: Contract,
    function: Callable[..., Awaitable[None]],
    *,
    stores: int = 1,
    shared: bool = False,
) -> Program:
    """Have a function make its calls on the model; give them as a program.

    stores: so many models, one after the other for each parameter. shared: whether the program's
    clients share a handle.
    """
    names = list(inspect.signature(function).parameters)
    recordings = [Recording(contract, Turns(0, len(names))) for _ in range(stores)]
    models = [contract.model() for _ in range(stores)]
    storages = [
        Client(recordings[index % stores], index, models[index % stores])
        for index in range(len(names))
    ]
    await function(*storages)
    made = [
        _Made(store, number, names[client], call)
        for store, each in enumerate(recordings)
        for number, (client, call) in enumerate(each.made)
    ]
    return replace(_program(names, made), shared=shared)


def _program(names: list[str], made: list[_Made]) -> Program:
    alone = names[0] if len(names) == 1 else BEFORE
    clients = [each for each in names if each not in (alone, AFTER)]
    groups = [[each for each in made if each.by == name] for name in (alone, *clients, AFTER)]
    ordered = list(itertools.chain.from_iterable(groups))
    numbers = {(each.store, each.number): at for at, each in enumerate(ordered)}
    steps, *branches, reads = [
        tuple(each.call.rewritten(_numbered(numbers, each.store)) for each in group)
        for group in groups
    ]
    if reads and not branches:
        branches = [()]
    made_at_once = [Branch(calls, () if index else reads) for index, calls in enumerate(branches)]
    return Program(steps, branches=tuple(made_at_once))


def _numbered(numbers: dict[tuple[int, int], int], store: int) -> Change:
    """Give the change of references from the numbers of a store's calls to a program's."""

    def change(hole: Reference | Build) -> Any:
        if isinstance(hole, Build):
            return hole
        return replace(hole, call=numbers[store, hole.call])

    return change
