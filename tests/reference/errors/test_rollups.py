"""What rows of rollups say about buckets is what was counted in their quarters of an hour."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from storeproof.reference.errors.database.rollups import BLOCK, DAY, Cover, counted_at

DAYS = 32
SLOTS = st.integers(-40 * 96, 100 * 96) | st.integers(-3, 100).map(lambda day: day * 96)
BOUNDS = st.lists(SLOTS, min_size=2, max_size=40, unique=True).map(sorted)


def rows(slots: list[int]) -> dict[tuple[str, int], list[int]]:
    """The rows that count an event in each of these slots."""
    found: dict[tuple[str, int], list[int]] = {}
    for slot in slots:
        made = counted_at(slot)
        for span in (DAY, BLOCK):
            row = found.setdefault((span, made[span]), [0] * len(made[f"in_{span}"]))
            row[:] = map(sum, zip(row, made[f"in_{span}"], strict=True))
    return found


def covered(bounds: list[int], slots: list[int]) -> list[int]:
    cover = Cover(bounds)
    sums = [0] * (len(bounds) - 1)
    for (span, slot), counts in rows(slots).items():
        if slot in (cover.days if span == DAY else cover.blocks):
            cover.add(sums, span, slot, counts)
    return sums


@given(BOUNDS, st.lists(SLOTS, max_size=60))
def test_every_event_counts_in_its_bucket_once(bounds: list[int], slots: list[int]) -> None:
    expected = [sum(low <= slot < high for slot in slots) for low, high in pairwise(bounds)]
    assert covered(bounds, slots) == expected


@given(BOUNDS)
def test_a_bound_costs_one_day_and_32_days_one_block(bounds: list[int]) -> None:
    cover = Cover(bounds)
    assert len(cover.days) <= len(bounds)
    assert len(cover.blocks) <= (bounds[-1] - bounds[0]) // (96 * DAYS) + 2


def test_whole_days_are_read_from_blocks_alone() -> None:
    cover = Cover([day * 96 for day in range(-2, 62)])
    assert (cover.days, cover.blocks) == ([], [-1, 0, 1])


def test_what_no_bound_falls_into_is_not_read() -> None:
    cover = Cover([8, 30 * 96 + 8])
    assert (cover.days, cover.blocks) == ([0, 30], [0])
    assert Cover([8, 12]).blocks == []


def test_an_event_is_counted_once_in_each_row() -> None:
    made = counted_at(-1)
    assert (made["day"], made["block"]) == (-1, -1)
    assert Counter(made["in_day"]) == {0: 95, 1: 1}
    assert (made["in_day"][95], made["in_block"][31], sum(made["in_block"])) == (1, 1, 1)
