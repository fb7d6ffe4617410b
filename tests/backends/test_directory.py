"""A directory backend gives each store a folder, and wipes it while nothing is open in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from storeproof.harness.backends.base import Capability, RunOptions
from storeproof.harness.backends.directory import DirectoryBackend, DirectoryStore

from .examples import Notes, notes_contract, run


@dataclass
class FileNotes:
    """A file for each note; keeps a list of what is open where."""

    folder: Path
    open_ones: list[Path] = field(default_factory=list)

    async def put(self, key: str, text: str) -> None:
        (self.folder / key).write_text(text)

    async def get_all(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.folder.iterdir()}


def create(options: RunOptions, opener: object, **more: object) -> DirectoryStore:
    backend = DirectoryBackend("files", capabilities={Capability.SURVIVES_RESTART}, **more)
    contract = notes_contract(**({"files": opener} if opener else {}))
    return run(DirectoryBackend("files", **more).create_store(contract, backend.start(options)))


def open_plainly(address: str) -> FileNotes:
    return FileNotes(Path(address))


def test_name_and_capabilities_are_the_callers() -> None:
    backend = DirectoryBackend("files", capabilities=[Capability.SURVIVES_RESTART])
    assert backend.name == "files"
    assert backend.capabilities == {Capability.SURVIVES_RESTART}
    assert DirectoryBackend("others").capabilities == frozenset()


def test_clients_are_closed_before_the_folder_is_wiped(options: RunOptions) -> None:
    events: list[str] = []

    @asynccontextmanager
    async def open_noting(address: str) -> AsyncIterator[FileNotes]:
        events.append("open")
        yield FileNotes(Path(address))
        events.append(f"closed with {len(os.listdir(address))} files")

    async def programs() -> None:
        one, other = await store.clients(2)
        await one.put("a", "1")
        assert await other.get_all() == {"a": "1"}
        assert await (await store.clients(2))[1].get_all() == {}

    store = create(options, open_noting)
    run(programs())

    assert events == ["open", "open", *["closed with 1 files"] * 2, "open", "open"]


def test_each_program_starts_with_an_empty_folder(options: RunOptions) -> None:
    async def programs() -> None:
        await (await store.fresh()).put("a", "1")
        assert await (await store.reopen()).get_all() == {"a": "1"}
        assert await (await store.fresh()).get_all() == {}
        await store.close()

    store = create(options, open_plainly)
    run(programs())
    assert not Path(store.address).exists()


def test_stores_do_not_share_a_folder(options: RunOptions) -> None:
    stores = [create(options, open_plainly) for _ in range(2)]
    assert stores[0].address != stores[1].address


@pytest.mark.parametrize("handles", ["first", "second"])
def test_handles_are_closed_before_the_folder_is_wiped(options: RunOptions, handles: str) -> None:
    seen: list[bool] = []

    @asynccontextmanager
    async def open_closing(address: str) -> AsyncIterator[FileNotes]:
        notes = FileNotes(Path(address))
        await notes.put("open", "yes")
        yield notes
        seen.append((notes.folder / "open").exists())

    async def programs() -> None:
        first = await store.fresh()
        if handles == "second":
            await store.second()
        assert await store.fresh() is not first

    store = create(options, open_closing)
    run(programs())
    assert seen == ([True] if handles == "first" else [True, True])


def test_a_protocols_opener_serves_contracts_that_name_none(options: RunOptions) -> None:
    store = create(options, None, openers={Notes: open_plainly})
    assert isinstance(run(store.fresh()), FileNotes)
