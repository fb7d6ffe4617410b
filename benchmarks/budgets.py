"""Modules of budgets write theirs as a table; it becomes gates here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Budget", "gates_of"]


class Budget(NamedTuple):
    """What an operation may cost: a multiple of a calibration on each backend, and round trips."""

    calibration: str
    sqlite: float
    postgres: float
    round_trips: int


def gates_of(budgets: Mapping[str, Budget]) -> dict[str, dict[str, list[str]]]:
    """Give the gates of a table, for `contract.benchmarks`."""
    return {
        "sqlite": {
            name: [f"p50 <= {each.sqlite:g} x {each.calibration}"] for name, each in budgets.items()
        },
        "postgres": {
            name: [
                f"{each.round_trips} round trip{'' if each.round_trips == 1 else 's'}",
                f"p50 <= {each.postgres:g} x {each.calibration}",
            ]
            for name, each in budgets.items()
        },
    }
