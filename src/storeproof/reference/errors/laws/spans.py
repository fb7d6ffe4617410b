"""For authors of an error storage: the laws of trends over long times."""

from datetime import datetime
from itertools import pairwise

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.buckets import Bucket, TimeZone
from storeproof.reference.errors.entities import Dimension, Ranked
from storeproof.reference.errors.laws.given import DISK, HOUR, NOW, QUARTER, event
from storeproof.reference.errors.protocol import ErrorStorage

__all__: list[str] = []

TIMES = [NOW + (74 * number + late) * HOUR for number in range(45) for late in (0, 5)]


def between(start: datetime, end: datetime) -> int:
    """How many of TIMES are from `start` to before `end`."""
    return sum(start <= at < end for at in TIMES)


@law("ERR-112", MUST)
async def long_times_are_exact(storage: ErrorStorage) -> None:
    """Trends and ranks over months are exact to the quarter of an hour, in every bucket."""
    for number, at in enumerate(TIMES):
        await storage.create(event(f"{number}", at=at))
    for first, last in ((1, 88), (7, 63), (40, 42)):
        for early, late in ((0, 0), (1, 1), (-1, -1)):
            start, end = TIMES[first] + early * QUARTER, TIMES[last] + late * QUARTER
            wanted = (Ranked(key=DISK, count=between(start, end)),)
            assert await storage.top(9, Dimension.GROUP, start, end) == wanted
            for bucket in (Bucket.DAY, Bucket.WEEK, Bucket.MONTH):
                for zone in (TimeZone("UTC"), TimeZone("America/St_Johns")):
                    trend = await storage.trend(start, end, bucket, zone, Dimension.GROUP)
                    assert trend.starts[0] == start
                    bounds = pairwise((*trend.starts, end))
                    assert trend.series[0].counts == tuple(between(*each) for each in bounds)
