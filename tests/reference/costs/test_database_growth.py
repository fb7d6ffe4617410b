"""What a report reads of its rollups and ledger does not grow with the charges."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from itertools import count

import asyncpg
import pytest

from storeproof.reference.costs import CostStorage, Dimension, open_cost_storage
from storeproof.reference.costs.database.rollups import ends, totals
from storeproof.reference.costs.entities import grouped_field, period
from storeproof.reference.database.compiling import POSTGRES, compile_for

from ..counting import examined
from .examples import NOW, charge
from .test_rollups import march

HOURS = 96
NUMBERS = count()


async def fill(storage: CostStorage, an_hour: int) -> None:
    moments = (NOW + hour * timedelta(hours=1) for hour in range(HOURS) for _ in range(an_hour))
    charges = (charge(f"{next(NUMBERS)}", occurred_at=at) for at in moments)
    await asyncio.gather(*map(storage.create, charges))


async def rows_read(url: str, zone: str) -> float:
    """By a report over two days in the middle of what is recorded."""
    day = NOW.date() + timedelta(days=1)
    query = march(Dimension.MODEL, start=day, end=day + timedelta(days=2), timezone=zone)
    compiled = compile_for(POSTGRES, totals(grouped_field(query)))
    connection = await asyncpg.connect(url)
    try:
        # A table of this size fits into a few pages, which the server would rather read whole.
        await connection.execute("ANALYZE; SET enable_seqscan = off")
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled.text}"
        found = await connection.fetchval(explain, *compiled.arguments(ends(*period(query))))
    finally:
        await connection.close()
    return examined(json.loads(found)[0]["Plan"])


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_a_report_reads_as_few_rows_of_many_charges(postgres_url: str, zone: str) -> None:
    async def use() -> None:
        async with open_cost_storage(postgres_url) as storage:
            await fill(storage, 1)
            few = await rows_read(postgres_url, zone)
            await fill(storage, 5)
            assert 2 <= few == await rows_read(postgres_url, zone)

    asyncio.run(use())
