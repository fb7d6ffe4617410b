"""The rows that PostgreSQL packs are those that it would give one value at a time."""

from __future__ import annotations

import sys
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storeproof.reference.archive import snapshots
from storeproof.reference.auth.collections import CONTENT
from storeproof.reference.database import Bulk, Row, packing
from storeproof.reference.database.packing import packed
from storeproof.reference.selection import CONTENTS

from ..auth.examples import user
from .examples import NOW, fill, opened, run

USERS = CONTENT.collections[0]
TIMES = [NOW.replace(microsecond=each) for each in (0, 1, 100, 123000, 999999)]
AWKWARD = ["".join(map(chr, range(1, 160))), '\\"\\\\\n\r\t', "\u2028\u2029\ufffe\U0010ffff", ""]
UNTOLD = ("infinity", "-infinity", "0044-03-15 BC", "10000-01-01")


async def streamed(bulk: Bulk, query: sa.Select[Any], size: int) -> list[Row]:
    found: list[Row] = []
    async with aclosing(bulk.stream(query, size)) as batches:
        async for rows in batches:
            found += rows
    return found


@pytest.mark.parametrize("standard", [packing.STANDARD, sys.maxsize])
def test_rows_are_the_same(url: str, standard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "STANDARD", standard)  # as on an older server

    async def work() -> None:
        async with opened(url) as storages:
            await fill(storages)
            for number, text in enumerate(AWKWARD):
                await storages.auth.create(user(f"awkward{number}", display_name=text))
            for number, at in enumerate(TIMES):
                await storages.auth.create(user(f"time{number}", created_at=at))
            assert storages.database is not None
            async with storages.database.bulk(writes=False) as bulk:
                for content in CONTENTS:
                    for each in content.collections:
                        rows = await bulk.run(each.kept.select, {})
                        assert rows, each.name
                        assert await streamed(bulk, each.kept.select, 3) == rows
                        assert sorted(map(repr, rows)) == sorted(
                            map(repr, await streamed(bulk, each.kept.unordered, 3))
                        )

    run(work())


def test_nearly_all_collections_are_packed() -> None:
    others = [
        each.name
        for content in CONTENTS
        for each in content.collections
        if packed(each.kept.select) is None
    ]
    assert others == ["errors.archives"]


@pytest.mark.parametrize("time", UNTOLD)
def test_what_is_no_time_is_given_as_it_is_told(postgres_url: str, time: str) -> None:
    """Another program can write it; the rows around it are as ever."""

    async def work() -> None:
        async with opened(postgres_url) as storages:
            for name in ("a", "b", "c"):
                # Its line is one, though some would end it at such a character.
                await storages.auth.create(user(name, created_at=NOW, display_name="\x85\u2028"))
            assert storages.database is not None
            at = sa.literal_column(f"CAST('{time}' AS timestamptz)")
            changed = sa.update(USERS.kept.table).where(USERS.kept.table.c.id == "b")
            await storages.database.write(changed.values(created_at=at), {})
            async with snapshots.snapshot_of(storages) as snapshot:
                (rows,) = [each async for each in snapshot.batches(USERS)]
        times = [each.created_at for each in rows]
        assert (times[0], times[2]) == (NOW, NOW)
        assert isinstance(times[1], str)

    run(work())


def test_times_do_not_depend_on_the_zone_of_the_role(postgres_url: str) -> None:
    async def work() -> list[datetime]:
        async with opened(postgres_url) as storages:
            await storages.auth.create(user("a", created_at=NOW))
            assert storages.database is not None
            zone = "ALTER ROLE CURRENT_USER SET timezone = 'Asia/Kathmandu'"
            await storages.database.write(sa.text(zone).columns(), {})
        try:
            async with opened(postgres_url) as storages, snapshots.snapshot_of(storages) as found:
                return [each.created_at async for rows in found.batches(USERS) for each in rows]
        finally:
            async with opened(postgres_url) as storages:
                assert storages.database is not None
                reset = "ALTER ROLE CURRENT_USER RESET timezone"
                await storages.database.write(sa.text(reset).columns(), {})

    (at,) = run(work())
    assert (at, at.utcoffset()) == (NOW, timedelta(0))
