"""For whoever sends requests: which provider to try first, and which ones after it.

Everything here is a pure function of a `Snapshot` and a `Request`; nothing is read, and
the only randomness is the number that the request brings along.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, TypeAlias

import msgspec

from storeproof.reference.providers.entities import (
    MINUTE,
    ModelName,
    Price,
    Provider,
    Stats,
    minute_of,
)

__all__ = [
    "Candidate",
    "Request",
    "Snapshot",
    "Strategy",
    "has_room",
    "is_available",
    "measure",
    "rank",
    "retry_at",
]


class Strategy(Enum):
    """By what the available providers are ordered; ties are broken by priority and id.

    PRIORITY: the lowest priority first, the others as fallback. WEIGHTED: at random, each
    as often as its weight says; weight 0 comes last. USAGE: the smallest share of its
    limits used in this minute first. LATENCY: the lowest p50 first; before it those never
    tried, after it those that only failed. COST: the lowest sum of a model's prices first;
    those without a price last.
    """

    PRIORITY = "priority"
    WEIGHTED = "weighted"
    USAGE = "usage"
    LATENCY = "latency"
    COST = "cost"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, what it was asked for in this minute, its cooling, its latest statistics."""

    provider: Provider
    requests: int = 0
    tokens: int = 0
    cooling_until: datetime | None = None
    stats: Stats | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that a choice depends on, as it was at `now`."""

    now: datetime
    candidates: tuple[Candidate, ...]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent. `draw`: a random number of 0 or more, best below 2^128."""

    model: ModelName
    tokens: int = 0
    draw: int = 0


Key: TypeAlias = tuple[Any, ...]


def is_available(candidate: Candidate, request: Request, now: datetime) -> bool:
    """Whether the provider is enabled, has the model, does not cool and has room."""
    until = candidate.cooling_until
    return (
        _may_ever(candidate.provider, request)
        and (until is None or until <= now)
        and has_room(candidate, request)
    )


def rank(snapshot: Snapshot, request: Request, strategy: Strategy) -> tuple[Provider, ...]:
    """The available providers, the best first: who fails is followed by the next one.

    Empty exactly when none is available. The order of the candidates does not matter.
    """
    found = [each for each in snapshot.candidates if is_available(each, request, snapshot.now)]
    found.sort(key=_preference)
    if strategy is Strategy.WEIGHTED:
        found = _drawn(found, request.draw)
    elif strategy in _KEYS:
        found.sort(key=lambda candidate: _KEYS[strategy](candidate, request))
    return tuple(candidate.provider for candidate in found)


def retry_at(snapshot: Snapshot, request: Request) -> datetime | None:
    """The earliest instant at which some provider can be available; None: not by waiting."""
    times = [
        _free_at(each, request, snapshot.now)
        for each in snapshot.candidates
        if _may_ever(each.provider, request)
    ]
    return min(times, default=None)


def _may_ever(provider: Provider, request: Request) -> bool:
    fits = provider.tpm is None or request.tokens <= provider.tpm
    return provider.enabled and request.model in provider.models and fits


def measure(candidate: Candidate, request: Request, strategy: Strategy) -> str:
    """What the strategy compares of an available candidate, in words."""
    provider = candidate.provider
    match strategy:
        case Strategy.WEIGHTED:
            return f"weight {provider.weight}"
        case Strategy.USAGE:
            return f"{float(_by_usage(candidate, request)[0]):.0%} of its limits used"
        case Strategy.LATENCY:
            p50 = None if candidate.stats is None else candidate.stats.p50
            return "no request was answered lately" if p50 is None else f"p50 of {p50} µs"
        case Strategy.COST:
            unknown, price = _by_cost(candidate, request)
            return "no price is known" if unknown else f"{price:f} for a million tokens each way"
        case _:
            return f"priority {provider.priority}"


def has_room(candidate: Candidate, request: Request) -> bool:
    """Whether the limits of this minute leave room for the request."""
    rpm, tpm = candidate.provider.rpm, candidate.provider.tpm
    requests_fit = rpm is None or candidate.requests < rpm
    return requests_fit and (tpm is None or candidate.tokens + request.tokens <= tpm)


def _free_at(candidate: Candidate, request: Request, now: datetime) -> datetime:
    cool = max(now, candidate.cooling_until or now)
    return cool if has_room(candidate, request) else max(cool, minute_of(now) + MINUTE)


def _preference(candidate: Candidate) -> Key:
    return (candidate.provider.priority, candidate.provider.id)


def _drawn(candidates: list[Candidate], draw: int) -> list[Candidate]:
    """One after the other drawn by weight, out of those that remain."""
    left = [each for each in candidates if each.provider.weight]
    drawn: list[Candidate] = []
    while left:
        draw, place = divmod(draw, sum(each.provider.weight for each in left))
        for candidate in left:
            place -= candidate.provider.weight
            if place < 0:
                break
        left.remove(candidate)
        drawn.append(candidate)
    return [*drawn, *(each for each in candidates if not each.provider.weight)]


def _by_usage(candidate: Candidate, request: Request) -> Key:
    provider = candidate.provider
    shares = [Fraction(candidate.requests, provider.rpm)] if provider.rpm else []
    if provider.tpm:
        shares.append(Fraction(candidate.tokens, provider.tpm))
    return (max(shares, default=Fraction(0)), candidate.requests)


def _by_latency(candidate: Candidate, request: Request) -> Key:
    stats = candidate.stats
    if stats is None or not stats.count:
        return (0, 0)
    return (2, 0) if stats.p50 is None else (1, stats.p50)


def _by_cost(candidate: Candidate, request: Request) -> Key:
    prices: list[Price] = [
        each for each in candidate.provider.prices if each.model == request.model
    ]
    return (0, prices[0].input + prices[0].output) if prices else (1, Decimal(0))


_KEYS: dict[Strategy, Callable[[Candidate, Request], Key]] = {
    Strategy.USAGE: _by_usage,
    Strategy.LATENCY: _by_latency,
    Strategy.COST: _by_cost,
}
