"""The check of statements: what an operation costs does not grow with the data."""

from __future__ import annotations

import re
from collections import Counter as Tallied
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from storeproof.harness.backends.base import Capability, Counter
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.telling import failed_growing
from storeproof.harness.exceptions import Inconclusive, NotApplicable
from storeproof.harness.growing import Grown, grown
from storeproof.harness.program import Call, Program, references_in
from storeproof.harness.running import Actor
from storeproof.harness.succeeding import succeeding

__all__ = ["StatementsCheck"]

_FEW, _MANY = 1, 12
"""How often each call that makes the data is copied in each way."""
_FEWEST_MORE = 10
"""Copies without which nothing grew."""
_COPIES_PER_STATEMENT = 8
"""More data may cost one more statement for so many copies: pages of a fixed size pass."""
_ALLOWED = 3
"""More statements that say nothing: what is prepared at its first use, another way."""
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")


_NOTHING = "no {unit} was counted on {name}: its storages don't send any in a way that is seen"


class StatementsCheck(Check):
    """Counts what a call of each operation sends on little data, and on much more.

    A call passes that sends no more than 3 more, or one more for every 8 calls that made data.
    """

    id = "statements"
    stage = Stage.STATEMENTS
    sentence = (
        "The number of statements, or of round trips, of an operation does not grow with the "
        "amount of data, nor with the length of its result."
    )

    def run(self, context: CheckContext) -> None:
        counted = context.store.counted()
        if counted is None:
            raise NotApplicable(f"nothing counts the statements of {context.backend.name}")
        context.run(self._counting(context, counted, _programs(context)))

    async def _counting(
        self,
        context: CheckContext,
        counted: AbstractAsyncContextManager[Counter],
        programs: Sequence[Program],
    ) -> None:
        tried, counted_any = set[str](), False
        reads = [] if context.replay else _reads(context, programs)
        async with counted as counter:
            if not _apart(context):
                await context.store.reopen()
            for program in programs:
                if program.steps[-1].operation in tried & context.contract.reads:
                    continue
                async for growth in _growths(context, counter, program, reads):
                    tried.add(growth.call.operation)
                    if growth.is_too_much and await _is_again(context, counter, growth):
                        raise failed_growing(context, self.id, growth, counter.unit)
                    counted_any = counted_any or bool(growth.sent[1])
            if counter.problem:
                raise Inconclusive(self.id, counter.problem, "Run the check without it")
        if tried and not counted_any:
            raise NotApplicable(_NOTHING.format(unit=counter.unit, name=context.backend.name))
        context.tally.untried = tuple(
            each for each in context.contract.operations if each not in tried
        )


@dataclass(frozen=True)
class Growth:
    """What one call sent on little data and on much."""

    program: Program
    """What makes the data, and the call, or one like it, at its end."""
    call: Call
    made: tuple[int, int]
    """How many calls made the little data, and the much."""
    sent: tuple[Sequence[str], Sequence[str]]

    @property
    def is_too_much(self) -> bool:
        few, many = self.made
        more = max(_ALLOWED, (many - few) // _COPIES_PER_STATEMENT)
        return len(self.sent[1]) - len(self.sent[0]) > more

    @property
    def more_often(self) -> list[tuple[str, int]]:
        """What was sent more often, whatever its values, and how much, the most frequent first."""
        grown_by = Tallied(map(_without_values, self.sent[1]))
        grown_by.subtract(map(_without_values, self.sent[0]))
        return [(text, count) for text, count in grown_by.most_common(3) if count > 0]


def _programs(context: CheckContext) -> Sequence[Program]:
    if context.replay is not None:
        return [context.replay]
    found = succeeding(context, context.profile.cancellations)
    reads = context.contract.reads
    names = sorted(found, key=lambda name: name in reads)
    return [program for name in names for program in found[name]]


def _reads(context: CheckContext, programs: Sequence[Program]) -> list[Call]:
    """Give the calls that read, and that can be made after any program."""
    lasts = [each.steps[-1] for each in programs]
    return [
        each
        for each in lasts
        if isinstance(each, Call)
        and each.operation in context.contract.reads
        and not references_in(each.templates())
    ]


async def _growths(
    context: CheckContext, counter: Counter, program: Program, reads: Sequence[Call]
) -> AsyncIterator[Growth]:
    """Count what calls send on little data and on much, which a program and its copies make.

    Copies of the last call are made only if it can be made after them.
    """
    last = program.steps[-1]
    for own in (True, False):
        few, many = [
            await grown(context.contract, program, copies, reads, own=own)
            for copies in (_FEW, _MANY)
        ]
        if few is None or many is None or many.copies - few.copies < _FEWEST_MORE:
            continue
        context.tally.programs += 1
        before, after = [await _sent(context, counter, each) for each in (few, many)]
        made = len(few.before), len(many.before)
        for call, sent in after:
            less = next((texts for each, texts in before if _is_like(context, each, call)), None)
            if less is not None:
                yield Growth(_ending(program, call), call, made, (less, sent))
        if any(call.operation == last.operation for call, _ in after):
            return


def _is_like(context: CheckContext, one: Call, other: Call) -> bool:
    if other.operation in context.contract.reads:
        return one == other
    return one.operation == other.operation


def _ending(program: Program, call: Call) -> Program:
    same = program.steps[-1].operation == call.operation
    return program if same else replace(program, steps=(*program.steps, call))


async def _is_again(context: CheckContext, counter: Counter, growth: Growth) -> bool:
    """Whether a call sends too much a second time as well."""
    found = [each async for each in _growths(context, counter, growth.program, [])]
    return any(each.is_too_much and each.call.operation == growth.call.operation for each in found)


def _apart(context: CheckContext) -> bool:
    return Capability.CONCURRENT_CLIENTS in context.backend.capabilities


async def _sent(
    context: CheckContext, counter: Counter, data: Grown
) -> list[tuple[Call, Sequence[str]]]:
    """Make a program's calls on the emptied store; give what each of its last ones sent.

    Where there is a second handle, the last calls are made on it, and only these are counted.
    """
    handles = await context.store.clients(2 if _apart(context) else 1)
    actor, last = (Actor(context.contract, handles[at], scribbling=False) for at in (0, -1))
    results: dict[int, Any] = {}
    for number, call in data.before:
        outcome = await actor.outcome(call, results)
        if number is not None:
            results[number] = outcome.value
    context.tally.operations += len(data.before) + len(data.lasts)
    sent: list[tuple[Call, Sequence[str]]] = []
    for call in data.lasts:
        total, texts = counter.total, len(counter.texts)
        await last.outcome(call, results)
        told = list(counter.texts[texts:])
        sent.append((call, told or [counter.unit] * (counter.total - total)))
    return sent


def _without_values(text: str) -> str:
    return " ".join(_LITERAL.sub("?", text).split())
