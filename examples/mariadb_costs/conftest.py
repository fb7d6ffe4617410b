"""Registers the backend `mariadb`: a database for each store, on a server of the run's own."""

import asyncio
import os
import shutil
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
SERVER = shutil.which("mariadbd", path=f"{os.defpath}:/usr/sbin:/usr/local/sbin") or "mariadbd"
AS_ROOT = ["--user=root"] if os.geteuid() == 0 else []
OPTIONS = ["--no-defaults", *AS_ROOT, "--skip-name-resolve"]


def run(address: str, *statements: str) -> Sequence[tuple[Any, ...]]:
    url = make_url(address)
    where = {"host": url.host, "port": url.port, "user": url.username, "database": url.database}
    found: Sequence[tuple[Any, ...]] = ()
    with pymysql.connect(**where, autocommit=True, ssl_disabled=True) as connection:
        for statement in statements:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                found = cursor.fetchall()
    return found


class MariaStore(NetworkedStore):
    """A database of a server; its address is a URL with the database's name."""

    clients_stay_open = True

    async def empty(self) -> None:
        tables = [row[0] for row in run(self.address, "SHOW TABLES")]
        run(self.address, *(f"DELETE FROM `{table}`" for table in tables))  # noqa: S608 - its own

    async def remove(self) -> None:
        run(self.address, f"DROP DATABASE `{make_url(self.address).database}`")

    async def settle(self) -> None:
        others = "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() "
        while run(self.address, others + "AND id <> CONNECTION_ID()"):  # noqa: ASYNC110 - who tells?
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
        return [SERVER, *OPTIONS, *where, *([] if durable else [FAST])]

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
