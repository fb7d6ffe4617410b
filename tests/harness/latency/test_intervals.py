"""Intervals of medians: they hold what they say, and say nothing where there is too little."""

from __future__ import annotations

import random

import pytest

from storeproof.harness.latency.intervals import (
    Interval,
    enough_samples,
    interval_of_median,
    quantile,
)
from storeproof.harness.latency.spending import miss_of_look


def test_the_interval_lies_between_order_statistics() -> None:
    # P(Bin(20, 1/2) <= 3) = 0.0013, P(Bin(20, 1/2) <= 4) = 0.0059
    assert interval_of_median(range(20), 0.005) == Interval(3, 9.5, 16)


@pytest.mark.parametrize(("count", "found"), [(8, True), (7, False)])
def test_too_few_values_have_no_interval(count: int, found: bool) -> None:
    # two-sided miss of 0.01 needs 2 ** (1 - n) <= 0.01
    assert (interval_of_median([1.0] * count, 0.01) is not None) is found


@pytest.mark.parametrize("skewed", [False, True])
def test_an_interval_misses_no_more_often_than_it_says(skewed: bool) -> None:
    chance, missed, tries = random.Random(1), 0, 4000
    median = 1.0 if skewed else 0.0
    for _ in range(tries):
        values = [chance.lognormvariate(0, 1) if skewed else chance.gauss(0, 1) for _ in range(20)]
        found = interval_of_median(values, 0.05)
        assert found is not None
        missed += not found.low <= median <= found.high
    assert missed / tries <= 0.05


def test_looks_share_the_whole_probability() -> None:
    assert [miss_of_look(each, 0.06) for each in (1, 2)] == [0.03, 0.01]


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.51, 51), (0.95, 95), (0.99, 99), (1.0, 100)]
)
def test_a_quantile_is_a_sample(share: float, expected: int) -> None:
    samples = list(range(1, 101))
    random.Random(3).shuffle(samples)
    assert quantile(samples, share) == expected


def test_a_quantile_near_an_end_needs_more_samples() -> None:
    assert enough_samples(0.05) == enough_samples(0.95) == 200
