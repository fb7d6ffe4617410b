"""For the demonstration only: when things happen, more by day than by night, and ever more."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

__all__ = ["instants"]

_HOURS: Final = (3, 2, 1, 1, 1, 2, 4, 7, 10, 13, 14, 14, 12, 13, 14, 13, 12, 10, 8, 7, 6, 6, 5, 4)
"""How much happens in each hour of a day."""
_WEEKEND: Final = 0.35
_DAY: Final = timedelta(days=1)


def instants(
    random: Random, now: datetime, days: int, count: int, shape: Callable[[float], float]
) -> list[datetime]:
    """So many instants of the days before `now`, in order.

    shape: how much happens, from the beginning (0.0) to the end (1.0), in any unit.
    """
    first = now - days * _DAY
    weights = [_weight(first + day * _DAY, shape(day / days)) for day in range(days)]
    found = [
        _within(random, first + day * _DAY)
        for day, much in enumerate(_shared(count, weights))
        for _ in range(much)
    ]
    return sorted(found)


def _weight(day: datetime, much: float) -> float:
    return much * (_WEEKEND if day.weekday() >= 5 else 1.0)


def _shared(count: int, weights: Sequence[float]) -> Iterator[int]:
    """Whole parts that add up to `count`, in proportion to the weights."""
    total, given, seen = sum(weights), 0, 0.0
    for weight in weights:
        seen += weight
        until = round(count * seen / total) if total else 0
        yield until - given
        given = until


def _within(random: Random, begin: datetime) -> datetime:
    """An instant of the day that begins then; its hours are those of UTC."""
    hour = random.choices(range(24), _HOURS)[0]
    offset = timedelta(hours=(hour - begin.hour) % 24, seconds=random.randrange(3600))
    instant = begin.replace(minute=0, second=0, microsecond=0) + offset
    inside = begin <= instant < begin + _DAY
    return instant if inside else begin + timedelta(seconds=random.randrange(86400))
