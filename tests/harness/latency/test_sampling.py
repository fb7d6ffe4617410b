"""Samples are what calls took, and nothing of what is done around them."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import threading
from collections.abc import Sequence
from contextlib import suppress

import pytest

from storeproof.harness.latency.placement import pinned
from storeproof.harness.latency.sampling import Call, collecting, sample, tidy, warm_up

from .machines import Machine


def calls(machine: Machine, *taken: int) -> Sequence[Call]:
    def call(nanoseconds: int) -> Call:
        async def made() -> None:
            machine.now += nanoseconds

        return made

    return [call(each) for each in taken]


def test_every_call_is_timed_once_and_alone() -> None:
    machine = Machine()
    given = {"a": calls(machine, 1, 2, 3), "b": calls(machine, 10, 20, 30)}
    found = asyncio.run(sample(given, random.Random(0), clock=machine.clock))
    assert found == {"a": [1, 2, 3], "b": [10, 20, 30]}


@pytest.mark.parametrize("wanted", [True, False])
def test_garbage_is_collected_before_and_if_wanted_during(wanted: bool) -> None:
    with collecting(wanted):
        assert gc.isenabled() is wanted
        assert gc.get_count()[1:] == (0, 0)
    assert gc.isenabled()


def test_garbage_is_collected_again_after_a_call_failed() -> None:
    with suppress(LookupError), tidy(), collecting(False):
        assert gc.get_freeze_count()
        assert not gc.isenabled()
        raise LookupError
    assert gc.isenabled()
    assert not gc.get_freeze_count()


@pytest.mark.parametrize(
    ("taken", "used"),
    [
        ((900, 900, 300, 300, 100, 100, 100, 100, 100), 8),  # two windows agree
        ((100, 200, 300, 400, 500), 4),  # they never do
    ],
)
def test_a_warm_up_ends_once_two_windows_agree(taken: Sequence[int], used: int) -> None:
    machine = Machine()
    asyncio.run(warm_up({"a": calls(machine, *taken)}, window=2, clock=machine.clock))
    assert machine.now == sum(taken[:used])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this platform")
def test_a_pinned_thread_and_those_that_it_starts_share_a_processor() -> None:
    allowed, seen = os.sched_getaffinity(0), []
    with pinned() as chosen:
        thread = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
        thread.start()
        thread.join()
        assert seen == [{chosen}] == [os.sched_getaffinity(0)]
    assert os.sched_getaffinity(0) == allowed
