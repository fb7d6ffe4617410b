"""Whatever storages were made to hold, its copies are equal, and go on as it does."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from storeproof.reference.archive import import_archive

from .drawn import CONTRACTS, Caller
from .examples import export, opened, run
from .test_round_trips import files_of

CALLS = 250


@pytest.mark.parametrize("seed", range(3))
def test_drawn_content_is_moved_and_goes_on(
    tmp_path: Path, sqlite_url: str, postgres_url: str, seed: int
) -> None:
    urls = {"memory": None, "sqlite": sqlite_url, "postgres": postgres_url}

    async def work() -> None:
        async with AsyncExitStack() as stack:
            memory = await stack.enter_async_context(opened(None))
            callers = [Caller(each, memory, seed) for each in CONTRACTS]
            for caller in callers:
                await caller.fill(CALLS)
            manifest = await export(memory, tmp_path / "first")
            assert sum(part.count > 0 for part in manifest.parts) > len(manifest.parts) / 2
            copies = {
                name: await stack.enter_async_context(opened(url)) for name, url in urls.items()
            }
            for name, each in copies.items():
                await import_archive(tmp_path / "first", each)
                await export(each, tmp_path / f"{name} first")
            assert [told for caller in callers for told in await caller.go_on(copies, CALLS)] == []
            for name, each in {"model": memory, **copies}.items():
                await export(each, tmp_path / f"{name} last")

    run(work())
    for name in urls:
        assert files_of(tmp_path / f"{name} first") == files_of(tmp_path / "first")
        assert files_of(tmp_path / f"{name} last") == files_of(tmp_path / "model last")
