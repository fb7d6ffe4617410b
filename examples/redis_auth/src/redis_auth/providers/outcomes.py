"""For `RedisProviderStorage` only: outcomes as the rows that its script adds up."""

from redis_auth.records import stamp
from storeproof.reference.providers import Outcome
from storeproof.reference.providers.amounts import nanos_of
from storeproof.reference.providers.sketch import bucket_of

__all__ = ["row_of", "tally_of"]

UNIT = 10**9
"""Nano-units in a unit: costs are added up in two parts, since numbers in Lua are floats."""


def row_of(outcome: Outcome) -> str:
    """The time of an outcome, what statistics need of it, and its id."""
    units, nanos = divmod(nanos_of(outcome.cost), UNIT)
    numbers = (int(outcome.ok), bucket_of(outcome.latency), outcome.tokens, units, nanos)
    return "|".join([stamp(outcome.at), *map(str, numbers), outcome.id])


def tally_of(
    group: bytes, count: int, tokens: int, units: int, nanos: int
) -> tuple[bool, int, int, int, int]:
    """The tally that `make_stats` takes, of what the script added up."""
    ok, bucket = map(int, group.split(b"|"))
    return bool(ok), bucket, count, tokens, units * UNIT + nanos
