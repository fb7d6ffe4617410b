"""The checks of several clients draw here what these do at once: calls that contend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.drawing import CallDrawer
from storeproof.harness.pools import Pools
from storeproof.harness.program import Branch, Call, Program, references_in
from storeproof.harness.racing import Outcomes, contends, different
from storeproof.harness.running import Actor, Outcome, Unresolvable
from storeproof.harness.trial import reading_calls
from storeproof.harness.values import Draw, choose, pick

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Change", "Draft", "ProgramDrawer", "with_clients"]

_MOST_STEPS = 10
_MOST_BRANCHES, _MOST_CALLS = 4, 3
_TRIES = 2
"""How often a program is drawn again whose branches do not contend."""
_SAME = 3
"""One in so many calls of a branch is one that another branch makes."""


@dataclass(frozen=True)
class Change:
    """A call that succeeds after a draft's steps, and the reads that see what it changes."""

    draft: Draft
    call: Call
    reads: Sequence[Call]


class ProgramDrawer:
    """Draws programs of several clients; the model says what calls give, and what contends."""

    def __init__(self, contract: Contract, drawer: CallDrawer) -> None:
        self._contract, self._drawer = contract, drawer
        self.names = list(contract.operations)
        self.writes = [each for each in self.names if each not in contract.reads]

    async def program(self, draw: Draw) -> tuple[Program, bool]:
        """Draw a program of 2 to 4 clients, of 1 to 3 calls each; say whether they contend."""
        contended = False
        for _ in range(_TRIES):
            draft = Draft(self._contract)
            names = self._drawer.enabled(draw)
            for _ in range(choose(draw, _MOST_STEPS + 1)):
                await draft.make(self._drawer.draw_call(draw, draft.pools, names))
            for _ in range(2 + choose(draw, _MOST_BRANCHES - 1)):
                await self._add_branch(draw, draft)
            program = draft.program()
            contended = await contends(self._contract, program)
            if contended:
                break
        return program, contended

    async def calls_of(self, draw: Draw, name: str) -> AsyncIterator[Change]:
        """Draw a program; give the calls of an operation that succeed, before they are part of it.

        Every other step is of any operation: some calls succeed also where there is nothing to do.
        """
        draft = Draft(self._contract)
        for _ in range(2 * _MOST_STEPS):
            target = pick(draw, self.names) if choose(draw, 2) else name
            call = self._drawer.draw_toward(draw, draft.pools, target)
            reads = draft.reads(call) if call.operation == name else []
            before = await draft.read(reads)
            outcome = await draft.outcome(call)
            if call.operation == name and outcome is not None and outcome.error is None:
                after = await draft.read(reads)
                changed = different(self._contract, dict(enumerate(reads)), before, after)
                yield Change(draft, call, [reads[number] for number in sorted(changed)])
            draft.keep(call, outcome)

    def call(self, draw: Draw, pools: Pools, name: str) -> Call:
        """Draw a call of an operation."""
        return Call(name, self._drawer.arguments(draw, pools, name))

    def toward(self, draw: Draw, pools: Pools, name: str) -> Call:
        """Draw a call of an operation, or of one that supplies it with what it would miss."""
        return self._drawer.draw_toward(draw, pools, name)

    def draft(self) -> Draft:
        """Begin a program."""
        return Draft(self._contract)

    async def _add_branch(self, draw: Draw, draft: Draft) -> None:
        draft.begin_branch()
        for _ in range(1 + choose(draw, _MOST_CALLS)):
            names = self.writes if self.writes and choose(draw, 4) else self.names
            same = choose(draw, _SAME) == 0 and draft.elsewhere
            known = pick(draw, draft.elsewhere) if same else None
            await draft.make(known or self._drawer.draw_call(draw, draft.met, names))


class Draft:
    """A program while it is drawn, and made on a model, where one client acts after the other."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._actor = Actor(contract, contract.model(), scribbling=False)
        self._results: list[Any] = []
        self._steps: list[Call] = []
        self._branches: list[list[Call]] = []
        self._whole = Pools(contract)
        self.pools = Pools(contract)
        """What the steps met."""
        self.met = self.pools
        """What the present branch met; at first the steps."""
        self.elsewhere: list[Call] = []
        """Calls of earlier branches that the present one might make as well."""

    @property
    def steps(self) -> Sequence[Call]:
        """The calls that were made before any branch."""
        return self._steps

    def begin_branch(self) -> None:
        """Begin a branch: it may use what the steps were given, and what other branches give."""
        self.met = self.pools.fork()
        every = (call for branch in self._branches for call in branch)
        self.elsewhere = [each for each in every if self._is_apart(each)]
        for each in self.elsewhere:
            self.met.add_call(each, 0, Outcome())
        self._branches.append([])

    def _is_apart(self, call: Call) -> bool:
        return all(at.call < len(self._steps) for at in references_in(call.templates()))

    async def make(self, call: Call) -> None:
        """Make a call and keep it."""
        self.keep(call, await self.outcome(call))

    async def outcome(self, call: Call) -> Outcome | None:
        """Make a call on the model; None where what it refers to is not there."""
        outcome = await self._actor.outcome(call, self._results)
        return None if isinstance(outcome.error, Unresolvable) else outcome

    def keep(self, call: Call, outcome: Outcome | None) -> None:
        """Make a call that was made a part of the program."""
        if outcome is None:
            return
        position = len(self._results)
        self._results.append(outcome.value)
        (self._branches[-1] if self._branches else self._steps).append(call)
        self.met.add_call(call, position, outcome)
        self._whole.add_call(call, position, outcome)

    def reads(self, call: Call) -> list[Call]:
        """Give calls that read the content, with what a call names."""
        self._whole.add_call(call, len(self._results), Outcome())
        return [each for each in reading_calls(self._contract, self._whole) if self._knows(each)]

    def every_read(self) -> list[Call]:
        """Give calls that read the content."""
        return reading_calls(self._contract, self._whole)

    def _knows(self, call: Call) -> bool:
        return all(at.call < len(self._results) for at in references_in(call.templates()))

    async def read(self, calls: Sequence[Call]) -> Outcomes:
        """Make calls that change nothing on the model, as no part of the program."""
        return {
            number: await self._actor.outcome(call, self._results)
            for number, call in enumerate(calls)
        }

    def program(self, *calls: Call) -> Program:
        """Give the program, where calls are given with a branch for each, and reads at its end."""
        drawn = self._branches or [[each] for each in calls]
        branches = tuple(Branch(tuple(each)) for each in drawn)
        program = Program(tuple(self._steps), branches=branches)
        for number, call in enumerate(calls, len(self._steps)):
            self._whole.add_call(call, number, Outcome())
        reads = reading_calls(self._contract, self._whole)
        return _with_reads(self._contract, program, reads)


def with_clients(contract: Contract, program: Program, count: int) -> Program:
    """Give a program of two clients to so many, every other one of whom does the same."""
    reads = [call for branch in program.branches for call in branch.reads]
    branches = tuple(Branch(program.branches[each % 2].calls) for each in range(count))
    return _with_reads(contract, replace(program, branches=branches), reads)


def _with_reads(contract: Contract, program: Program, reads: Sequence[Call]) -> Program:
    """Deal the reads to the clients: each may see something else, and again what it has read."""
    count = len(program.branches)
    branches = []
    for index, branch in enumerate(program.branches):
        again = [call for call in branch.calls if call.operation in contract.reads]
        dealt = reads[index::count]
        more = [call for call in again if call not in dealt]
        branches.append(replace(branch, reads=(*dealt, *more)))
    return replace(program, branches=tuple(branches))
