"""The check of bursts looks here for rivals: two calls of one operation, of which one succeeds."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.choosing import texts_of
from storeproof.harness.contention import Draft, ProgramDrawer
from storeproof.harness.program import Branch, Call, Program
from storeproof.harness.racing import on_model
from storeproof.harness.values import Draw, Rejected, choose, pick
from storeproof.harness.varying import Copier, different_value

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Rivalry", "find_rivals"]

_STEPS = 12
"""Calls of a program, at most."""
_CALLS, _KEYS = 2, 3
"""Calls of a program for which rivals are looked for, and things of a call that may be another."""

Rivalry = tuple[str, ...]
"""An operation, the class of the error that one of two calls raises, and what that names."""
_Key = tuple[object, str]
"""The kind of a value, and how Python writes it."""


async def find_rivals(
    contract: Contract, drawer: ProgramDrawer, seed: int, count: int, *, tries: int
) -> Mapping[Rivalry, Program]:
    """Look for programs whose two branches are calls of one operation that both succeed alone.

    The two are about different things: two users who want one name, two orders of the last item.
    Hardly any drawn program has two such things in a state in which there is room for one, so
    what was drawn for one thing is done for another one as well: its *twin*. Only the model is
    asked. For each operation and each error by which it turns the second call away there is one
    program.

    tries: programs of each operation that are drawn, for each that is wanted.
    """
    chance = random.Random(seed)  # noqa: S311 - to repeat a run
    found: dict[Rivalry, Program] = {}
    for _ in range(tries * count):
        for name in drawer.writes:
            with suppress(Rejected):
                async for draft, call in _drawn(drawer, Draw(chance.getrandbits(64)), name):
                    for steps, rival in _twins(contract, draft.steps, call):
                        rivalry = await _rivalry(contract, steps, call, rival)
                        if rivalry is not None and rivalry not in found:
                            found[rivalry] = await _program(contract, steps, call, rival)
    return found


async def _drawn(drawer: ProgramDrawer, draw: Draw, name: str) -> AsyncIterator[tuple[Draft, Call]]:
    """Draw a program; give the calls of an operation, before they are part of it."""
    draft, calls = drawer.draft(), 0
    for _ in range(_STEPS):
        target = name if choose(draw, 3) else pick(draw, drawer.writes)
        call = drawer.toward(draw, draft.pools, target)
        if call.operation == name:
            yield draft, call
            calls += 1
        if calls == _CALLS:
            break
        await draft.make(call)


def _twins(
    contract: Contract, steps: Sequence[Call], call: Call
) -> Iterator[tuple[Sequence[Call], Call]]:
    """Give the steps together with those of a twin, and the call as the twin's."""
    named = [_keys(contract, each) for each in steps]
    for key, value in [*_keys(contract, call).items()][:_KEYS]:
        twin = _Twin(contract, key, value)
        copies = [twin.step(each, keys) for each, keys in zip(steps, named, strict=True)]
        rival = twin.copied(call)
        if rival is not None and rival != call:
            yield [*steps, *filter(None, copies)], rival


async def _rivalry(
    contract: Contract, steps: Sequence[Call], call: Call, rival: Call
) -> Rivalry | None:
    """Give the error of the rival after the call, where each of them succeeds as the first one."""
    program = Program(tuple(steps), branches=(Branch((call,)), Branch((rival,))))
    one, other = len(steps), len(steps) + 1
    forth = await on_model(contract, program, (0, 1))
    if one not in forth or other not in forth or forth[one].error is not None:
        return None
    error = forth[other].error
    if error is None:
        return None
    back = await on_model(contract, program, (1, 0))
    if other not in back or back[other].error is not None:
        return None
    return call.operation, type(error).__name__, *texts_of(error, rival.arguments)


async def _program(contract: Contract, steps: Sequence[Call], call: Call, rival: Call) -> Program:
    draft = Draft(contract)
    for each in steps:
        await draft.make(each)
    return draft.program(call, rival)


class _Keys(Copier):
    """Notes the values that have a kind."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(contract)
        self.met: dict[_Key, Any] = {}

    def scalar(self, value: Any, kind: object | None) -> Any:
        if kind is not None and value is not None:
            self.met[kind, repr(value)] = value
        return value


def _keys(contract: Contract, call: Call) -> Mapping[_Key, Any]:
    keys = _Keys(contract)
    with suppress(Exception):  # constructors of entities raise what they like
        keys.arguments(call)
    return keys.met


class _Twin(Copier):
    """Copies calls about one thing as calls about another, which brings other things of its own."""

    def __init__(self, contract: Contract, key: _Key, value: Any) -> None:
        super().__init__(contract)
        self._others = {key: different_value(value, 1)}
        self._known: set[_Key] = set()
        self._brings = False

    def step(self, call: Call, keys: Mapping[_Key, Any]) -> Call | None:
        """Give the twin's copy of a step; None where that is not about it."""
        self._brings = any(each in self._others for each in keys)
        copy = self.copied(call) if self._brings else None
        self._brings = False
        self._known.update(keys)
        return copy

    def copied(self, call: Call) -> Call | None:
        """Give the copy of a call; None where a class refuses its values."""
        try:
            return replace(call, arguments=self.arguments(call))
        except Exception:  # constructors of entities raise what they like
            return None

    def scalar(self, value: Any, kind: object | None) -> Any:
        key = kind, repr(value)
        if self._brings and kind is not None and key not in self._known:
            self._others.setdefault(key, different_value(value, 1))
        return self._others.get(key, value)
