"""The check of faults: a call whose connection breaks tells what became of it, and all goes on."""

from __future__ import annotations

import math
import random
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from storeproof.harness.backends.base import Capability, Store
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.disturbed import has_one_handle, shortened
from storeproof.harness.contract import Contract
from storeproof.harness.disturbing import Rehearsed, rehearsed
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.faulting import Choice, Faulted, break_everywhere, every_fault
from storeproof.harness.opening import break_opening, most_faults
from storeproof.harness.program import Program
from storeproof.harness.succeeding import succeeding
from storeproof.harness.wire import Fault

__all__ = ["FaultsCheck"]

_CUTS = (Fault.CUT, Fault.RESET, Fault.PARTIAL)
_OFTEN_MESSAGES = 8
"""At which a call's connection is broken where little is tried, for a few operations."""
_SELDOM = 5
"""One operation in so many meets a black hole where little is tried: it costs a timeout."""


class Breaking(Protocol):
    """Breaks the connection of a program's last call, one way or the other."""

    def __call__(
        self,
        contract: Contract,
        store: Store,
        program: Rehearsed,
        *,
        shared: bool,
        choice: Choice,
    ) -> Coroutine[Any, Any, Faulted]:
        """Do so; give what came of it."""
        ...


class FaultsCheck(Check):
    """Breaks the connection of a call of each operation at its 1st, 2nd, … message.

    For one call it is broken while a storage is opened, too. The calls are such that succeed on
    the model, and change something where any does.
    """

    id = "faults"
    stage = Stage.FAULTS
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.NETWORKED})
    sentence = (
        "A call whose connection breaks or falls silent, wherever it does, ends in time and says "
        "truly whether it happened, did not, or may have; afterwards every handle works again."
    )

    def run(self, context: CheckContext) -> None:
        if context.replay is not None:
            self._try(context, context.replay, break_everywhere, every_fault)
            self._try(context, context.replay, break_opening, most_faults)
            return
        untried = []
        known = succeeding(context, context.profile.cancellations)
        choices = _choices(context, list(known))
        for name, programs in known.items():
            if not sum(self._tries(context, programs, choices[name])):
                untried.append(name)
        if len(untried) == len(known):
            problem = f"no call of {context.contract.name} passed the proxy"
            remedy = "See whether its store's address_at(host, port) leads there"
            raise Inconclusive("faults", problem, remedy)
        context.tally.untried = tuple(untried)
        self._try_opening(context, known)

    def _tries(
        self, context: CheckContext, programs: Sequence[Program], choice: Choice
    ) -> list[int]:
        count = context.profile.faults or 1
        context.tally.programs += len(programs[:count])
        return [self._try(context, each, break_everywhere, choice) for each in programs[:count]]

    def _try_opening(self, context: CheckContext, known: Mapping[str, Sequence[Program]]) -> None:
        """Break the opening of a storage for one program, which changes something if any does."""
        reads = context.contract.reads
        names = sorted(known, key=lambda name: name in reads)
        programs = [program for name in names for program in known[name]]
        choice = (
            most_faults if context.profile.faults else _few(_SELDOM, _OFTEN_MESSAGES, silent=True)
        )
        for program in programs[:1]:
            self._try(context, program, break_opening, choice)

    def _try(
        self, context: CheckContext, program: Program, breaking: Breaking, choice: Choice
    ) -> int:
        """Break one program's last call everywhere; give at how many messages."""
        found = context.run(rehearsed(context.contract, program))
        if found is None:
            return 0
        faulted = _faulted(context, found, breaking, choice)
        context.tally.operations += faulted.operations
        if faulted.broken is not None:
            fault = faulted.fault
            only = [fault] if fault is not None else []
            raise shortened(
                context,
                self.id,
                program,
                found,
                faulted.broken,
                disturb=lambda less: _faulted(context, less, breaking, lambda *_: only).broken,
                method="disconnect",
            )
        return faulted.messages


def _faulted(
    context: CheckContext, found: Rehearsed, breaking: Breaking, choice: Choice
) -> Faulted:
    shared = has_one_handle(context)
    return context.run(
        breaking(context.contract, context.store, found, shared=shared, choice=choice)
    )


def _choices(context: CheckContext, names: Sequence[str]) -> dict[str, Choice]:
    if context.profile.faults:
        return dict.fromkeys(names, every_fault)
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    often = chance.sample(names, min(len(names), context.profile.often))
    silent = names[::_SELDOM][: context.profile.often]
    most = {name: _OFTEN_MESSAGES if name in often else context.profile.messages for name in names}
    return {
        name: _few(number, most[name], silent=name in silent) for number, name in enumerate(names)
    }


def _few(number: int, most: int, *, silent: bool) -> Choice:
    """Choose few faults for an operation, and others for the next one."""

    def choice(nth: int, messages: int) -> Sequence[Fault]:
        slow = [Fault.BLACK_HOLE if silent else Fault.DELAY]
        slow = slow if nth == 1 + number % messages else []
        step = math.ceil(messages / most)
        if nth <= messages and nth % step != number % step:
            return slow
        count = min(len(_CUTS), max(1, most // messages))
        first = nth // step + number
        return [*slow, *(_CUTS[(first + each) % len(_CUTS)] for each in range(count))]

    return choice
