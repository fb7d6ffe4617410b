"""`--storage=postgres` uses `PostgresBackend`: a database of its own for each store."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from storeproof.harness.backends.base import (
    Backend,
    Calibration,
    Capability,
    KillableServer,
    Opener,
    RunOptions,
    Server,
)
from storeproof.harness.backends.networked import NetworkedStore
from storeproof.harness.backends.postgres_calibrations import CALIBRATIONS
from storeproof.harness.backends.postgres_connection import examine, run_apart, session
from storeproof.harness.backends.postgres_emptying import Emptier
from storeproof.harness.backends.postgres_servers import PostgresServer, find_server
from storeproof.harness.backends.postgres_url import PostgresUrl, parse_url
from storeproof.harness.exceptions import BackendUnavailable, Unkillable
from storeproof.harness.wire import Postgres

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["KillablePostgres", "PostgresBackend", "PostgresStore"]

LEFTOVERS: Final = """
SELECT quote_ident(datname) FROM pg_database
 WHERE starts_with(datname, $1) AND shobj_description(oid, 'pg_database') = $2
"""


@dataclass(frozen=True)
class _Run:
    """A run's mark on a server; workers read it from the server's address, after the URL's #."""

    url: PostgresUrl
    token: str

    @classmethod
    def read(cls, address: str) -> _Run:
        return cls(parse_url(address), urlsplit(address).fragment)

    @property
    def address(self) -> str:
        return f"{self.url.render('postgresql')}#{self.token}"

    @property
    def prefix(self) -> str:
        return f"storeproof_{self.token}_"

    @property
    def comment(self) -> str:
        return f"storeproof run {self.token}"

    async def create_database(self, *, durable: bool) -> PostgresUrl:
        """Create a database, marked as this run's; unless durable, its commits wait for nothing."""
        setting = "on" if durable else "off"
        name = self.prefix + secrets.token_hex(4)
        async with session(self.url) as connection:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
            await connection.execute(
                f"COMMENT ON DATABASE \"{name}\" IS '{self.comment}';"
                f'ALTER DATABASE "{name}" SET synchronous_commit = {setting}'
            )
        return self.url.to(name)

    async def drop_leftovers(self) -> None:
        """Drop the databases that this run created and did not drop."""
        async with session(self.url) as connection:
            for (name,) in await connection.fetch(LEFTOVERS, self.prefix, self.comment):
                await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class PostgresStore(NetworkedStore):
    """A database of the run's own; its address is a SQLAlchemy URL for the asyncpg dialect."""

    clients_stay_open = True
    framing = Postgres

    def __init__(self, opener: Opener, url: PostgresUrl, maintenance: PostgresUrl) -> None:
        super().__init__(opener, url.render(), (url.host, url.port))
        self._url, self._maintenance = url, maintenance
        self._emptier = Emptier(url)

    def address_at(self, host: str, port: int) -> str:
        return self._url.at(host, port).render()

    async def empty(self) -> None:
        await self._emptier.empty()

    async def settle(self) -> None:
        """End what is left of other clients, and wait until it is gone."""
        await self._emptier.end_others()

    async def remove(self) -> None:
        await self._emptier.close()
        async with session(self._maintenance) as connection:
            await connection.execute(f'DROP DATABASE IF EXISTS "{self._url.database}" WITH (FORCE)')


class KillablePostgres(KillableServer):
    """A server that storeproof started and may kill."""

    def __init__(self, started: PostgresServer) -> None:
        address = _Run(started.url, secrets.token_hex(4)).address
        self.server = Server(address=address, durable=True)
        self._started = started

    def kill(self) -> None:
        self._started.kill()

    def restart(self) -> None:
        self._started.restart()

    def stop(self) -> None:
        self._started.stop()


class PostgresBackend(Backend):
    """Databases on the server of a URL, of a container, or of the embedded PostgreSQL.

    Only databases that the run created are ever written to or dropped.
    """

    name = "postgres"
    capabilities = frozenset(
        {Capability.CONCURRENT_CLIENTS, Capability.NETWORKED, Capability.SURVIVES_RESTART}
    )

    def __init__(self) -> None:
        self._server: PostgresServer | None = None
        self._run: _Run | None = None

    def start(self, options: RunOptions) -> Server:
        server = find_server(options)
        try:
            facts = run_apart(examine(server.url))
        except BaseException:
            server.stop()
            raise
        self._server, self._run = server, _Run(server.url, secrets.token_hex(4))
        return Server(
            address=self._run.address,
            description=f"PostgreSQL {facts.version}, {server.source}",
            version=facts.version,
        )

    def stop(self) -> None:
        """Drop what is left of the run, end the server where the run started it; idempotent.

        Raises BackendUnavailable where a URL's server no longer answers.
        """
        server, self._server = self._server, None
        run, self._run = self._run, None
        if server is None or run is None:
            return
        if server.owned:
            server.stop()
        else:
            run_apart(run.drop_leftovers())

    def calibrations(self) -> Mapping[str, Calibration]:
        return CALIBRATIONS

    async def create_store(self, contract: Contract, server: Server) -> PostgresStore:
        opener = self.opener(contract)
        run = _Run.read(server.address)
        url = await run.create_database(durable=server.durable)
        return PostgresStore(opener, url, run.url)

    def start_killable(self, options: RunOptions) -> KillableServer:
        if options.postgres_url:
            place = parse_url(options.postgres_url).place
            raise Unkillable(
                self.name,
                f"the one at {place} was given by its URL, so it is somebody's own",
                "Leave the URL out, so that storeproof starts one",
            )
        try:
            return KillablePostgres(find_server(options, durable=True))
        except BackendUnavailable as error:
            raise Unkillable(self.name, error.reason, error.remedy) from error
