"""A URL names its database as SQLAlchemy does, or is refused with what to use instead."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from storeproof.reference.config import ConfigurationError
from storeproof.reference.database import Database, is_in_memory


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
@pytest.mark.parametrize("query", ["", "&ssl=disable", "&sslmode=disable&application_name=x"])
def test_postgresql_urls(postgres_url: str, scheme: str, query: str) -> None:
    url = postgres_url.replace("postgresql", scheme, 1) + query

    async def use() -> list[tuple[object, ...]]:
        async with Database(url) as database:
            return await database.read(sa.select(sa.literal(1)), {})

    assert asyncio.run(use()) == [(1,)]


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
def test_sqlite_urls(sqlite_url: str, scheme: str) -> None:
    async def use() -> list[tuple[object, ...]]:
        async with Database(sqlite_url.replace("sqlite", scheme, 1), create=True) as database:
            return await database.read(sa.select(sa.literal(1)), {})

    assert asyncio.run(use()) == [(1,)]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://a:secret@host/db", "'mysql' is not supported"),
        ("postgresql+psycopg://a:secret@host/db", "'postgresql+psycopg' is not supported"),
        ("sqlite+pysqlcipher:///secret.db", "not supported"),
        ("", "can't be read"),
        ("secret", "can't be read"),
        ("postgresql://a:secret@host:port/db", "can't be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file.db?mode=secret", "takes no parameters"),
    ],
)
def test_other_urls_are_refused_without_being_quoted(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database(url)
    assert caught.value.key == "database_url"
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://", True),
        ("sqlite:///:memory:", True),
        ("sqlite+aiosqlite:///:memory:", True),
        ("sqlite:///memory.db", False),
        ("postgresql://host/:memory:", False),
    ],
)
def test_what_is_in_memory(url: str, expected: bool) -> None:
    assert is_in_memory(url) is expected


def test_a_missing_driver_is_said_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "asyncpg", None)
    monkeypatch.delitem(
        __import__("sys").modules, "storeproof.reference.database.postgres", raising=False
    )
    with pytest.raises(ConfigurationError, match=r"pip install 'storeproof\[postgres\]'"):
        Database("postgresql://host/db")
