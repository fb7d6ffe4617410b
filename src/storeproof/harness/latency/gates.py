"""Whoever declares latency gates makes them here; a run asks them for their decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from storeproof.harness.latency.intervals import Interval, interval_of_median

__all__ = ["FEWEST_BLOCKS", "BudgetGate", "Decision", "Gate", "Judgement", "RegressionGate"]

FEWEST_BLOCKS = 20
"""For a regression: fewer say too little of how instances differ."""
_FEWEST_OF_BUDGET = 10
_TRUST_OF_BUDGET = 0.025


class Decision(StrEnum):
    """What a gate says; only PASS and FAIL are answers."""

    PASS = "pass"  # noqa: S105 - it is not a password
    FAIL = "fail"
    UNDECIDED = "undecided"
    """The interval holds the limit, or the run does not trust itself."""
    NOT_JUDGED = "not judged"
    """There are too few samples or blocks for this quantile."""


@dataclass(frozen=True)
class Judgement:
    """A decision, and the interval of the ratio that it was taken by."""

    decision: Decision
    ratio: Interval | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A quantile of one role's calls beside the same quantile of another's, in the same blocks.

    quantile: 0.5 for the median; a quantile of a block needs `enough_samples`.
    advisory: shown, and never a reason to fail.
    """

    quantile: float = 0.5
    advisory: bool = False

    @property
    def limit(self) -> float:
        """The ratio that must not be exceeded."""
        raise NotImplementedError

    @property
    def fewest_blocks(self) -> int:
        """How many blocks it takes before anything is judged."""
        return FEWEST_BLOCKS

    def trust(self, ratio: Interval) -> float:
        """The bias of equal code, as a ratio less one, above which no decision is taken."""
        raise NotImplementedError

    def judge(self, logs: Sequence[float], miss: float) -> Judgement:
        """Judge by the logarithms of the ratios, one of each block.

        With a probability of at most `miss`, the interval does not hold the true ratio.
        """
        interval = interval_of_median(logs, miss) if len(logs) >= self.fewest_blocks else None
        if interval is None:
            why = f"{len(logs)} blocks are too few: it takes {self.fewest_blocks}"
            return Judgement(Decision.NOT_JUDGED, None, why)
        ratio = Interval(
            *(math.exp(each) for each in (interval.low, interval.middle, interval.high))
        )
        return Judgement(self.decide(ratio), ratio)

    def decide(self, ratio: Interval) -> Decision:
        """Say what an interval of the ratio means."""
        raise NotImplementedError


_TOLERANCES = ((0.99, 0.20), (0.95, 0.10))


@dataclass(frozen=True, kw_only=True)
class RegressionGate(Gate):
    """The candidate is not slower than the baseline by more than a tolerance.

    tolerance: 0.03 is for one process, 0.05 for several or a server; by default 0.05 for a median,
        0.10 from the 95th percentile, 0.20 from the 99th.
    """

    tolerance: float | None = None

    @property
    def limit(self) -> float:
        return 1 + self._tolerance

    def trust(self, ratio: Interval) -> float:
        """Half the tolerance."""
        return self._tolerance / 2

    @property
    def _tolerance(self) -> float:
        if self.tolerance is not None:
            return self.tolerance
        return next((each for share, each in _TOLERANCES if self.quantile >= share), 0.05)

    def decide(self, ratio: Interval) -> Decision:
        """Fail above the limit, pass below it, and say neither while the interval holds it."""
        if ratio.low > self.limit:
            return Decision.FAIL
        return Decision.PASS if ratio.high <= self.limit else Decision.UNDECIDED


@dataclass(frozen=True, kw_only=True)
class BudgetGate(Gate):
    """An operation takes at most so many times what its calibration takes.

    calibration: the name of the backend's calibration, such as "read".
    budget: the ratio.
    """

    calibration: str
    budget: float

    @property
    def limit(self) -> float:
        return self.budget

    @property
    def fewest_blocks(self) -> int:
        return _FEWEST_OF_BUDGET

    def trust(self, ratio: Interval) -> float:
        """Half of how far the ratio is from the budget, where less can't change the decision."""
        return max(_TRUST_OF_BUDGET, abs(math.log(ratio.low / self.budget)) / 2)

    def decide(self, ratio: Interval) -> Decision:
        """Fail only where the whole interval is above the budget."""
        return Decision.FAIL if ratio.low > self.limit else Decision.PASS
