"""Proves the durable sessions of openai-agents against its session in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

from agents import Session, SQLiteSession
from agents.extensions.memory import AsyncSQLiteSession, SQLAlchemySession
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from storeproof import Contract


@asynccontextmanager
async def open_file(path: str) -> AsyncIterator[Session]:
    with closing(SQLiteSession("a", f"{path}/sessions.db")) as session:
        yield session


@asynccontextmanager
async def open_aiosqlite(path: str) -> AsyncIterator[Session]:
    session = AsyncSQLiteSession("a", f"{path}/sessions.db")
    yield session
    await session.close()


@asynccontextmanager
async def open_database(url: str, timeout: float = 60) -> AsyncIterator[Session]:
    waits = {"timeout": timeout, "command_timeout": timeout}
    engine = create_async_engine(url, connect_args=waits)
    session = SQLAlchemySession("a", engine=engine, create_tables=True)
    await session.get_items()
    yield session
    await engine.dispose()


ITEMS: list[Any] = [{"role": "user", "content": text} for text in ("a", "é", "\x00", "")]
sessions = Contract(
    SQLiteSession,  # the types of Session itself are imported for type checkers alone
    name="Session",
    ignore={"close": "no operation of Session"},
    model=lambda: SQLiteSession("a"),
    storages={"file": open_file, "aiosqlite": open_aiosqlite, "postgres": open_database},
    arguments={"items": [[], ITEMS[:1], ITEMS[1:3], ITEMS], "limit": [None, 1, 2, 3, 100]},
    uncertain=[DBAPIError, OSError],  # Session says nothing of errors
)
TestSessions = sessions.suite()
