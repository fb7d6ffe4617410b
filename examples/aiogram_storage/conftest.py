"""Registers the backend `redis`: a database of its own for each store, on a server of the run's."""

from collections.abc import Sequence
from pathlib import Path

from redis import Redis

from storeproof import Capability, Contract, NetworkedStore, ProgramBackend, Resp, Server

OPTIONS = [
    "--bind",
    "127.0.0.1",
    "--databases",
    "1024",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
]


class RedisStore(NetworkedStore):
    framing = Resp

    async def empty(self) -> None:
        with Redis.from_url(self.address) as redis:
            redis.flushdb()

    remove = empty


class RedisBackend(ProgramBackend):
    name = "redis"
    capabilities = frozenset(Capability)

    def command(self, port: int, folder: Path, *, durable: bool) -> Sequence[str | Path]:
        return ["redis-server", *OPTIONS, "--port", str(port)]

    def address(self, port: int) -> str:
        return f"redis://127.0.0.1:{port}"

    async def create_store(self, contract: Contract, server: Server) -> RedisStore:
        with Redis.from_url(server.address) as redis:
            return RedisStore(self.opener(contract), f"{server.address}/{redis.incr('stores')}")


def pytest_storeproof_backends() -> list[RedisBackend]:
    return [RedisBackend()]
