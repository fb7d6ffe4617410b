"""The memory backend gives the contract's model."""

from __future__ import annotations

from storeproof.harness.backends.base import Capability, RunOptions
from storeproof.harness.backends.memory import MemoryBackend, MemoryStore

from .examples import notes_contract, run


def create(options: RunOptions) -> MemoryStore:
    backend = MemoryBackend()
    return run(backend.create_store(notes_contract(), backend.start(options)))


def test_only_concurrent_clients_are_declared() -> None:
    assert MemoryBackend().capabilities == {Capability.CONCURRENT_CLIENTS}


def test_each_program_gets_a_new_model(options: RunOptions) -> None:
    async def programs() -> None:
        await (await store.fresh()).put("a", "1")
        assert await (await store.fresh()).get_all() == {}

    store = create(options)
    run(programs())


def test_the_second_client_shares_the_model(options: RunOptions) -> None:
    async def program() -> None:
        await (await store.fresh()).put("a", "1")
        assert await (await store.second()).get_all() == {"a": "1"}

    store = create(options)
    run(program())


def test_nothing_survives_a_reopening(options: RunOptions) -> None:
    async def program() -> None:
        await (await store.fresh()).put("a", "1")
        assert await (await store.reopen()).get_all() == {}
        assert await (await store.second()).get_all() == {}

    store = create(options)
    run(program())
