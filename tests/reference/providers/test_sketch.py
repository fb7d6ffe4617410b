"""The sketch of latencies: exact counts, a bounded error, and merging in any order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storeproof.reference.providers.sketch import (
    MAX_LATENCY,
    Sketch,
    bucket_of,
    latency_of,
    make_sketch,
)

LATENCIES = st.one_of(st.integers(0, 1000), st.integers(0, MAX_LATENCY))


def sketch(latencies: list[int]) -> Sketch:
    return make_sketch((bucket_of(each), 1) for each in latencies)


@given(LATENCIES)
def test_a_bucket_is_off_by_one_part_in_256_at_most(latency: int) -> None:
    assert abs(latency_of(bucket_of(latency)) - latency) * 256 <= latency


@pytest.mark.parametrize("latency", range(256))
def test_short_latencies_are_exact(latency: int) -> None:
    assert bucket_of(latency) == latency_of(latency) == latency


@given(LATENCIES, LATENCIES)
def test_buckets_keep_the_order(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert bucket_of(low) <= bucket_of(high)


def test_buckets_follow_each_other_without_a_gap() -> None:
    edges = [bucket_of(latency) for latency in range(200_000)]
    assert sorted(set(edges)) == list(range(edges[-1] + 1))


@given(st.lists(LATENCIES), st.lists(LATENCIES))
def test_merging_is_counting_all(one: list[int], other: list[int]) -> None:
    both = sketch(one + other)
    assert sketch(one).merge(sketch(other)) == sketch(other).merge(sketch(one)) == both
    assert both.total == len(one) + len(other)


@given(st.lists(LATENCIES, min_size=1), st.integers(1, 100))
def test_a_quantile_is_the_bucket_of_the_nearest_rank(latencies: list[int], percent: int) -> None:
    exact = sorted(latencies)[math.ceil(len(latencies) * percent / 100) - 1]
    assert sketch(latencies).quantile(percent) == latency_of(bucket_of(exact))


def test_nothing_has_no_quantile() -> None:
    assert Sketch().quantile(50) is None
