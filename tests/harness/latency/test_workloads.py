"""Calls of an operation: derived from the contract or stated, as many as are wanted."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from storeproof.harness.backends.base import Server
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.latency.refusals import NotMeasurable
from storeproof.harness.latency.workloads import Workload, derived, stated
from storeproof.harness.profiles import PROFILES
from storeproof.reference.providers import Provider
from storeproof.reference.providers.laws import contract


def workload(operation: str) -> Workload:
    with asyncio.Runner() as runner:
        memory = MemoryBackend()
        store = runner.run(memory.create_store(contract, Server()))
        context = CheckContext(contract, memory, store, runner, PROFILES["quick"], 0)
        return derived(context, operation)


async def made(calls: Workload, storage: Any, count: int, first: int = 0) -> list[Any]:
    return [await call() for call in await calls.ready(storage, itertools.count(first), count)]


def test_derived_calls_make_something_new_each() -> None:
    found: list[Provider] = asyncio.run(made(workload("create"), contract.model(), 300))
    assert len({each.id for each in found}) == 300


def test_what_a_call_needs_is_there_before() -> None:
    found = asyncio.run(made(workload("delete"), contract.model(), 50))
    assert found == [None] * 50


def test_reads_are_made_again() -> None:
    calls, storage = workload("get_by_id"), contract.model()
    assert calls.repeatable
    found = asyncio.run(made(calls, storage, 50))
    assert len(found) == 50
    assert len({each.id for each in found}) == 8


def test_stated_calls_are_prepared_outside_the_call() -> None:
    said = list[str]()

    async def before(storage: Any, number: int) -> None:
        said.append(f"before {number}")

    async def call(storage: Any, number: int) -> None:
        said.append(f"call {number}")

    asyncio.run(made(Workload(stated(call, before), repeatable=False), None, 2, first=7))
    assert said == ["before 7", "before 8", "call 7", "call 8"]


def test_an_operation_without_such_calls_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storeproof.harness.latency.workloads.succeeding_of", lambda *_: [])
    with pytest.raises(NotMeasurable, match=r'calls=\{"create": …\}'):
        workload("create")
