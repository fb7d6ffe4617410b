"""`gate_quality.py` asks here what the usual rules say of the samples that a gate was judged by.

Each compares with what an earlier run stored, as their users do. The rules are those of their
documentation: pytest-benchmark `--benchmark-compare-fail=mean:10%`; Criterion's change of the mean,
whose 95 % bootstrap interval must lie above its noise threshold of 1 %; asv continuous with its
factor of 1.1 and a U test at 0.002.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence

__all__ = ["RULES"]

_RESAMPLES = 400
_NOISE = 0.01


def mean_by_tenth(stored: Sequence[int], new: Sequence[int]) -> bool:
    """pytest-benchmark: the mean is more than a tenth longer."""
    return statistics.fmean(new) > 1.1 * statistics.fmean(stored)


def bootstrap_of_mean(stored: Sequence[int], new: Sequence[int]) -> bool:
    """Criterion: the lower end of the interval of the mean's change is above the noise."""
    chance = random.Random(0)
    ratios = sorted(
        statistics.fmean(chance.choices(new, k=len(new)))
        / statistics.fmean(chance.choices(stored, k=len(stored)))
        for _ in range(_RESAMPLES)
    )
    return ratios[int(0.025 * _RESAMPLES)] > 1 + _NOISE


def factor_and_ranks(stored: Sequence[int], new: Sequence[int]) -> bool:
    """Asv: the median is more than a tenth longer, and the ranks differ."""
    if statistics.median(new) <= 1.1 * statistics.median(stored):
        return False
    return _u_test(stored, new) < 0.002


def _u_test(one: Sequence[int], other: Sequence[int]) -> float:
    """Give the two-sided p of the U test, by its normal approximation."""
    ranked = sorted([*((each, 0) for each in one), *((each, 1) for each in other)])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    count, more = len(one), len(other)
    above = ranks - count * (count + 1) / 2
    spread = math.sqrt(count * more * (count + more + 1) / 12)
    return math.erfc(abs(above - count * more / 2) / spread / math.sqrt(2))


RULES: Mapping[str, Callable[[Sequence[int], Sequence[int]], bool]] = {
    "pytest-benchmark mean:10%": mean_by_tenth,
    "Criterion": bootstrap_of_mean,
    "asv": factor_and_ranks,
}
