"""Numbers in a real Redis, through redis-py: a correct storage, and some that lose it badly.

Every storage here is right as long as the connection holds.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NewType, Protocol

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import TimeoutError as TooLate

from storeproof import Contract
from storeproof.harness.backends.networked import NetworkedStore
from storeproof.harness.wire import Resp

SERVER = shutil.which("redis-server")
LOST = (ConnectionLost, TooLate)
Name = NewType("Name", str)


class NumberError(Exception):
    """Root of the errors of numbers."""


class Missing(NumberError):
    """There is no such number."""


class Unavailable(NumberError):
    """The server can't be reached; nothing happened."""


class OutcomeUnknown(NumberError):
    """The answer was lost."""


class Numbers(Protocol):
    """Numbers by name."""

    async def add(self, name: Name, amount: int) -> int:
        """Add to a number, which is 0 before; give the sum."""
        ...

    async def get(self, name: Name) -> int:
        """Give a number. Raises Missing."""
        ...

    async def move(self, source: Name, target: Name) -> None:
        """Add one number to another one, and remove it. Raises Missing."""
        ...


class InMemoryNumbers:
    """The model."""

    def __init__(self) -> None:
        self.numbers: dict[Name, int] = {}

    async def add(self, name: Name, amount: int) -> int:
        self.numbers[name] = self.numbers.get(name, 0) + amount
        return self.numbers[name]

    async def get(self, name: Name) -> int:
        if name not in self.numbers:
            raise Missing
        return self.numbers[name]

    async def move(self, source: Name, target: Name) -> None:
        amount = await self.get(source)
        del self.numbers[source]
        await self.add(target, amount)


numbers = Contract(
    Numbers,
    model=InMemoryNumbers,
    errors=[NumberError],
    uncertain=[OutcomeUnknown],
    unavailable=[Unavailable],
    ends_within=5.0,
    arguments={Name: ["a", "b"], "amount": [1, 2, 3]},
    name="numbers",
)

MOVE = """
local amount = redis.call('GETDEL', KEYS[1])
if not amount then return 0 end
redis.call('INCRBY', KEYS[2], amount)
return 1
"""


class RedisNumbers:
    """Correct: one command, or one script, for each operation, and none is made again."""

    attempts = 0

    def __init__(self, address: str, *, timeout: float = 5.0) -> None:
        self.redis: Any = Redis.from_url(
            address,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), self.attempts),
        )

    async def write(self, *command: Any) -> Any:
        try:
            return await self.redis.execute_command(*command)
        except LOST as error:
            raise OutcomeUnknown from error

    async def add(self, name: Name, amount: int) -> int:
        return int(await self.write("INCRBY", name, amount))

    async def get(self, name: Name) -> int:
        try:
            found = await self.redis.get(name)
        except LOST as error:
            raise Unavailable from error
        if found is None:
            raise Missing
        return int(found)

    async def move(self, source: Name, target: Name) -> None:
        if not await self.write("EVAL", MOVE, 2, source, target):
            raise Missing


class MakesItAgain(RedisNumbers):
    """What is lost is made again, as redis-py does unless it is told not to."""

    attempts = 3


class MovesByHalves(RedisNumbers):
    """Two commands for one effect."""

    async def move(self, source: Name, target: Name) -> None:
        amount = await self.write("GETDEL", source)
        if amount is None:
            raise Missing
        await self.write("INCRBY", target, int(amount))


class LeaksTheDriversError(RedisNumbers):
    """What redis-py raises comes out of what reads."""

    async def get(self, name: Name) -> int:
        found = await self.redis.get(name)
        if found is None:
            raise Missing
        return int(found)


def opener(make: Callable[..., Any]) -> Callable[..., AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def opened(address: str, *, timeout: float = 5.0) -> AsyncIterator[Any]:
        storage = make(address, timeout=timeout)
        try:
            yield storage
        finally:
            await storage.redis.aclose()

    return opened


class RedisStore(NetworkedStore):
    """The first database of a server, all of which is removed."""

    framing = Resp

    def __init__(self, make: Callable[..., Any], endpoint: tuple[str, int]) -> None:
        super().__init__(opener(make), "redis://{}:{}/0".format(*endpoint))

    async def empty(self) -> None:
        async with Redis.from_url(self.address) as redis:
            await redis.flushdb()

    async def remove(self) -> None:
        await self.empty()


@contextmanager
def running_server(folder: Path) -> Iterator[tuple[str, int]]:
    """A server of the test's own, which keeps nothing; gives its host and port."""
    assert SERVER is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        host, port = free.getsockname()
    options = {"--bind": host, "--port": str(port), "--save": "", "--dir": str(folder)}
    command = [SERVER, *(each for option in options.items() for each in option)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - found on PATH
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "Ready to accept connections" in line:
                    break
            yield host, port
        finally:
            process.terminate()
