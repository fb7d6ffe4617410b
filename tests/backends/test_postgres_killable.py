"""A server of a check's own can be killed and comes back with what it acknowledged; only it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from storeproof.harness.backends.base import KillableServer, RunOptions
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.exceptions import BackendUnavailable, Unkillable

from .examples import column, execute, notes_contract, run, url_of

WAIT_SECONDS = 30


@pytest.fixture
def killable(no_engine: None, options: RunOptions) -> Iterator[KillableServer]:
    server = PostgresBackend().start_killable(options)
    yield server
    server.stop()


def processes(url: PostgresUrl) -> list[int]:
    return [int(each) for each in run(column(url, "SELECT pid FROM pg_stat_activity"))]


def are_gone(processes: list[int]) -> bool:
    """Wait until processes are gone: the system ends them one after the other."""
    deadline = time.monotonic() + WAIT_SECONDS
    while any(map(is_alive, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_alive(process: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        stat = Path(f"/proc/{process}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] not in "XZ"
    return False


def test_what_was_acknowledged_is_there_after_each_kill(
    killable: KillableServer, server_url: PostgresUrl
) -> None:
    url = url_of(killable.server.address)
    run(execute(url, "CREATE TABLE kept (number int)"))
    for number in range(3):
        ended = processes(url)
        run(execute(url, f"INSERT INTO kept VALUES ({number})"))  # noqa: S608 - a number

        killable.kill()

        assert ended
        assert are_gone(ended)
        killable.restart()
        assert run(column(url, "SELECT number FROM kept ORDER BY 1")) == list(range(number + 1))
    assert run(column(server_url, "SELECT 1")) == [1]


@pytest.mark.parametrize(("durable", "setting"), [(False, "off"), (True, "on")])
def test_only_a_store_that_is_to_survive_waits_for_its_commits(
    killable: KillableServer, durable: bool, setting: str
) -> None:
    async def shown() -> list[str]:
        server = replace(killable.server, durable=durable)
        store = await PostgresBackend().create_store(notes_contract(), server)
        try:
            return await column(url_of(store.address), "SHOW synchronous_commit")
        finally:
            await store.close()

    assert run(shown()) == [setting]


def test_settling_ends_what_is_left_of_other_clients(killable: KillableServer) -> None:
    async def left() -> int:
        store = await PostgresBackend().create_store(notes_contract(), killable.server)
        try:
            await (await store.fresh()).put("a", "1")
            await store.settle()
            database = url_of(store.address).database
            others = f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}'"  # noqa: S608
            found = len(await column(url_of(killable.server.address), others))
            await store.vacate()
            return found
        finally:
            await store.close()

    assert run(left()) == 1


def test_a_server_that_was_given_by_its_url_is_not_killed(options_with_url: RunOptions) -> None:
    with pytest.raises(Unkillable) as refused:
        PostgresBackend().start_killable(options_with_url)

    given = str(options_with_url.postgres_url)
    assert "was given by its URL, so it is somebody's own. Leave the URL out" in str(refused.value)
    assert given.partition(":")[2].partition(":")[2].partition("@")[0] not in str(refused.value)


def test_a_server_that_can_not_be_had_is_one_sentence(
    no_engine: None, options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storeproof.harness.backends.postgres_servers.embedded_home", lambda: None)

    with pytest.raises(Unkillable, match=r"no server of postgres was killed: no URL was given"):
        PostgresBackend().start_killable(options)


def test_a_server_whose_data_is_gone_does_not_come_back(killable: KillableServer) -> None:
    url = url_of(killable.server.address)
    (data,) = run(column(url, "SHOW data_directory"))
    killable.kill()
    (Path(data) / "PG_VERSION").unlink()

    with pytest.raises(BackendUnavailable, match="did not start again"):
        killable.restart()
