"""Gates take quantiles of samples, and intervals of what blocks of them say, from here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Interval", "enough_samples", "interval_of_median", "quantile"]

_BEYOND = 10
"""Samples that must lie beyond a quantile for it to say anything of its block."""


@dataclass(frozen=True)
class Interval:
    """An interval for a median, and the median that was seen."""

    low: float
    middle: float
    high: float


def quantile(samples: Sequence[int], share: float) -> int:
    """Give the smallest sample that at least this share of the samples does not exceed.

    >>> quantile([40, 10, 30, 20], 0.5)
    20
    """
    rank = max(1, math.ceil(share * len(samples)))
    return sorted(samples)[rank - 1]


def enough_samples(share: float) -> int:
    """Give how many samples a block needs for a quantile of it to be judged.

    >>> [enough_samples(each) for each in (0.5, 0.95, 0.99)]
    [20, 200, 1000]
    """
    return math.ceil(round(_BEYOND / min(share, 1 - share), 6))


def interval_of_median(values: Sequence[float], miss: float) -> Interval | None:
    """Give an interval that holds the median of what the values are drawn from.

    It is between two order statistics, so nothing is assumed of the distribution: the number of
    values below the median is binomial (Thompson 1936, Annals of Mathematical Statistics 7, 122).
    With a probability of at most `miss` it does not hold the median. None where there are too few
    values for that.
    """
    count, left_out = len(values), _left_out(len(values), miss / 2)
    if left_out is None:
        return None
    ordered = sorted(values)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    return Interval(ordered[left_out], middle, ordered[count - 1 - left_out])


def _left_out(count: int, miss: float) -> int | None:
    """Give how many values on either side the interval leaves out."""
    below, left_out = 0.0, None
    for index in range((count + 1) // 2):
        below += math.comb(count, index) / 2**count
        if below > miss:
            break
        left_out = index
    return left_out
