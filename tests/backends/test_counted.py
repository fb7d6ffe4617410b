"""Stores count what their handles send: SQLite's statements, PostgreSQL's round trips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storeproof.harness.backends.base import Backend, Counter, RunOptions, Server, Store
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.sqlite import SqliteBackend

from .examples import notes_contract, run

Started = tuple[Backend, Server]


@pytest.fixture(params=[SqliteBackend, PostgresBackend])
def started(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Started]:
    url = None
    if request.param is PostgresBackend:
        url = request.getfixturevalue("given").render("postgresql")
    backend: Backend = request.param()
    yield backend, backend.start(RunOptions(directory=tmp_path, postgres_url=url))
    backend.stop()


async def sent(counter: Counter, store: Store, puts: int) -> int:
    """Count what so many calls send, once the tables are there."""
    _, storage = await store.clients(2)
    await storage.put("first", "1")
    before = counter.total
    for number in range(puts):
        await storage.put(f"key {number}", "1")
    return counter.total - before


def test_what_handles_send_is_counted_only_meanwhile(started: Started) -> None:
    backend, server = started

    async def use() -> None:
        store = await backend.create_store(notes_contract(), server)
        address, (first, early) = store.address, await store.clients(2)
        counted = store.counted()
        assert counted is not None
        async with counted as counter:
            with pytest.raises(Exception, match="clos"):
                await early.put("a", "1")
            one, three = await sent(counter, store, 1), await sent(counter, store, 3)
            assert 0 < one < three <= 3 * one
            total = counter.total
            await first.put("uncounted", "1")
            assert counter.total == total
            assert await (await store.second()).get_all() != {}
        total = counter.total
        assert store.address == address
        await (await store.fresh()).put("a", "1")
        assert counter.total == total
        await store.close()

    run(use())


def test_nothing_counts_what_a_model_does(tmp_path: Path) -> None:
    backend = MemoryBackend()
    server = backend.start(RunOptions(directory=tmp_path))
    store = run(backend.create_store(notes_contract(), server))

    assert store.counted() is None


def test_the_same_read_made_again_is_counted_once_a_call_begins(started: Started) -> None:
    backend, server = started

    async def use() -> list[int]:
        store, found = await backend.create_store(notes_contract(), server), list[int]()
        counted = store.counted()
        assert counted is not None
        async with counted as counter:
            storage = await store.second()
            await storage.put("a", "1")
            await storage.get_all()
            for _ in range(3):
                before = counter.total
                counter.begin()
                await storage.get_all()
                found.append(counter.units()[counter.unit] - before)
        await store.close()
        return found

    assert run(use()) == [1, 1, 1]


def test_calibrations_make_their_calls_on_a_store(started: Started) -> None:
    backend, server = started

    async def use() -> None:
        store = await backend.create_store(notes_contract(), server)
        await store.fresh()
        for name, calibration in backend.calibrations().items():
            for _ in range(2):  # what one made is there for the next
                async with calibration(store.address) as call:
                    rows: Any = await call(7)
                    assert name == "insert" or len(list(rows)) == 1
        async with store.handle() as storage:
            await storage.put("a", "1")
        assert await (await store.second()).get_all() == {"a": "1"}
        with pytest.raises(Exception, match="clos"):
            await storage.put("b", "1")
        await store.close()

    assert run(use()) is None


def test_bytes_are_counted_on_the_wire(started: Started) -> None:
    backend, server = started

    async def use() -> set[str]:
        store = await backend.create_store(notes_contract(), server)
        counted = store.counted()
        assert counted is not None
        async with counted as counter:
            storage = await store.second()
            for text in ("1", "1" * 1000):
                before = dict(counter.units())
                await storage.put(text, text)
                more = {unit: count - before[unit] for unit, count in counter.units().items()}
        await store.close()
        assert more.get("byte", 2001) > 2000
        return set(more)

    assert run(use()) == ({"round trip", "byte"} if backend.name == "postgres" else {"statement"})
