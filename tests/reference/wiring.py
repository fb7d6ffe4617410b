"""For the tests of database storages: a wire to PostgreSQL, and the URL that leads through it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from storeproof.harness.backends.addresses import url_at
from storeproof.harness.wire import Postgres, Wire


@contextmanager
def wire_to(url: str) -> Iterator[tuple[Wire, str]]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with Wire(parts.hostname, parts.port, Postgres) as wire:
        yield wire, url_at(url, wire.host, wire.port)


async def nobody_connected(wire: Wire) -> None:
    """Waits until the client has closed every connection."""
    while wire.connections:
        await asyncio.sleep(0)
