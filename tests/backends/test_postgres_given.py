"""On a server that a URL names, storeproof touches nothing but databases of its own."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres import PostgresBackend, PostgresStore
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.exceptions import BackendUnavailable, ForeignData

from .examples import column, databases, execute, notes_contract, run, url_of


@pytest.fixture
def backend(given: PostgresUrl) -> Iterator[PostgresBackend]:  # stopped before `given` is dropped
    backend = PostgresBackend()
    yield backend
    backend.stop()


def start(backend: PostgresBackend, options: RunOptions, url: PostgresUrl) -> None:
    backend.start(replace(options, postgres_url=url.render("postgresql")))


def test_the_description_says_version_and_place_without_the_password(
    backend: PostgresBackend, options_with_url: RunOptions, given: PostgresUrl
) -> None:
    server = backend.start(options_with_url)
    assert server.description == f"PostgreSQL {server.version}, URL {given.place}"
    assert server.version.split(".")[0].isdigit()
    assert str(given.password) in server.address
    assert str(given.password) not in repr(server)


def test_a_store_is_a_database_of_its_own_and_goes_when_it_is_closed(
    backend: PostgresBackend, options_with_url: RunOptions, given: PostgresUrl
) -> None:
    async def use() -> set[str]:
        stores = [await PostgresBackend().create_store(notes_contract(), server) for _ in range(2)]
        names = {url_of(store.address).database for store in stores}
        assert stores[0].endpoint == (given.host, given.port)
        await (await stores[0].fresh()).put("a", "1")
        assert await (await stores[0].second()).get_all() == {"a": "1"}
        assert await (await stores[0].reopen()).get_all() == {"a": "1"}
        assert await (await stores[1].fresh()).get_all() == {}
        assert names <= set(await column(given, "SELECT datname FROM pg_database"))
        for store in stores:
            await store.close()
        return names

    before = databases(given)
    server = backend.start(options_with_url)
    names = run(use())
    assert len(names) == 2
    assert all(name.startswith("storeproof_") for name in names)
    assert databases(given) == before


def test_commits_of_a_store_do_not_wait_for_the_disk(
    backend: PostgresBackend, options_with_url: RunOptions
) -> None:
    async def use() -> list[str]:
        store = await backend.create_store(notes_contract(), server)
        found = await column(url_of(store.address), "SHOW synchronous_commit")
        await store.close()
        return found

    server = backend.start(options_with_url)
    assert run(use()) == ["off"]


def test_leftovers_of_this_run_are_dropped_and_nothing_else(
    backend: PostgresBackend, options_with_url: RunOptions, given: PostgresUrl
) -> None:
    async def leave_open() -> PostgresStore:
        return await PostgresBackend().create_store(notes_contract(), server)

    server = backend.start(options_with_url)
    token = server.address.rpartition("#")[2]
    strangers = {f"storeproof_{token}_unmarked", "storeproof_ffffffff_ffffffff"}
    run(execute(given, *(f'CREATE DATABASE "{name}"' for name in strangers)))
    comment = "COMMENT ON DATABASE storeproof_ffffffff_ffffffff IS 'storeproof run ffffffff'"
    run(execute(given, comment))
    before = databases(given)
    try:
        left = url_of(run(leave_open()).address).database
        assert left in databases(given)
        backend.stop()
        assert databases(given) == before
    finally:
        run(execute(given, *(f'DROP DATABASE "{name}"' for name in strangers)))


def test_stopping_twice_is_stopping_once(options_with_url: RunOptions) -> None:
    backend = PostgresBackend()
    backend.start(options_with_url)
    backend.stop()
    backend.stop()


@pytest.mark.parametrize(
    "kind",
    [
        "TABLE theirs (id int)",
        "VIEW theirs AS SELECT 1 AS id",
        "MATERIALIZED VIEW theirs AS SELECT 1 AS id",
        "SCHEMA inner_part CREATE TABLE theirs (id int)",
    ],
)
def test_a_database_with_foreign_tables_is_left_alone(
    backend: PostgresBackend, options_with_url: RunOptions, given: PostgresUrl, kind: str
) -> None:
    run(execute(given, f"CREATE {kind}"))
    before = databases(given)
    with pytest.raises(ForeignData, match=r"theirs\), so nothing was touched") as refused:
        backend.start(options_with_url)
    assert str(given.password) not in str(refused.value)
    assert run(column(given, "SELECT relname FROM pg_class WHERE relname = 'theirs'")) == ["theirs"]
    assert databases(given) == before


def test_rows_of_a_foreign_table_are_still_there(
    backend: PostgresBackend, options_with_url: RunOptions, given: PostgresUrl
) -> None:
    run(execute(given, "CREATE TABLE theirs AS SELECT generate_series(1, 3) AS id"))
    with pytest.raises(ForeignData):
        backend.start(options_with_url)
    backend.stop()
    assert run(column(given, "SELECT id FROM theirs ORDER BY id")) == [1, 2, 3]


def test_a_role_that_may_not_create_databases_gets_the_command_that_mends_it(
    backend: PostgresBackend, options: RunOptions, given: PostgresUrl
) -> None:
    run(execute(given, """CREATE ROLE "o'dd role" LOGIN PASSWORD 'pw'"""))
    try:
        with pytest.raises(BackendUnavailable, match="""ALTER ROLE "o'dd role" CREATEDB;"""):
            start(backend, options, replace(given, user="o'dd role", password="pw"))
        run(execute(given, """ALTER ROLE "o'dd role" CREATEDB"""))
        start(backend, options, replace(given, user="o'dd role", password="pw"))
    finally:
        backend.stop()
        run(execute(given, """DROP ROLE "o'dd role" """))


def test_a_wrong_password_is_one_sentence_without_it(
    backend: PostgresBackend, options: RunOptions, given: PostgresUrl
) -> None:
    with pytest.raises(BackendUnavailable, match="does not let the user storeproof in") as refused:
        start(backend, options, replace(given, password="hunter2"))
    assert "hunter2" not in str(refused.value)


def test_a_missing_database_is_one_sentence(
    backend: PostgresBackend, options: RunOptions, given: PostgresUrl
) -> None:
    with pytest.raises(BackendUnavailable, match="has no database nowhere"):
        start(backend, options, given.to("nowhere"))


def test_a_port_where_nothing_listens_is_one_sentence(
    backend: PostgresBackend, options: RunOptions, given: PostgresUrl
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
        port = taken.getsockname()[1]
        with pytest.raises(BackendUnavailable, match=f"no PostgreSQL answers at 127.0.0.1:{port}"):
            start(backend, options, replace(given, port=port))


def test_an_unknown_host_is_one_sentence(
    backend: PostgresBackend, options: RunOptions, given: PostgresUrl
) -> None:
    with pytest.raises(BackendUnavailable, match=r"no PostgreSQL answers at nowhere\.invalid"):
        start(backend, options, replace(given, host="nowhere.invalid"))


def test_encryption_that_the_server_does_not_offer_is_one_sentence(
    backend: PostgresBackend, options: RunOptions, given: PostgresUrl
) -> None:
    with pytest.raises(BackendUnavailable, match="SSL"):
        start(backend, options, replace(given, ssl="require"))
    with pytest.raises(BackendUnavailable, match="sslmode"):
        start(backend, options, replace(given, ssl="sometimes"))


class Mail(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"220 mail.example ESMTP\r\n")


@pytest.mark.parametrize("ssl", [None, "disable"])
def test_a_server_of_another_kind_is_one_sentence(
    backend: PostgresBackend, options: RunOptions, given: PostgresUrl, ssl: str | None
) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Mail) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        port = other.server_address[1]
        with pytest.raises(BackendUnavailable) as refused:
            start(backend, options, replace(given, port=port, ssl=ssl))
        thread.join()
    assert f"127.0.0.1:{port}" in str(refused.value)
    assert "Correct the URL" in str(refused.value) or "correct the URL" in str(refused.value)


def test_starting_works_while_an_event_loop_runs(
    backend: PostgresBackend, options_with_url: RunOptions
) -> None:
    async def inside() -> str:
        return backend.start(options_with_url).version

    assert run(inside())
