"""The agreement check draws programs on the model here, and tries those that show most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storeproof.harness.drawing import CallDrawer
from storeproof.harness.pools import Pools
from storeproof.harness.program import Build, Call, Program
from storeproof.harness.running import Actor, Outcome, Unresolvable, public_attributes
from storeproof.harness.structure import field_values
from storeproof.harness.trial import reading_calls
from storeproof.harness.values import Draw, Rejected, choose, pick

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Chooser", "Chosen", "texts_of"]

_REPEATED = 8
"""One call in so many is one that was made before, with the same arguments."""

Sight = tuple[str, ...]
"""A kind of call, and what came of it: the operation, its outcome, what was given or repeated."""


@dataclass(frozen=True)
class Chosen:
    """A program that reads the content at its end, and what the model gives for each call."""

    program: Program
    outcomes: Sequence[Outcome]


class _Drawn:
    """The calls of a program while it is drawn, and made on a model."""

    def __init__(self, contract: Contract) -> None:
        self.pools = Pools(contract)
        self.actor = Actor(contract, contract.model(), scribbling=False)
        self.calls: list[Call] = []
        self.outcomes: list[Outcome] = []
        self.shown: set[Sight] = set()

    async def make(self, call: Call) -> Outcome | None:
        """Make a call; none where what it refers to is not there."""
        outcome = await self.actor.call(call)
        if isinstance(outcome.error, Unresolvable):
            self.actor.results.pop()
            return None
        self.calls.append(call)
        self.outcomes.append(outcome)
        return outcome


class Chooser:
    """Draws programs, of several the one that shows most of what those before it seldom showed.

    A program drawn blindly seldom meets a conflict of two things, and hardly ever the last page of
    a list with a filter. To draw and run five on the model costs less than to run one on a
    database.

    of: programs that are drawn for each that is tried.
    """

    def __init__(self, contract: Contract, drawer: CallDrawer, *, of: int) -> None:
        self._contract, self._drawer, self._of = contract, drawer, of
        self._seen: Counter[Sight] = Counter()

    async def program(self, draw: Draw, steps: int) -> Chosen:
        """Give a program of so many calls on average, twice as many at most.

        Raises Rejected where none of the programs could be drawn.
        """
        drawn = []
        for _ in range(self._of):
            with suppress(Rejected):
                drawn.append(await self._drawn(draw, steps))
        if not drawn:
            raise Rejected
        best = max(drawn, key=self._worth)
        self._seen.update(best.shown)
        for call in reading_calls(self._contract, best.pools):
            await best.make(call)
        return Chosen(Program(tuple(best.calls), scribbling=True), best.outcomes)

    def _worth(self, drawn: _Drawn) -> float:
        rare = sum(1 / (1 + self._seen[each]) ** 2 for each in drawn.shown)
        return rare / (len(drawn.calls) + 10)

    async def _drawn(self, draw: Draw, steps: int) -> _Drawn:
        drawn, names = _Drawn(self._contract), self._drawer.enabled(draw)
        pools, actor = drawn.pools, drawn.actor
        for _ in range(2 * steps):
            again = bool(drawn.calls) and choose(draw, _REPEATED) == 0
            call = pick(draw, drawn.calls) if again else self._drawer.draw_call(draw, pools, names)
            outcome = await drawn.make(call)
            if outcome is None:
                continue
            given = actor.arguments(call, actor.results) if outcome.error is not None else {}
            result = self._result(call, outcome, given)
            drawn.shown.update(_sights(call, result, again, succeeded=outcome.error is None))
            pools.add_call(call, len(drawn.calls) - 1, outcome)
            if choose(draw, steps) == 0:
                break
        return drawn

    def _result(self, call: Call, outcome: Outcome, given: object) -> str:
        """Give the kind of an outcome: an error, or how much was given."""
        if outcome.error is not None:
            return " ".join([type(outcome.error).__name__, *texts_of(outcome.error, given)])
        value = outcome.value
        if value is None or isinstance(value, bool):
            return str(value)
        if self._contract.operations[call.operation].paged:
            return f"{len(value.items) > 0} {value.next_cursor is not None}"
        return str(bool(value)) if isinstance(value, Collection) else "it"


def _sights(call: Call, result: str, again: bool, *, succeeded: bool) -> Iterator[Sight]:
    yield call.operation, result
    if again:
        yield call.operation, result, "again"
    if succeeded:
        yield from ((call.operation, result, each) for each in _given(call))


def texts_of(error: Exception, arguments: object) -> Iterator[str]:
    """Give the texts of an error that are no values of the call: which field it names, say."""
    given = repr(arguments)
    for value in public_attributes(error).values():
        if isinstance(value, str) and repr(value) not in given:
            yield value


def _given(call: Call) -> Iterator[str]:
    """Give the names of the arguments, and of their fields, that are given and not None."""
    for name, value in call.arguments.items():
        fields = value.fields if isinstance(value, Build) else field_values(value) or {}
        yield name
        yield from (f"{name}.{each}" for each, inner in fields.items() if inner is not None)
