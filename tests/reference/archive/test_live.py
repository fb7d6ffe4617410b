"""An archive of storages that are in use shows one moment of them, and keeps nobody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from storeproof.reference.archive import import_archive, verify_archive
from storeproof.reference.archive.snapshots import snapshot_of
from storeproof.reference.costs.collections import CONTENT as COSTS
from storeproof.reference.errors.laws.given import event
from storeproof.reference.selection import Storages

from ..auth.examples import user
from ..costs import examples as costs
from .examples import HOUR, NOW, export, opened, run


async def write(storages: Storages, numbers: Iterator[int], written: list[int]) -> None:
    """Operations that change several collections at once, without end."""
    for number in numbers:
        await storages.errors.create(event(f"{number}", f"group {number % 5}", NOW))
        written.append(number)
        amounts = costs.amounts(b1="1", b2="2")
        await storages.costs.reserve(f"{number}", amounts, NOW, NOW + HOUR)
        if number % 3:
            await storages.costs.settle(f"{number}", amounts, costs.charge(f"{number}"))
        await asyncio.sleep(0)  # storages in memory let nobody else run


def rows(path: Path, collection: str) -> list[dict[str, Any]]:
    return [
        msgspec.json.decode(line)
        for line in (path / f"{collection}.ndjson").read_bytes().splitlines()
    ]


def of_one_moment(path: Path) -> int:
    """Checks what only holds between operations; gives the number of events."""
    events = len(rows(path, "errors.events"))
    trends = rows(path, "errors.trends")
    for dimension in ("level", "group"):
        counted = (sum(each["counts"]) for each in trends if each["dimension"] == dimension)
        assert sum(counted) == events
    assert sum(each["count"] for each in rows(path, "errors.groups")) == events
    states = {each["id"]: each["state"] for each in rows(path, "costs.reservations")}
    held = rows(path, "costs.held")
    for budget in rows(path, "costs.budgets"):
        mine = [each for each in held if each["budget"] == budget["budget"]["id"]]
        is_open = [
            Decimal(each["amount"]) for each in mine if states[each["reservation"]] == "open"
        ]
        assert Decimal(budget["reserved"]) == sum(is_open)
        assert Decimal(budget["spent"]) == sum(Decimal(each["settled"] or 0) for each in mine)
    settled = [each for each in states.values() if each == "settled"]
    assert len(rows(path, "costs.charges")) == len(settled)
    return events


@pytest.mark.parametrize("place", ["memory", "sqlite", "postgres"])
def test_an_archive_of_storages_in_use_shows_one_moment(
    request: pytest.FixtureRequest, tmp_path: Path, place: str
) -> None:
    url = None if place == "memory" else request.getfixturevalue(f"{place}_url")
    counts: list[int] = []

    async def work() -> None:
        async with opened(url) as storages:
            for name in ("b1", "b2"):
                await costs.put(storages.costs, name, "1000000000")
            numbers = count()
            written: list[int] = []
            writers = [asyncio.create_task(write(storages, numbers, written)) for _ in range(3)]
            for number in range(4):
                before = len(written)
                while len(written) < before + 5:
                    await asyncio.sleep(0)
                await export(storages, tmp_path / str(number))
                counts.append(of_one_moment(tmp_path / str(number)))
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)
            async with opened(None) as memory:
                await import_archive(tmp_path / "3", memory)

    run(work())
    assert counts == sorted(set(counts))


def test_what_is_written_during_an_export_waits_for_nothing_and_is_not_in_it(url: str) -> None:
    async def work() -> None:
        async with opened(url) as storages:
            await storages.auth.create(user("first"))
            await storages.costs.create(costs.charge("first"))
            async with snapshot_of(storages) as snapshot:
                seen = [each async for each in snapshot.batches(COSTS.collections[0])]
                await storages.costs.create(costs.charge("second"))
                await storages.auth.create(user("second"))
                again = [each async for each in snapshot.batches(COSTS.collections[0])]
            assert seen == again == [[costs.charge("first")]]

    run(work())


def test_of_two_imports_at_once_one_finds_the_other_s_rows(tmp_path: Path, url: str) -> None:
    async def work() -> None:
        async with opened(None) as memory:
            await memory.auth.create(user("ann"))
            await export(memory, tmp_path / "archive")
        async with opened(url) as one, opened(url) as other:
            await export(one, tmp_path / "made")  # makes the tables
            imports = (import_archive(tmp_path / "archive", each) for each in (one, other))
            ended = await asyncio.gather(*imports, return_exceptions=True)
            assert sorted(type(each).__name__ for each in ended) == ["Manifest", "TargetNotEmpty"]
            assert (await verify_archive(tmp_path / "archive", against=one)).equal

    run(work())
