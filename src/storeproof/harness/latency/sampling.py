"""Gates and benchmarks take their samples here: inside one coroutine, in turns drawn anew."""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter_ns

from storeproof.harness.latency.intervals import quantile

__all__ = [
    "Call",
    "Clock",
    "Samples",
    "collecting",
    "interleaved",
    "medians",
    "sample",
    "tidy",
    "warm_up",
]

Call = Callable[[], Awaitable[object]]
"""One call, ready to be made; it is made once."""
Clock = Callable[[], int]
"""Gives nanoseconds."""
Samples = Mapping[str, list[int]]
"""By role: how many nanoseconds each call took."""

_STABLE = 0.02
"""Two windows of a warm-up whose medians differ by less are stable."""


async def sample(
    calls: Mapping[str, Sequence[Call]], chance: random.Random, *, clock: Clock = perf_counter_ns
) -> Samples:
    """Time every call, one of each role a turn, in an order that is drawn for each turn."""
    samples: dict[str, list[int]] = {role: [] for role in calls}
    roles, turns = list(calls), []
    for each in range(max(map(len, calls.values()))):
        chance.shuffle(roles)
        turns += [(calls[r][each], samples[r].append) for r in roles if each < len(calls[r])]
    await _timed(turns, clock)
    return samples


async def interleaved(
    calls: Mapping[str, Call], *, rounds: int, warm_up: int = 20, clock: Clock = perf_counter_ns
) -> Samples:
    """Time each of these calls once a round, again and again, after some rounds to warm up."""
    chance = random.Random(0)  # noqa: S311 - to repeat a run
    with tidy(), collecting(False):
        await sample({name: [call] * warm_up for name, call in calls.items()}, chance, clock=clock)
        repeated = {name: [call] * rounds for name, call in calls.items()}
        return await sample(repeated, chance, clock=clock)


def medians(samples: Samples) -> dict[str, float]:
    """Give the median of each role's samples, in microseconds."""
    return {role: statistics.median(taken) / 1000 for role, taken in samples.items()}


async def warm_up(
    calls: Mapping[str, Sequence[Call]], *, window: int, clock: Clock = perf_counter_ns
) -> None:
    """Make calls of each role until the median of so many stays that of as many before."""
    for given in calls.values():
        before = None
        for start in range(0, len(given) - window + 1, window):
            taken = list[int]()
            await _timed([(each, taken.append) for each in given[start : start + window]], clock)
            middle = quantile(taken, 0.5)
            if before is not None and abs(middle - before) <= _STABLE * before:
                break
            before = middle


async def _timed(turns: Sequence[tuple[Call, Callable[[int], None]]], clock: Clock) -> None:
    for call, keep in turns:
        started = clock()
        await call()
        keep(clock() - started)


@contextmanager
def tidy() -> Iterator[None]:
    """Set aside what is in memory, so that collecting garbage between blocks is cheap."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def collecting(wanted: bool) -> Iterator[None]:
    """Collect garbage now, and then not, unless it is wanted."""
    gc.collect()
    was = gc.isenabled()
    (gc.enable if wanted else gc.disable)()
    try:
        yield
    finally:
        (gc.enable if was else gc.disable)()
