"""For the commands: the URL that they take, and the storages and databases behind it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from storeproof.cli.errors import Interrupted, UserError

if TYPE_CHECKING:
    from storeproof.reference.database import Database
    from storeproof.reference.selection import Storages

__all__ = ["URL_VARIABLE", "Url", "database_at", "open_all", "run", "storages_at", "target_at"]

T = TypeVar("T")

URL_VARIABLE = "STOREPROOF_DATABASE_URL"
"""The variable of the environment that gives a URL which the command line does not."""

Url = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        envvar=URL_VARIABLE,
        help="postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///PATH. Not given, it is "
        "read from the environment, where other users of the machine don't see its password.",
    ),
]
"""The parameter of a command that works on a database."""


@asynccontextmanager
async def storages_at(url: str, *, create: bool = False) -> AsyncIterator[Storages]:
    """All components' storages in the database at this URL, closed at the end of the block.

    `create`: makes the tables where there are none. Raises ConfigurationError for a URL that
    can't be used, UserError for one of a database that would be gone with the process.
    """
    from storeproof.reference.config import Config
    from storeproof.reference.selection import open_storages

    _refuse_memory(url)
    async with open_storages(Config(database_url=url, create_schema=create)) as storages:
        yield storages


@asynccontextmanager
async def target_at(url: str) -> AsyncIterator[Storages]:
    """What the database at this URL holds: nothing, in memory, while it has no tables.

    Raises as `storages_at` does.
    """
    from storeproof.reference.config import Config
    from storeproof.reference.selection import open_storages

    _refuse_memory(url)
    if _may_have_tables(url) and await _has_tables(url):
        async with storages_at(url) as storages:
            yield storages
    else:
        async with open_storages(Config()) as storages:
            yield storages


def _may_have_tables(url: str) -> bool:
    from sqlalchemy.engine import make_url

    parts = make_url(url)
    return parts.get_backend_name() != "sqlite" or Path(parts.database or "").exists()


async def _has_tables(url: str) -> bool:
    async with database_at(url) as database:
        return bool(await database.versions())


@asynccontextmanager
async def database_at(url: str) -> AsyncIterator[Database]:
    """The database at this URL, whatever its schema. Raises as `storages_at` does."""
    from storeproof.reference.database import Database

    _refuse_memory(url)
    async with Database(url) as database:
        yield database


async def open_all(storages: Storages) -> None:
    """Connects, and checks, or makes, the tables of every component. Raises as a storage does."""
    from storeproof.reference.selection import SCHEMAS

    if storages.database is not None:
        for schema in SCHEMAS:
            storages.database.require(schema)
        await storages.database.open()


def _refuse_memory(url: str) -> None:
    from storeproof.reference.database import is_in_memory

    if is_in_memory(url):
        raise UserError("A database in memory is gone with this process. Give sqlite:///PATH.")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a command's work. SIGTERM and a closed terminal cancel it, so that it cleans up."""
    return asyncio.run(_until_signal(work))


async def _until_signal(work: Coroutine[Any, Any, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    received: list[int] = []

    def end(number: int) -> None:
        received.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise Interrupted(received[0]) from None
        raise
