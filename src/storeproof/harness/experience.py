"""Drawn calls reach what storages do once this module has learned from a model which succeed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from storeproof.harness.pools import Company, Pools
from storeproof.harness.values import Draw, choose, pick

__all__ = ["Experience", "Meetings"]

_PATIENT = 8
"""All but one in so many calls that would miss something give way to one that supplies it."""
_DEEPEST = 3
"""How far suppliers of suppliers are looked for."""

Place = tuple[str, str]
"""An operation, and where in its arguments a reference stands."""
Source = str | None
"""The operation from a call of which a reference is known; None for a new one."""


@dataclass
class _Tries:
    succeeded: int = 0
    made: int = 0

    @property
    def rate(self) -> float:
        """How often a try succeeds; what was hardly tried is not given up."""
        return (self.succeeded + 1) / (self.made + 2)

    def add(self, succeeded: bool) -> None:
        self.made += 1
        self.succeeded += succeeded


_UNTRIED = _Tries().rate


class Experience:
    """Where the references of calls that succeed come from, counted on a model.

    Drawn without regard to that, calls seldom succeed: one that takes three references of
    things that exist and a new one hardly ever does.

    reads: the operations that put nothing there that others could refer to.
    """

    def __init__(self, reads: Set[str] = frozenset()) -> None:
        self._reads = reads
        self._places: dict[Place, dict[Source, _Tries]] = {}
        self._kinds: dict[str, dict[Place, object]] = {}
        self._held: set[object] = set()
        self._known_rates: dict[Place, dict[Source, float]] = {}

    def learn(self, meetings: Meetings, *, succeeded: bool) -> None:
        """Count a call that was drawn with these meetings."""
        for where, (kind, source) in meetings.taken.items():
            place = (meetings.operation, where)
            self._kinds.setdefault(meetings.operation, {})[place] = kind
            sources = self._places.setdefault(place, {})
            sources.setdefault(source, _Tries()).add(succeeded)
            self._known_rates.pop(place, None)
        self._held |= meetings.pools.held.keys()

    def sources(self, pools: Pools, kind: object) -> Mapping[str, Sequence[Company]]:
        """Give what occurred together with known values of a kind, by operation.

        A value that was only asked for counts where no value of the kind was ever more than that.
        """
        held = pools.held.get(kind, {})
        return held if held or kind in self._held else pools.named.get(kind, {})

    def pick_source(self, draw: Draw, place: Place, sources: Sequence[Source]) -> Source:
        """Draw a source for a reference, by how often calls with such ones succeed."""
        rates = self._rates(place)
        shares = [round(255 * rates.get(each, _UNTRIED) ** 2) + 1 for each in sources]
        reached = itertools.accumulate(shares)
        drawn = choose(draw, sum(shares))
        return next(each for each, end in zip(sources, reached, strict=True) if drawn < end)

    def pick_operation(self, draw: Draw, pools: Pools, names: Sequence[str]) -> str:
        """Draw an operation, or in the place of one that would miss something what supplies it."""
        return self.supplied(draw, pools, pick(draw, names), names)

    def supplied(self, draw: Draw, pools: Pools, name: str, names: Sequence[str]) -> str:
        """Give the operation, or in its place what supplies it with what it would miss."""
        for _ in range(_DEEPEST):
            supplier = self._missing(draw, name, pools)
            if supplier is None or supplier not in names or choose(draw, _PATIENT) == 0:
                break
            name = supplier
        return name

    def _missing(self, draw: Draw, operation: str, pools: Pools) -> Source:
        """Draw what could supply a reference that the operation needs, where there is none yet."""
        for place, kind in self._kinds.get(operation, {}).items():
            rates = self._rates(place)
            tried = [each for each in rates if each not in self._reads]
            best = max((rates[each] for each in tried), default=0)
            known = self.sources(pools, kind)
            usable = max(rates.get(each, _UNTRIED) for each in (None, *known))
            if usable < best / 2:
                supplier = self.pick_source(draw, place, tried)
                if supplier not in (None, operation):
                    return supplier
        return None

    def _rates(self, place: Place) -> dict[Source, float]:
        rates = self._known_rates.get(place)
        if rates is None:
            tries = self._places.get(place, {})
            rates = {source: each.rate for source, each in tries.items()}
            self._known_rates[place] = rates
        return rates


@dataclass
class Meetings:
    """The references of one call while it is drawn: where those come from that are known.

    A call that is meant to succeed takes known references where such calls did, all from one
    earlier call where that is possible: what belongs together is met together. Two references of
    one kind are as likely of two things as of one: calls move something from one to another.
    """

    operation: str
    pools: Pools
    experience: Experience
    meant_to_succeed: bool
    taken: dict[str, tuple[object, Source]] = field(default_factory=dict)
    """Where a reference stands -> its kind, and its source."""
    _company: Mapping[object, tuple[Source, Sequence[Any]]] = field(default_factory=dict)
    _met_kinds: set[object] = field(default_factory=set)

    def known(self, draw: Draw, kind: object, where: str) -> Any:
        """Draw a known value for a call that is meant to succeed; None where a new one is due."""
        known = self.experience.sources(self.pools, kind)
        source = self.experience.pick_source(draw, (self.operation, where), [None, *known])
        self.taken[where] = (kind, source)
        return None if source is None else self._met(draw, kind, source, known[source])

    def _met(self, draw: Draw, kind: object, source: str, companies: Sequence[Company]) -> Any:
        met = self._company.get(kind)
        if kind in self._met_kinds and choose(draw, 2):
            return pick(draw, pick(draw, companies)[kind])
        self._met_kinds.add(kind)
        if met is None or met[0] != source:
            company = pick(draw, companies)
            met = (source, company[kind])
            self._company = {**{each: (source, company[each]) for each in company}, **self._company}
        return pick(draw, met[1])
