"""Registers the backend `mariadb`: a database of its own for each store, on a server of the run's."""

import asyncio
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pymysql
from mariadb_costs import open_cost_storage
from sqlalchemy.engine import make_url

from storeproof import Capability, Contract, NetworkedStore, ProgramBackend, Server
from storeproof.reference.costs import CostStorage

FAST = "--innodb-flush-log-at-trx-commit=0"
OPTIONS = ["--no-defaults", "--user=root", "--skip-name-resolve"]


def run(address: str, *statements: str) -> Sequence[tuple[Any, ...]]:
    found: Sequence[tuple[Any, ...]] = ()
    url = make_url(address)
    with (
        pymysql.connect(
            host=url.host,
            port=url.port or 0,
            user=url.username,
            database=url.database,
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements:
            cursor.execute(statement)
            found = cursor.fetchall()
    return found


class MariaStore(NetworkedStore):
    """A database of a server; its address is a URL with the database's name."""

    clients_stay_open = True

    async def empty(self) -> None:
        tables = [row[0] for row in run(self.address, "SHOW TABLES")]
        run(self.address, *(f"DELETE FROM `{table}`" for table in tables))

    async def remove(self) -> None:
        run(self.address, f"DROP DATABASE `{make_url(self.address).database}`")

    async def settle(self) -> None:
        name = make_url(self.address).database
        others = (
            "SELECT 1 FROM information_schema.processlist "
            f"WHERE db = '{name}' AND id <> CONNECTION_ID()"
        )
        while run(self.address, others):
            await asyncio.sleep(0.01)


class MariaBackend(ProgramBackend):
    """Debian's package mariadb-server, or whatever `mariadbd` is on PATH or in /usr/sbin."""

    name = "mariadb"
    remedy = "Install it: apt-get install mariadb-server"
    capabilities = frozenset(Capability)
    openers: Mapping[type, Callable[..., Any]] = {CostStorage: open_cost_storage}

    def command(self, port: int, folder: Path, *, durable: bool) -> Sequence[str | Path]:
        if not any(folder.iterdir()):
            make = ["mariadb-install-db", *OPTIONS, f"--datadir={folder}", "--skip-test-db"]
            subprocess.run(  # noqa: S603 - Debian's own
                [*make, "--auth-root-authentication-method=normal"], check=True, capture_output=True
            )
        where = [f"--datadir={folder}", f"--port={port}", "--bind-address=127.0.0.1", "--socket=s"]
        return ["/usr/sbin/mariadbd", *OPTIONS, *where, *([] if durable else [FAST])]

    def address(self, port: int) -> str:
        return f"mysql+aiomysql://root@127.0.0.1:{port}"

    def answers(self, address: str, port: int) -> bool:
        try:
            return bool(run(address, "SELECT 1"))
        except pymysql.OperationalError:
            return False

    def version(self, address: str) -> str:
        return str(run(address, "SELECT VERSION()")[0][0])

    async def create_store(self, contract: Contract, server: Server) -> MariaStore:
        name = f"store_{len(run(server.address, 'SHOW DATABASES'))}_{id(contract)}"
        run(server.address, f"CREATE DATABASE `{name}`")
        return MariaStore(self.opener(contract), f"{server.address}/{name}")


def pytest_storeproof_backends() -> list[MariaBackend]:
    return [MariaBackend()]
