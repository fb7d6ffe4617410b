"""For the demonstration only: a year of plausible data, the same for the same seed and present."""

from datetime import datetime
from random import Random

import msgspec

from storeproof.reference.costs.entities import Budget
from storeproof.reference.demo.faults import Decision, Failure, decisions, failures
from storeproof.reference.demo.traffic import Request, budgets, requests

__all__ = ["DAYS", "Year", "make_year"]

DAYS = 365


class Year(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in the year before `now`, each list in the order of time."""

    now: datetime
    failures: list[Failure]
    decisions: list[Decision]
    requests: list[Request]
    budgets: tuple[Budget, ...]


def make_year(now: datetime, *, seed: int, errors: int, traffic: int) -> Year:
    """A year with so many failures and requests. Reads no clock and draws from the seed alone."""
    random = Random(seed)  # noqa: S311 - a seeded generator is what makes the data repeatable
    made = requests(random, now, DAYS, traffic)
    return Year(
        now=now,
        failures=failures(random, now, DAYS, errors),
        decisions=decisions(now, DAYS),
        requests=made,
        budgets=budgets(made, now),
    )
