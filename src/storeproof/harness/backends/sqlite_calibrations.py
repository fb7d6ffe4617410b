"""`SqliteBackend` gives these calibrations: what aiosqlite alone takes on a file like a store's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from storeproof.harness.backends.base import Calibration

__all__ = ["CALIBRATIONS"]

ROWS: Final = 1000
_MADE: Final = f"""
CREATE TABLE IF NOT EXISTS storeproof_calibration (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
WITH RECURSIVE numbers(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM numbers WHERE id < {ROWS})
INSERT OR IGNORE INTO storeproof_calibration SELECT id, 'row ' || id FROM numbers;
"""  # noqa: S608 - a constant
_READ: Final = "SELECT id, value FROM storeproof_calibration WHERE id = ?"
_INSERT: Final = "INSERT INTO storeproof_calibration (value) VALUES (?)"


def _calibration(text: str, arguments: Callable[[int], tuple[Any, ...]]) -> Calibration:
    @asynccontextmanager
    async def opened(address: str) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
        import aiosqlite

        path = address.partition(":///")[2]
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            await connection.execute_fetchall("PRAGMA journal_mode = WAL")
            await connection.execute_fetchall("PRAGMA synchronous = NORMAL")
            await connection.executescript(_MADE)
            yield lambda number: connection.execute_fetchall(text, arguments(number))

    return opened


CALIBRATIONS: Final[Mapping[str, Calibration]] = {
    "round_trip": _calibration("SELECT 1", lambda number: ()),
    "read": _calibration(_READ, lambda number: (1 + number % ROWS,)),
    "insert": _calibration(_INSERT, lambda number: (f"row {number}",)),
}
"""In WAL mode with synchronous = NORMAL: what was committed survives a crash of the process."""
