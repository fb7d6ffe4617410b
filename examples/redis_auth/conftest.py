"""Registers the backend `redis`: a database of its own for each store, on a server of the run's."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as NotYet
from redis_auth import open_auth_storage, open_provider_storage

from storeproof import Capability, Contract, NetworkedStore, ProgramBackend, Resp, Server
from storeproof.reference.auth import AuthStorage
from storeproof.reference.providers import ProviderStorage


class RedisStore(NetworkedStore):
    """A database of a server; its address is a URL with the database's number."""

    framing = Resp
    clients_stay_open = True

    async def empty(self) -> None:
        with Redis.from_url(self.address) as redis:
            redis.flushdb()

    async def remove(self) -> None:
        await self.empty()


class RedisBackend(ProgramBackend):
    """Debian's package redis-server, or whatever `redis-server` is on PATH."""

    name = "redis"
    remedy = "Install it: apt-get install redis-server"
    capabilities = frozenset(Capability)
    openers: Mapping[type, Callable[..., Any]] = {
        AuthStorage: open_auth_storage,
        ProviderStorage: open_provider_storage,
    }

    def command(self, port: int, folder: Path, *, durable: bool) -> Sequence[str | Path]:
        log = ["--appendonly", "yes", "--appendfsync", "always"] if durable else []
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--databases", "1024"]
        return ["redis-server", *options, *log]

    def address(self, port: int) -> str:
        return f"redis://127.0.0.1:{port}"

    def answers(self, address: str, port: int) -> bool:
        try:
            with Redis.from_url(address) as redis:
                return bool(redis.ping())
        except NotYet:
            return False

    def version(self, address: str) -> str:
        with Redis.from_url(address) as redis:
            return str(redis.info("server")["redis_version"])

    async def create_store(self, contract: Contract, server: Server) -> RedisStore:
        with Redis.from_url(server.address) as redis:
            number = redis.incr("stores")  # in database 0, which is nobody's
        return RedisStore(self.opener(contract), f"{server.address}/{number}")


def pytest_storeproof_backends() -> list[Any]:
    return [RedisBackend()]
