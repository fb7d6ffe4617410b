"""For users of provider statistics: a mergeable sketch of latencies, exact in its buckets.

A bucket is a whole number. Latencies below 256 microseconds have a bucket each; above,
every power of two is cut into 128 buckets of equal width (as HdrHistogram does). Buckets
are computed with integers alone, so every storage puts a latency into the same one, and
sketches merge by adding counts: nothing depends on the order, the machine or a library's
version. A quantile is off by at most one part in 256 of the latency that it stands for.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

__all__ = ["MAX_LATENCY", "Sketch", "bucket_of", "latency_of", "make_sketch"]

MAX_LATENCY = 24 * 60 * 60 * 1_000_000
"""A day, in microseconds."""

_BITS = 7
_CUTS = 1 << _BITS


class Sketch(msgspec.Struct, frozen=True, kw_only=True):
    """How many latencies fell into each bucket: pairs (bucket, count) by bucket."""

    counts: tuple[tuple[int, int], ...] = ()

    @property
    def total(self) -> int:
        """How many latencies there are."""
        return sum(count for _, count in self.counts)

    def merge(self, other: "Sketch") -> "Sketch":
        """The sketch of both sets of latencies."""
        return make_sketch((*self.counts, *other.counts))

    def quantile(self, percent: int) -> int | None:
        """The latency (microseconds) that `percent` in 100 don't exceed; None if there is none.

        By nearest rank: the smallest bucket up to which at least that share was counted.
        """
        wanted = max(1, -(-self.total * percent // 100))
        seen = 0
        for bucket, count in self.counts:
            seen += count
            if seen >= wanted:
                return latency_of(bucket)
        return None


def make_sketch(counts: Iterable[tuple[int, int]]) -> Sketch:
    """The sketch of these pairs (bucket, count), whatever their order; equal buckets add up."""
    total: Counter[int] = Counter()
    for bucket, count in counts:
        total[bucket] += count
    return Sketch(counts=tuple(sorted(total.items())))


def bucket_of(latency: int) -> int:
    """The bucket of a latency in microseconds, 0 or more."""
    shift = max(0, latency.bit_length() - _BITS - 1)
    return (shift << _BITS) + (latency >> shift)


def latency_of(bucket: int) -> int:
    """The middle of a bucket, in microseconds."""
    shift = max(0, (bucket >> _BITS) - 1)
    low = (bucket - (shift << _BITS)) << shift
    return low + ((1 << shift) >> 1)
