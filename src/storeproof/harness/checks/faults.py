"""The check of faults: a call whose connection breaks tells what became of it, and all goes on."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import ClassVar

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.disturbed import has_one_handle, shortened
from storeproof.harness.disturbing import Rehearsed, rehearsed
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.faulting import Choice, Faulted, break_everywhere, every_fault
from storeproof.harness.program import Program
from storeproof.harness.succeeding import succeeding
from storeproof.harness.wire import Fault

__all__ = ["FaultsCheck"]

_CUTS = (Fault.CUT, Fault.RESET, Fault.PARTIAL)
_MESSAGES, _OFTEN_MESSAGES = 3, 8
"""At which a call's connection is broken where little is tried: for most operations, for a few."""
_SELDOM = 5
"""One operation in so many meets a black hole where little is tried: it costs a timeout."""


class FaultsCheck(Check):
    """Breaks the connection of a call of each operation at its 1st, 2nd, … message.

    The calls are such that succeed on the model, and change something where any does.
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
            self._try(context, context.replay, every_fault)
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

    def _tries(
        self, context: CheckContext, programs: Sequence[Program], choice: Choice
    ) -> list[int]:
        count = context.profile.faults or 1
        return [self._try(context, each, choice) for each in programs[:count]]

    def _try(self, context: CheckContext, program: Program, choice: Choice) -> int:
        """Break one program's last call everywhere; give at how many messages."""
        found = context.run(rehearsed(context.contract, program))
        if found is None:
            return 0
        context.tally.programs += 1
        faulted = self._faulted(context, found, choice)
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
                disturb=lambda shorter: self._faulted(context, shorter, lambda *_: only).broken,
                method="disconnect",
            )
        return faulted.messages

    def _faulted(self, context: CheckContext, found: Rehearsed, choice: Choice) -> Faulted:
        shared = has_one_handle(context)
        breaking = break_everywhere(
            context.contract, context.store, found, shared=shared, choice=choice
        )
        return context.run(breaking)


def _choices(context: CheckContext, names: Sequence[str]) -> dict[str, Choice]:
    if context.profile.faults:
        return dict.fromkeys(names, every_fault)
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    often = chance.sample(names, min(len(names), context.profile.often))
    silent = names[::_SELDOM][: context.profile.often]
    return {
        name: _few(number, _OFTEN_MESSAGES if name in often else _MESSAGES, silent=name in silent)
        for number, name in enumerate(names)
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
