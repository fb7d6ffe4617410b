"""Whoever asks what clients did at once records it here: a history of calls and their outcomes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.program import Call
from storeproof.harness.running import Outcome
from storeproof.harness.source import Source, keywords

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["History", "MadeCall", "Recorder"]

_LONG = 160
_NOTHING = Outcome()


@dataclass(frozen=True)
class MadeCall:
    """One call of a history, from its invocation to its response.

    Invocations and responses are numbered as they happen, by one counter; there is no clock.
    """

    client: int
    """From 0."""
    position: int
    """Of the call in its program, which is what references to its result name."""
    call: Call
    invoked: int
    returned: int | None = None
    """None where nobody knows whether, or when, the call took effect."""
    outcome: Outcome = _NOTHING

    def is_before(self, other: MadeCall) -> bool:
        """Whether it had returned when the other was invoked."""
        return self.returned is not None and self.returned < other.invoked

    @property
    def _kind(self) -> str:
        if self.returned is None:
            return "unknown"
        return "returned" if self.outcome.error is None else "raised"

    def to_json(self) -> dict[str, Any]:
        """Give what `lanes` draws: texts, the kind of the outcome, and the two numbers."""
        return {
            "client": self.client,
            "call": _shortened(written(self.call)),
            "outcome": "unknown" if self.returned is None else _shortened(str(self.outcome)),
            "kind": self._kind,
            "invoked": self.invoked,
            "returned": self.returned,
        }


@dataclass(frozen=True)
class History:
    """The calls that clients made, in the order of their invocations."""

    calls: tuple[MadeCall, ...]

    @property
    def overlapping(self) -> frozenset[int]:
        """The positions of the calls that ran at once with another."""
        pairs = itertools.combinations(self.calls, 2)
        return frozenset(
            each.position
            for one, other in pairs
            if not one.is_before(other) and not other.is_before(one)
            for each in (one, other)
        )

    def undeclared(self) -> MadeCall | None:
        """Give the first call that raised what is none of the contract's errors."""
        return next((each for each in self.calls if not each.outcome.declared), None)

    def to_json(self) -> list[dict[str, Any]]:
        """Give the history as JSON data."""
        return [each.to_json() for each in self.calls]


class Recorder:
    """Numbers invocations and responses as they happen."""

    ended = False
    """Whether clients are to make no more calls."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._clock = itertools.count()
        self._calls: list[MadeCall] = []
        self._retracted = set[int]()

    def invoke(self, client: int, position: int, call: Call) -> int:
        """Note an invocation; give the word for it."""
        self._calls.append(MadeCall(client, position, call, next(self._clock)))
        return len(self._calls) - 1

    def respond(self, word: int, outcome: Outcome) -> None:
        """Note a response.

        An error that leaves the effect open is none: the call stays one that may have happened.
        """
        if not isinstance(outcome.error, self._contract.uncertain):
            made = replace(self._calls[word], returned=next(self._clock), outcome=outcome)
            self._calls[word] = made

    def retract(self, word: int) -> None:
        """Forget a call that certainly had no effect."""
        self._retracted.add(word)

    def history(self) -> History:
        """Give what was noted, less the reads of which nobody knows what they gave."""
        return History(tuple(self._kept()))

    def _kept(self) -> Iterator[MadeCall]:
        for word, each in enumerate(self._calls):
            known = each.returned is not None or each.call.operation not in self._contract.reads
            if known and word not in self._retracted:
                yield each


def written(call: Call) -> str:
    """Write a call as Python does."""
    source = Source()
    arguments = {name: source.expression(each) for name, each in call.arguments.items()}
    return f"{call.operation}({keywords(arguments)})"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
