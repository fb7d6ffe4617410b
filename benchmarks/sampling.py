"""Benchmarks take their samples here: side by side, in random order, in one run."""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter_ns

__all__ = ["interleaved", "medians"]

Operation = Callable[[], Awaitable[object]]


async def interleaved(
    operations: Mapping[str, Operation], *, rounds: int, warm_up: int = 20
) -> dict[str, list[int]]:
    """Time each operation once a round, in an order drawn anew for each; nanoseconds."""
    order = random.Random(0)
    names = list(operations)
    samples: dict[str, list[int]] = {name: [] for name in names}
    for number in range(warm_up + rounds):
        order.shuffle(names)
        for name in names:
            taken = await _timed(operations[name])
            if number >= warm_up:
                samples[name].append(taken)
    return samples


async def _timed(operation: Operation) -> int:
    gc.disable()
    started = perf_counter_ns()
    await operation()
    taken = perf_counter_ns() - started
    gc.enable()
    return taken


def medians(samples: Mapping[str, list[int]]) -> dict[str, float]:
    """Give the median of each operation's samples, in microseconds."""
    return {name: statistics.median(taken) / 1000 for name, taken in samples.items()}
