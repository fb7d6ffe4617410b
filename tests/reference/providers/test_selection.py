"""Selection: a pure function of a snapshot, which never picks who can't take the request."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from storeproof.reference.providers import ModelName, Price, Stats
from storeproof.reference.providers.entities import make_stats
from storeproof.reference.providers.laws.given import EAST, HOUR, MINUTE, NOW, TICK, provider
from storeproof.reference.providers.selection import (
    Candidate,
    Request,
    Snapshot,
    Strategy,
    rank,
    retry_at,
)

MODEL, OTHER = ModelName("m"), ModelName("other")
ASKED = Request(model=MODEL, tokens=5)
ENDS = st.sampled_from([None, NOW - HOUR, NOW, NOW + TICK, NOW + HOUR])


def stats(ok: int, errors: int = 0, latency: int = 100) -> Stats:
    rows = [(True, latency, ok, 0, 0), (False, 1, errors, 0, 0)]
    return make_stats(EAST, NOW - HOUR, NOW, [row for row in rows if row[2]])


def prices(amount: str) -> tuple[Price, ...]:
    return (Price(model=MODEL, input=Decimal(amount), output=Decimal(1)),)


def candidate(name: str, **fields: Any) -> Candidate:
    """A candidate; the fields of the provider are those that a candidate has not."""
    own = {key: fields.pop(key) for key in list(fields) if key in Candidate.__struct_fields__}
    return Candidate(provider=provider(name, **{"models": frozenset({MODEL}), **fields}), **own)


def ranked(strategy: Strategy, *candidates: Candidate, draw: int = 0) -> list[str]:
    snapshot = Snapshot(now=NOW, candidates=candidates)
    return [each.id for each in rank(snapshot, replace(ASKED, draw=draw), strategy)]


@st.composite
def candidates(draw: st.DrawFn, name: str) -> Candidate:
    return candidate(
        name,
        enabled=draw(st.booleans()),
        models=draw(st.sampled_from([frozenset({MODEL}), frozenset({MODEL, OTHER}), frozenset()])),
        weight=draw(st.integers(0, 3)),
        priority=draw(st.integers(0, 2)),
        rpm=draw(st.sampled_from([None, 1, 2])),
        tpm=draw(st.sampled_from([None, 1, 5, 10])),
        prices=draw(st.sampled_from([(), prices("1"), prices("2")])),
        requests=draw(st.integers(0, 2)),
        tokens=draw(st.integers(0, 10)),
        cooling_until=draw(ENDS),
        stats=draw(st.sampled_from([None, stats(0), stats(3), stats(1, 9, 5), stats(0, 2)])),
    )


SNAPSHOTS = st.integers(0, 6).flatmap(
    lambda size: st.tuples(*(candidates(f"p{number}") for number in range(size)))
)
STRATEGIES = st.sampled_from(Strategy)
DRAWS = st.integers(0, 2**128 - 1)


def can_take(each: Candidate, seconds: float = 0) -> bool:
    """The rule, written once more and in another way."""
    now, made = NOW + timedelta(seconds=seconds), each.provider
    fresh = seconds >= 60
    requests, tokens = (0, 0) if fresh else (each.requests, each.tokens)
    if not made.enabled or MODEL not in made.models:
        return False
    if each.cooling_until is not None and now < each.cooling_until:
        return False
    if made.rpm is not None and requests + 1 > made.rpm:
        return False
    return made.tpm is None or tokens + ASKED.tokens <= made.tpm


@given(SNAPSHOTS, STRATEGIES, DRAWS)
def test_exactly_the_available_ones_are_ranked(
    given: tuple[Candidate, ...], strategy: Strategy, draw: int
) -> None:
    expected = sorted(each.provider.id for each in given if can_take(each))
    assert sorted(ranked(strategy, *given, draw=draw)) == expected


@given(SNAPSHOTS, STRATEGIES, DRAWS, st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(
    given: tuple[Candidate, ...], strategy: Strategy, draw: int, shuffler: random.Random
) -> None:
    mixed = list(given)
    shuffler.shuffle(mixed)
    assert ranked(strategy, *given, draw=draw) == ranked(strategy, *mixed, draw=draw)


@given(SNAPSHOTS)
def test_retry_at_is_when_the_first_one_is_available(given: tuple[Candidate, ...]) -> None:
    found = retry_at(Snapshot(now=NOW, candidates=given), ASKED)
    moments = [0, 0.000001, 60, 3600]
    times = [second for second in moments if any(can_take(each, second) for each in given)]
    assert found == (NOW + timedelta(seconds=times[0]) if times else None)


def test_priority_falls_back_in_its_order() -> None:
    given = [candidate("b", priority=1), candidate("z"), candidate("a", priority=1)]
    assert ranked(Strategy.PRIORITY, *given) == ["z", "a", "b"]
    down = [*given[:1], candidate("z", cooling_until=NOW + TICK), given[2]]
    assert ranked(Strategy.PRIORITY, *down) == ["a", "b"]


def test_usage_prefers_the_smallest_share_of_a_limit() -> None:
    assert ranked(
        Strategy.USAGE,
        candidate("half", rpm=10, requests=5),
        candidate("most", rpm=100, requests=1, tpm=100, tokens=90),
        candidate("third", rpm=3, requests=1),
        candidate("unlimited", requests=7),
        candidate("unused", tpm=5),
    ) == ["unused", "unlimited", "third", "half", "most"]


def test_latency_prefers_the_untried_then_the_fastest_and_last_who_only_fails() -> None:
    assert ranked(
        Strategy.LATENCY,
        candidate("fails", stats=stats(0, 9)),
        candidate("slow", stats=stats(9, latency=200)),
        candidate("fast", stats=stats(9, latency=50)),
        candidate("new", stats=stats(0)),
        candidate("newest"),
    ) == ["new", "newest", "fast", "slow", "fails"]


def test_cost_prefers_the_cheapest_of_this_model() -> None:
    other = (Price(model=OTHER, input=Decimal(0), output=Decimal(0)),)
    assert ranked(
        Strategy.COST,
        candidate("unpriced"),
        candidate("other", prices=other),
        candidate("dear", prices=prices("3")),
        candidate("cheap", prices=prices("0.000000001")),
    ) == ["cheap", "dear", "other", "unpriced"]


@pytest.mark.parametrize(("draw", "first"), [(0, "a"), (1, "b"), (2, "b"), (3, "b"), (4, "a")])
def test_weights_divide_the_draws(draw: int, first: str) -> None:
    given = [candidate("a"), candidate("b", weight=3), candidate("c", weight=0)]
    found = ranked(Strategy.WEIGHTED, *given, draw=draw)
    assert (found[0], found[-1]) == (first, "c")


def test_who_follows_is_drawn_by_weight_too() -> None:
    given = [candidate("a"), candidate("b", weight=2), candidate("c", weight=1)]
    orders = Counter(tuple(ranked(Strategy.WEIGHTED, *given, draw=draw)) for draw in range(24))
    assert orders == {
        ("a", "b", "c"): 4,
        ("a", "c", "b"): 2,
        ("b", "a", "c"): 6,
        ("b", "c", "a"): 6,
        ("c", "a", "b"): 2,
        ("c", "b", "a"): 4,
    }


def test_a_request_that_never_fits_has_no_time_to_retry() -> None:
    given = Snapshot(now=NOW + TICK, candidates=(candidate("a", tpm=4),))
    assert retry_at(given, ASKED) is None
    full = Snapshot(now=NOW + TICK, candidates=(candidate("a", tpm=5, tokens=1),))
    assert retry_at(full, ASKED) == NOW + MINUTE
