"""The check of faults on a real Redis: the framing meets what server and client really send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from storeproof import Capability
from storeproof.harness.checks.base import CheckContext, Profile
from storeproof.harness.checks.faults import FaultsCheck
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.wire import Wire

from .redises import (
    SERVER,
    LeaksTheDriversError,
    MakesItAgain,
    MovesByHalves,
    RedisNumbers,
    RedisStore,
    numbers,
    running_server,
)
from .toys import context, failure

pytestmark = pytest.mark.skipif(
    SERVER is None,
    reason="no redis-server is on PATH; Debian's package redis-server has it",
)

FULL = Profile("full", programs=20, steps=20, faults=1)
TOLD = {
    MakesItAgain: "No order of these calls",
    MovesByHalves: "No order of these calls",
    LeaksTheDriversError: "which is none of the contract's",
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    with running_server(tmp_path_factory.mktemp("redis")) as made:
        yield made


def given(store: RedisStore, runner: asyncio.Runner, **options: Any) -> CheckContext:
    apart = (Capability.CONCURRENT_CLIENTS, Capability.NETWORKED)
    return context(numbers, store, runner, profile=FULL, capabilities=apart, **options)


def failed_on(
    make: type[RedisNumbers], endpoint: tuple[str, int], runner: asyncio.Runner
) -> CheckFailed | None:
    store = RedisStore(make, endpoint)
    try:
        return failure(FaultsCheck(), given(store, runner))
    finally:
        runner.run(store.close())


@pytest.mark.parametrize("make", TOLD, ids=lambda each: each.__name__)
def test_what_a_storage_does_wrong_is_found(
    make: type[RedisNumbers], endpoint: tuple[str, int], runner: asyncio.Runner
) -> None:
    failed = failed_on(make, endpoint, runner)

    assert failed is not None
    assert TOLD[make] in failed.message, failed.message


def test_what_is_correct_is_not_accused(endpoint: tuple[str, int], runner: asyncio.Runner) -> None:
    store = RedisStore(RedisNumbers, endpoint)
    checked = given(store, runner)

    FaultsCheck().run(checked)
    runner.run(store.close())

    assert checked.tally.untried == ()


def test_commands_and_replies_are_told_apart(
    endpoint: tuple[str, int], runner: asyncio.Runner
) -> None:
    store = RedisStore(RedisNumbers, endpoint)

    async def trips() -> list[int]:
        async with store.through(wire.host, wire.port) as storage:
            await storage.add("a", 1)
            counted = [wire.trips, wire.messages]
            await storage.get("a")
            return [wire.trips - counted[0], wire.messages - counted[1]]

    with Wire(*endpoint, store.framing) as wire:
        assert runner.run(trips()) == [1, 2]
    runner.run(store.close())
