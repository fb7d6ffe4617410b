"""Emptying removes every row of every table, however a storage made them, in one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
import pytest

from storeproof.harness.backends import postgres_emptying
from storeproof.harness.backends.postgres_emptying import Emptier
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.exceptions import BackendUnavailable, CheckFailed

from .examples import column, execute, run

TWELVE = [f"CREATE TABLE t{i} (id int PRIMARY KEY)" for i in range(12)]
FILL = [f"INSERT INTO t{i} VALUES (1)" for i in range(12)]  # noqa: S608 - numbers


@dataclass
class Relay:
    """A TCP relay that counts how often its client waits for the server."""

    url: PostgresUrl
    turns: int = 0
    asked: bool = False
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, down = await asyncio.open_connection(self.url.host, self.url.port)
        self.writers += [writer, down]
        async with asyncio.TaskGroup() as both:
            both.create_task(self._pass(reader, down, asks=True))
            both.create_task(self._pass(upstream, writer, asks=False))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.turns += asks and not self.asked
                self.asked = asks
                writer.write(data)
        writer.close()

    def cut(self) -> None:
        for writer in self.writers:
            writer.close()


@asynccontextmanager
async def relayed(url: PostgresUrl) -> AsyncIterator[tuple[PostgresUrl, Relay]]:
    relay = Relay(url)
    server = await asyncio.start_server(relay.client, "127.0.0.1", 0)
    try:
        yield replace(url, port=server.sockets[0].getsockname()[1]), relay
    finally:
        server.close()
        relay.cut()
        await server.wait_closed()


def emptying(url: PostgresUrl, use: Callable[[Emptier], Awaitable[None]]) -> None:
    async def program() -> None:
        emptier = Emptier(url)
        try:
            await use(emptier)
        finally:
            await emptier.close()

    run(program())


async def rows(url: PostgresUrl, *tables: str) -> list[Any]:
    counts = (f"SELECT count(*) FROM {table}" for table in tables)  # noqa: S608 - the tests' own
    return await column(url, " UNION ALL ".join(counts))


def test_twelve_tables_are_one_round_trip(given: PostgresUrl) -> None:
    async def program() -> None:
        async with relayed(given) as (url, relay):
            emptier = Emptier(url)
            await emptier.empty()
            for _ in range(3):
                await execute(given, *FILL)
                before = relay.turns
                await emptier.empty()
                assert relay.turns - before == 1
                assert await rows(given, *(f"t{i}" for i in range(12))) == [0] * 12
            await emptier.close()

    run(execute(given, *TWELVE))
    run(program())


def test_a_table_made_since_is_noticed_by_the_same_round_trip(given: PostgresUrl) -> None:
    async def program() -> None:
        async with relayed(given) as (url, relay):
            emptier = Emptier(url)
            await emptier.empty()
            before = relay.turns
            await emptier.empty()
            assert relay.turns - before == 1
            await execute(given, "CREATE TABLE late AS SELECT 1 AS id")
            await emptier.empty()
            assert await rows(given, "late") == [0]
            await emptier.close()

    run(program())


USER_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"

SHAPES = {
    "a chain of references": """
        CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int REFERENCES a);
        INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)""",
    "references declared backwards": """
        CREATE TABLE b (id int); CREATE TABLE a (id int PRIMARY KEY);
        ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a ON DELETE RESTRICT;
        INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)""",
    "a cycle": """
        CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int);
        INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
        ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a ON DELETE RESTRICT""",
    "a table that refers to itself": """
        CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a ON DELETE RESTRICT);
        INSERT INTO a VALUES (1, 1), (2, 1); CREATE TABLE b (id int)""",
    "partitions": """
        CREATE TABLE a (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (9);
        CREATE TABLE b (id int REFERENCES a ON DELETE RESTRICT);
        INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)""",
    "inheritance": """
        CREATE TABLE a (id int); CREATE TABLE b () INHERITS (a);
        INSERT INTO a VALUES (1); INSERT INTO b VALUES (2)""",
    "other schemas and odd names": """
        CREATE SCHEMA "odd ""name"; CREATE TABLE "odd ""name"."t;" (id int);
        INSERT INTO "odd ""name"."t;" VALUES (1);
        CREATE VIEW a AS SELECT * FROM "odd ""name"."t;"; CREATE TABLE b (id int)""",
}


@pytest.fixture
def ordinary(given: PostgresUrl) -> Iterator[PostgresUrl]:
    """A role that can't put foreign keys and triggers out of force owns the database."""
    run(execute(given, "CREATE ROLE ordinary LOGIN PASSWORD 'pw'"))
    run(execute(given, "ALTER DATABASE users_own OWNER TO ordinary"))
    run(execute(given, "ALTER SCHEMA public OWNER TO ordinary"))
    yield replace(given, user="ordinary", password="pw")
    run(
        execute(
            given,
            "ALTER DATABASE users_own OWNER TO storeproof",
            "REASSIGN OWNED BY ordinary TO storeproof",
            "DROP ROLE ordinary",
        )
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("role", ["given", "ordinary"])
def test_no_shape_of_references_stops_it(
    request: pytest.FixtureRequest, role: str, shape: str
) -> None:
    owner: PostgresUrl = request.getfixturevalue(role)

    async def use(emptier: Emptier) -> None:
        await emptier.empty()
        assert await rows(owner, "a", "b") == [0, 0]

    run(execute(owner, SHAPES[shape]))
    emptying(owner, use)


APPEND_ONLY = (
    "CREATE TABLE audit AS SELECT 1 AS id",
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'append only'; END $$",
    "CREATE TRIGGER append_only BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse()",
)


def test_a_trigger_that_refuses_deletion_is_set_aside(given: PostgresUrl) -> None:
    async def use(emptier: Emptier) -> None:
        await emptier.empty()
        assert await rows(given, "audit") == [0]

    run(execute(given, *APPEND_ONLY))
    emptying(given, use)


def test_a_role_that_may_not_set_it_aside_gets_the_command_that_mends_it(
    ordinary: PostgresUrl, given: PostgresUrl
) -> None:
    grant = 'GRANT SET ON PARAMETER session_replication_role TO "ordinary"'

    async def use(emptier: Emptier) -> None:
        with pytest.raises(BackendUnavailable, match=grant):
            await emptier.empty()
        await execute(given, grant)
        await emptier.close()
        await emptier.empty()
        assert await rows(given, "audit") == [0]
        await execute(given, grant.replace("GRANT", "REVOKE").replace(" TO ", " FROM "))

    run(execute(ordinary, *APPEND_ONLY))
    emptying(ordinary, use)


@pytest.mark.parametrize("table", ["alembic_version", "storeproof_schema_version"])
def test_the_schemas_version_survives(given: PostgresUrl, table: str) -> None:
    async def use(emptier: Emptier) -> None:
        await emptier.empty()
        assert await rows(given, table) == [1]

    run(execute(given, f"CREATE TABLE {table} AS SELECT '1' AS version"))
    emptying(given, use)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE a",
        "DROP TABLE a; CREATE TABLE a AS SELECT 1 AS id",
        "ALTER TABLE a RENAME TO other",
        "ALTER TABLE a RENAME TO other; CREATE VIEW a AS SELECT 1 AS id",
        "ALTER TABLE a ADD COLUMN more int",
        "TRUNCATE a",
    ],
)
def test_a_schema_that_changed_since_is_looked_at_again(given: PostgresUrl, change: str) -> None:
    async def use(emptier: Emptier) -> None:
        await emptier.empty()
        await execute(given, "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)", change)
        await emptier.empty()
        assert await rows(given, "b") == [0]
        for table in await column(given, USER_TABLES):
            assert await rows(given, table) == [0]

    run(execute(given, "CREATE TABLE a (id int)", "CREATE TABLE b (id int)"))
    emptying(given, use)


def test_a_temporary_table_of_a_storage_is_its_own_affair(given: PostgresUrl) -> None:
    async def use(emptier: Emptier) -> None:
        storage = await asyncpg.connect(**given.arguments())
        await storage.execute("CREATE TEMPORARY TABLE mine AS SELECT 1 AS id")
        await emptier.empty()
        assert await storage.fetchval("SELECT count(*) FROM mine") == 1
        await storage.close()

    emptying(given, use)


def test_a_transaction_that_stays_open_is_the_storages_fault(
    given: PostgresUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(emptier: Emptier) -> None:
        storage = await asyncpg.connect(**given.arguments())
        await storage.execute("BEGIN")
        await storage.execute("UPDATE a SET id = 2")
        with pytest.raises(CheckFailed, match=r"left a transaction open.*UPDATE a SET id = 2"):
            await emptier.empty()
        await storage.execute("ROLLBACK")
        await emptier.empty()
        assert await rows(given, "a") == [0]
        await storage.close()

    monkeypatch.setattr(postgres_emptying, "LOCK_SECONDS", 0.05)
    run(execute(given, "CREATE TABLE a AS SELECT 1 AS id"))
    emptying(given, use)


def test_a_connection_that_was_cut_is_opened_again(given: PostgresUrl) -> None:
    async def use(emptier: Emptier) -> None:
        await emptier.empty()
        await execute(
            given,
            "INSERT INTO a VALUES (1)",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        await emptier.empty()
        assert await rows(given, "a") == [0]

    run(execute(given, "CREATE TABLE a (id int)"))
    emptying(given, use)


def test_a_server_that_is_gone_is_one_sentence(given: PostgresUrl) -> None:
    async def program() -> None:
        async with relayed(given) as (url, _):
            emptier = Emptier(url)
            await emptier.empty()
        with pytest.raises(BackendUnavailable, match="no PostgreSQL answers at"):
            await emptier.empty()

    run(program())


def test_many_emptyings_leave_no_dead_rows_behind(
    given: PostgresUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(emptier: Emptier) -> None:
        for _ in range(4):
            await execute(given, "INSERT INTO a SELECT generate_series(1, 1000)")
            await emptier.empty()
        assert await column(given, "SELECT pg_relation_size('a')") == [0]

    monkeypatch.setattr(postgres_emptying, "VACUUM_EVERY", 2)
    run(execute(given, "CREATE TABLE a (id int)"))
    emptying(given, use)
