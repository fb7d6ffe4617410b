"""pytest-benchmark is shown samples that were taken before, by what its documentation offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

__all__ = ["TIMER", "Replay", "prepare_item", "show", "why_unusable"]


class Replay:
    """A timer whose differences are samples, one after the other."""

    def __init__(self) -> None:
        self._times: Iterator[float] = iter(())

    def load(self, nanoseconds: Sequence[int]) -> None:
        """Give these samples from now on."""
        self._times = iter([time for each in nanoseconds for time in (0.0, each / 1e9)])

    def __call__(self) -> float:
        return next(self._times)


TIMER: pytest.StashKey[Replay] = pytest.StashKey()


def prepare_item(item: pytest.Item) -> None:
    """Give an item's fixture a timer of its own; called before the fixture is made."""
    item.stash[TIMER] = timer = Replay()
    marks = [each.kwargs for each in item.iter_markers("benchmark")]
    given = marks[0] if marks else {}  # the fixture reads the nearest one only
    item.add_marker(pytest.mark.benchmark(**{**given, "timer": timer}), append=False)


def show(item: pytest.Item, benchmark: Any, nanoseconds: Sequence[int], told: Any) -> None:
    """Have pytest-benchmark tell these samples in its table, its JSON and its comparisons."""
    item.stash[TIMER].load(nanoseconds)
    benchmark.extra_info.update(told)
    benchmark.pedantic(_nothing, rounds=len(nanoseconds), iterations=1)


def why_unusable(config: pytest.Config, benchmark: Any) -> str:
    """Say why nothing is measured here; empty where it is."""
    module = type(benchmark).__module__
    if not module.startswith("pytest_benchmark."):
        return f"{module.partition('.')[0]} is active in the place of pytest-benchmark"
    if hasattr(config, "workerinput"):
        return "workers of pytest-xdist disturb one another: run it without -n"
    if benchmark.disabled:
        return "benchmarks are disabled: leave out --benchmark-disable"
    return ""


def _nothing() -> None:
    pass
