"""Whoever declares gates writes them as rules, such as `p50 <= 1.5 x read`; they are read here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from storeproof.harness.exceptions import HarnessError
from storeproof.harness.latency.gates import BudgetGate, Gate, RegressionGate

__all__ = ["BASELINE", "BadRule", "CountGate", "Rule", "parse_rule", "parse_rules"]

BASELINE = "baseline"
"""What a rule calls the baseline, where it is not a calibration that is meant."""

_RATIO = re.compile(
    r"p(?P<quantile>\d+(?:\.\d+)?)\s*<=\s*(?:(?P<limit>\d+(?:\.\d+)?)\s*x\s*)?(?P<beside>\w+)"
    r"(?P<advisory>\s*\(advisory\))?"
)
_FAR = 0.99
"""From this quantile on a gate beside a baseline is advisory, unless its tolerance is given."""
_COUNT = re.compile(r"(?P<most><=\s*)?(?P<count>\d+)\s+(?P<unit>[a-z][a-z ]*?)s?")


class BadRule(HarnessError):
    """A gate's rule can't be read."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(
            f"{rule!r} is no rule of a gate. Write one such as 'p50 <= 1.5 x read', 'p50 <= "
            "baseline', 'p95 <= 1.1 x baseline (advisory)', '1 round trip' or '<= 300 bytes'"
        )


@dataclass(frozen=True, kw_only=True)
class CountGate:
    """A call sends so much and no more: counted once, whatever the clock says.

    unit: what is counted, as the backend's counter calls it, or "byte".
    at_most: whether less is as good; otherwise a changed count fails, either way.
    """

    unit: str
    count: int
    at_most: bool = False

    def holds(self, counted: int) -> bool:
        """Whether this count is what was declared."""
        return counted <= self.count if self.at_most else counted == self.count

    def __str__(self) -> str:
        many = "" if self.count == 1 else "s"
        return f"{'<= ' if self.at_most else ''}{self.count} {self.unit}{many}"


Rule = Gate | CountGate


def parse_rules(given: str | Iterable[str]) -> tuple[Rule, ...]:
    """Read one rule, or several.

    Raises BadRule.
    """
    return tuple(map(parse_rule, [given] if isinstance(given, str) else given))


def parse_rule(text: str) -> Rule:
    """Read a rule.

    Raises BadRule.
    """
    ratio, count = _RATIO.fullmatch(text.strip()), _COUNT.fullmatch(text.strip())
    if ratio is not None:
        return _gate(text, ratio)
    if count is not None:
        at_most = count["most"] is not None
        return CountGate(unit=count["unit"], count=int(count["count"]), at_most=at_most)
    raise BadRule(text)


def _gate(text: str, found: re.Match[str]) -> Gate:
    quantile, limit = round(float(found["quantile"]) / 100, 6), float(found["limit"] or 0)
    advisory = found["advisory"] is not None
    if found["beside"] == BASELINE:
        return _beside_baseline(text, quantile, limit, advisory=advisory)
    if not (0 < quantile < 1 and limit > 0):
        raise BadRule(text)
    return BudgetGate(
        quantile=quantile, calibration=found["beside"], budget=limit, advisory=advisory
    )


def _beside_baseline(text: str, quantile: float, limit: float, *, advisory: bool) -> Gate:
    """A limit of 0 was not given."""
    if not 0 < quantile < 1 or 0 < limit <= 1:
        raise BadRule(text)
    tolerance = round(limit - 1, 6) if limit else None
    advisory = advisory or (tolerance is None and quantile >= _FAR)
    return RegressionGate(quantile=quantile, tolerance=tolerance, advisory=advisory)
