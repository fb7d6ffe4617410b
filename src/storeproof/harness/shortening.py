"""Checks make the programs that they show short and simple here."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from storeproof.harness.expectation import Expectation
from storeproof.harness.places import Place, dropped, places, put, same_value
from storeproof.harness.program import Call, Program, Walk
from storeproof.harness.search import Failure
from storeproof.harness.source import Source
from storeproof.harness.strategies import examples_of
from storeproof.harness.templates import Build, Reference, references_in, resolve
from storeproof.harness.values import simple_values

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["shorten"]

_MOST_REPLAYS = 300
_MOST_WAITING = 4
_FEW = 2
"""Steps before a walk of which every choice is tried at once."""
_MOST_EXAMPLES = 30
_MOST_LETTERS = 12
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Replay = Callable[[Program], Failure | None]


def shorten(contract: Contract, failure: Failure, replay: Replay) -> Failure:
    """Give a failure of the same kind whose program has fewer and simpler calls.

    Steps without which the program still fails go, so do optional arguments and fields and items of
    lists. Values give way to simpler ones, everywhere in the program at once, so that what was
    equal stays equal, and stay what the contract and its types allow. At most 300 programs are
    tried, and few where the failure is a call that never returns: each costs all the patience.
    """
    shortener = _Shortener(contract, failure, replay)
    ways = _WAYS_OF_BRANCHES if failure.program.branches else _WAYS
    while True:
        before = shortener.best.program
        for shorter in ways:
            shorter(shortener)
        if shortener.best.program == before or shortener.left == 0:
            return shortener.best


class _Shortener:
    def __init__(self, contract: Contract, failure: Failure, replay: Replay) -> None:
        self.contract, self.best, self.left = contract, failure, _replays(failure, _MOST_REPLAYS)
        self._replay, self._of_model = replay, _is_of_model(failure)
        self._tried = {repr(failure.program)}

    def tries(self, program: Program | None) -> bool:
        """Whether the program is simpler than the best one and fails; if so, it is the best."""
        if program is None or self.left == 0 or not _cost(program) < _cost(self.best.program):
            return False
        key = repr(program)
        if key in self._tried:
            return False
        self._tried.add(key)
        self.left -= 1
        found = self._replay(program)
        if found is None or _is_of_model(found) != self._of_model:
            return False
        self.best, self.left = found, _replays(found, self.left)
        return True

    def places(self) -> list[Place]:
        return list(places(self.contract, self.best.program))


def _replays(failure: Failure, most: int) -> int:
    waited = failure.actual is not None and isinstance(failure.actual.error, TimeoutError)
    return min(most, _MOST_WAITING) if waited else most


def _cost(program: Program) -> tuple[int, bool, int, int, str]:
    """Give what is less for a program that is easier to read: letters, and small ones, first."""
    source = Source()
    calls = len(program.calls) + len(program.branches)
    texts = []
    for step in program.calls:
        texts += [source.expression(dict(each)) for each in step.templates()]
        calls += len(step.between) + step.limit if isinstance(step, Walk) else 0
    text = "".join(texts).swapcase()
    odd = sum(not each.isalnum() for each in text)
    return calls, program.scribbling, len(text), odd, text


def _is_of_model(failure: Failure) -> bool:
    """Whether it is the model that breaks the contract."""
    return bool(failure.expected) and not failure.expected[-1].declared


def _stop_scribbling(shortener: _Shortener) -> None:
    shortener.tries(replace(shortener.best.program, scribbling=False))


def _redirect(shortener: _Shortener) -> None:
    """Refer to where a value was made, so that later calls that gave it too can go."""
    program, expected = shortener.best.program, shortener.best.expected
    known = Expectation(shortener.contract, program, expected, None)
    results = [each.value for each in expected]

    def change(hole: Reference | Build) -> Any:
        if isinstance(hole, Build):
            return hole
        try:
            first = known.first(resolve(hole, results))
        except (LookupError, AttributeError, TypeError):
            return hole
        return first if first is not None and first.call < hole.call else hole

    steps = tuple(step.rewritten(change) for step in program.steps)
    shortener.tries(replace(program, steps=steps))


def _name_directly(shortener: _Shortener) -> None:
    """Put a plain value in the place of what a storage made, which need not be there at all."""
    results = [each.value for each in shortener.best.expected]
    for step in shortener.best.program.calls:
        for reference in references_in(step.templates()):
            try:
                plain = simple_values(type(resolve(reference, results)))
            except (LookupError, AttributeError, TypeError):
                continue
            shortener.tries(_with_plain(shortener.best.program, reference, plain))


def _with_plain(program: Program, reference: Reference, plain: tuple[Any, ...]) -> Program | None:
    def change(hole: Reference | Build) -> Any:
        return plain[0] if hole == reference else hole

    if not plain:
        return None
    return program.with_calls([step.rewritten(change) for step in program.calls])


def _drop_steps(shortener: _Shortener) -> None:
    size = len(shortener.best.program.steps)
    while size >= 1:
        end = len(shortener.best.program.steps) - 1
        while end > 0:
            start = max(end - size, 0)
            shortener.tries(_without_steps(shortener.best.program, range(start, end)))
            end = min(start, len(shortener.best.program.steps) - 1)
        size //= 2


def _without_steps(program: Program, indexes: Sequence[int]) -> Program | None:
    """Leave out those steps that nothing refers to any more."""
    shorter = program
    for index in reversed(indexes):
        shorter = shorter.without(index) or shorter
    return shorter if shorter is not program else None


def _drop_calls(shortener: _Shortener) -> None:
    """Leave out calls of programs of several clients, and clients that are left without any."""
    size = len(shortener.best.program.calls)
    while size >= 1:
        end = len(shortener.best.program.calls)
        while end > 0:
            start = max(end - size, 0)
            shorter = _without_steps(shortener.best.program, range(start, end))
            if not shortener.tries(shorter and _without_idle(shorter)):
                shortener.tries(shorter)
            end = min(start, len(shortener.best.program.calls))
        size //= 2


def _drop_branches(shortener: _Shortener) -> None:
    for index in reversed(range(len(shortener.best.program.branches))):
        program = shortener.best.program
        if index < len(program.branches):
            gone = [number for number, at in enumerate(_clients(program)) if at == index]
            shorter = _without_steps(program, gone)
            shortener.tries(shorter and _without_idle(shorter))


def _clients(program: Program) -> list[int | None]:
    """Give the branch of each call; None for the steps."""
    made = [at for at, branch in enumerate(program.branches) for _ in branch.calls]
    read = [at for at, branch in enumerate(program.branches) for _ in branch.reads]
    return [*[None] * len(program.steps), *made, *read]


def _without_idle(program: Program) -> Program:
    """Leave out the branches that hold nothing; one stays."""
    busy = tuple(each for each in program.branches if each.calls or each.reads)
    return replace(program, branches=busy or program.branches[:1])


def _shorten_walk(shortener: _Shortener) -> None:
    """Walk page by page, with less between the pages; where that is not enough, with fewer steps.

    What is inserted falls behind another item on shorter pages, so they go only together.
    """
    program = shortener.best.program
    walk = program.steps[-1]
    if not isinstance(walk, Walk):
        return
    for between in _subsets(walk.between, len(walk.between)):
        for limit in range(1, walk.limit + 1):
            changed = replace(walk, between=between, limit=limit)
            if changed == walk or shortener.tries(_with_last(program, changed)):
                return
    for between in _subsets(walk.between, 1) if len(program.steps) > _FEW + 1 else ():
        changed = replace(walk, between=between, limit=1)
        for kept in itertools.combinations(range(len(program.steps) - 1), _FEW):
            gone = [each for each in range(len(program.steps) - 1) if each not in kept]
            if shortener.tries(_without_steps(_with_last(program, changed), gone)):
                return


def _subsets(calls: tuple[Call, ...], most: int) -> Iterator[tuple[Call, ...]]:
    for size in range(most + 1):
        yield from itertools.combinations(calls, size)


def _with_last(program: Program, step: Walk) -> Program:
    return replace(program, steps=(*program.steps[:-1], step))


def _drop_parts(shortener: _Shortener) -> None:
    droppable = [each for each in shortener.places() if each.droppable]
    program = shortener.best.program
    for place in reversed(droppable):
        program = dropped(program, place) or program
    if shortener.tries(program):
        return
    for place in reversed(droppable):
        shortener.tries(dropped(shortener.best.program, place))


def _simplify_scalars(shortener: _Shortener) -> None:
    values = {(type(x.value), repr(x.value)): x for x in shortener.places() if x.is_scalar}
    for place in values.values():
        simplified = any(map(shortener.tries, _with_simpler(shortener, place)))
        if type(place.value) is str and not simplified:
            _shorten_text(shortener, place.value)


def _with_simpler(shortener: _Shortener, place: Place) -> Iterator[Program | None]:
    """Give the program with a value replaced, rather by one that does not occur in it yet."""
    found = [each for each in shortener.places() if each.is_scalar]
    simpler = _simpler(place)
    fresh = [one for one in simpler if not any(same_value(one, each.value) for each in found)]
    for other in dict.fromkeys([*fresh[:1], *simpler[:1]]):
        for change in _changes(place.value, other):
            yield _with_all(shortener.best.program, found, change)


def _simpler(place: Place) -> list[Any]:
    """Give the values of the same type that are simpler, the simplest first."""
    value = place.value
    usual = _LETTERS if type(value) is str else simple_values(type(value))
    alike = [each for each in place.options or usual if type(each) is type(value)]
    known = next((i for i, each in enumerate(alike) if same_value(each, value)), len(alike))
    return alike[:known]


def _shorten_text(shortener: _Shortener, text: str) -> None:
    half = len(text) // 2
    for part in (text[:half], text[half:], text[1:], text[:-1]) if len(text) > 1 else ():
        found = [each for each in shortener.places() if each.is_scalar]
        if shortener.tries(_with_all(shortener.best.program, found, _exactly(text, part))):
            _shorten_text(shortener, part)
            return
    for letter in dict.fromkeys(text[:_MOST_LETTERS]) if len(text) > 1 else ():
        found = [each for each in shortener.places() if each.is_scalar]
        shortener.tries(_with_all(shortener.best.program, found, _less(letter)))


def _changes(value: Any, other: Any) -> list[Callable[[Any], Any]]:
    """Give ways to put one value in the place of another, what is like it included."""
    exactly = _exactly(value, other)
    if type(value) is not str or not value or len(value) > 40:
        return [exactly]

    def within(text: Any) -> Any:
        if type(text) is not str:
            return text
        return text.replace(value, other).replace(value.swapcase(), other.swapcase())

    return [within, exactly]


def _less(letter: str) -> Callable[[Any], Any]:
    """Take a letter out of every text, in either case; none becomes empty."""
    gone = str.maketrans("", "", letter + letter.swapcase())
    return lambda each: (each.translate(gone) or each) if type(each) is str else each


def _exactly(value: Any, other: Any) -> Callable[[Any], Any]:
    return lambda each: other if same_value(each, value) else each


def _with_all(program: Program, found: list[Place], change: Callable[[Any], Any]) -> Program | None:
    changed: Program | None = program
    for place in found:
        value = change(place.value)
        if value is place.value or changed is None:
            continue
        changed = put(changed, place, value) if place.allows(value) else None
    return changed


def _simplify_parts(shortener: _Shortener) -> None:
    for place in shortener.places():
        if place.nullable and place.given is None:
            shortener.tries(put(shortener.best.program, place, None))
        for option in place.options[:4]:
            same = same_value(option, place.value)
            if same or shortener.tries(put(shortener.best.program, place, option)):
                break


def _take_simpler(shortener: _Shortener) -> None:
    """Look among the values of a strategy for a simpler one."""
    for place in shortener.places():
        if isinstance(place.given, st.SearchStrategy) and not place.is_scalar:
            shorter = [x for x in examples_of(place.given) if len(repr(x)) < len(repr(place.value))]
            for value in sorted(shorter, key=lambda each: len(repr(each)))[:_MOST_EXAMPLES]:
                if shortener.tries(put(shortener.best.program, place, value)):
                    break


_WAYS_OF_BRANCHES = (
    _drop_branches,
    _drop_calls,
    _name_directly,
    _drop_parts,
    _simplify_scalars,
    _simplify_parts,
    _take_simpler,
)
_WAYS = (
    _stop_scribbling,
    _redirect,
    _drop_steps,
    _name_directly,
    _shorten_walk,
    _drop_parts,
    _simplify_scalars,
    _simplify_parts,
    _take_simpler,
)
