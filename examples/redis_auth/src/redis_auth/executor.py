"""For both storages: calls of one Lua library, each of them one atomic round trip."""

import asyncio
import hashlib
from importlib.resources import files
from typing import Any

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as ConnectionLost,
)

from redis_auth.connections import Connections
from redis_auth.refusals import raise_refusal
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

__all__ = ["Executor", "Library"]

LOST = (RedisError, OSError)
REFUSED = (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
)
"""What the server answers before a script has written anything."""
CODES = ("MISCONF", "BUSY", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN")


class Library:
    """A component's operations in Lua: `common.lua`, its own files, and `run.lua`."""

    def __init__(self, component: str, *more: str) -> None:
        package = files("redis_auth")
        own = [package / component / f"{name}.lua" for name in (component, *more)]
        parts = [package / "common.lua", *own, package / "run.lua"]
        self.text = "\n".join(part.read_text("utf-8") for part in parts)
        self.digest = self.digest_of(self.text)

    @staticmethod
    def digest_of(text: str) -> str:
        """What a server knows a script by."""
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Executor:
    """Has a server run a library's operations on the keys that begin with `prefix`."""

    def __init__(self, connections: Connections, library: Library, prefix: str) -> None:
        self._connections = connections
        self._library = library
        self._prefix = f"{{{prefix}}}:"

    async def write(self, operation: str, *arguments: Any) -> list[Any]:
        """Runs an operation; what it answers.

        Raises what it refuses with, Unavailable where nothing happened, OutcomeUnknown where
        no answer came to what was sent.
        """
        try:
            return await self._run("", operation, arguments)
        except LOST as error:
            if _is_refused(error):
                raise Unavailable("the server refused the call") from error
            raise OutcomeUnknown("no answer came from the server") from error

    async def read(self, operation: str, *arguments: Any) -> list[Any]:
        """Runs an operation that the server lets write nothing; what it answers.

        It is made once more where its connection broke. Raises what it refuses with, and
        Unavailable.
        """
        try:
            try:
                return await self._run("_RO", operation, arguments)
            except ConnectionLost:
                return await self._run("_RO", operation, arguments)
        except LOST as error:
            raise Unavailable("no answer came from the server") from error

    async def _run(self, kind: str, operation: str, arguments: tuple[Any, ...]) -> list[Any]:
        rest = (1, self._prefix, operation, *arguments)
        wait = asyncio.timeout(self._connections.timeout)
        async with self._connections.one() as connection, wait:
            try:
                answer = await _ask(connection, f"EVALSHA{kind}", self._library.digest, *rest)
            except NoScriptError:
                answer = await _ask(connection, f"EVAL{kind}", self._library.text, *rest)
        if answer[0] != b"ok":
            raise_refusal(*(part.decode() for part in answer))
        found: list[Any] = answer[1:]
        return found


async def _ask(connection: Any, *command: Any) -> Any:
    await connection.send_command(*command, check_health=False)
    return await connection.read_response()


def _is_refused(error: Exception) -> bool:
    code = str(error).partition(" ")[0]
    return isinstance(error, REFUSED) or (isinstance(error, ResponseError) and code in CODES)
