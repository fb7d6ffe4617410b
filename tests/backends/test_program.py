"""A backend whose server is a program: started, killed, started again; nothing of it is left."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from storeproof.harness.backends.base import RunOptions, Server, Store
from storeproof.harness.backends.networked import NetworkedStore
from storeproof.harness.backends.program import ProgramBackend, ProgramServer
from storeproof.harness.exceptions import BackendUnavailable, HarnessError, Unkillable

from . import lines
from .examples import notes_contract, run

WAIT_SECONDS = 30
PROGRAM = str(Path(lines.__file__))


class LineStorage:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def put(self, text: str) -> int:
        self.writer.write(text.encode() + b"\n")
        return int(await self.reader.readline())


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[LineStorage]:
    host, _, port = address.removeprefix("lines://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    yield LineStorage(reader, writer)
    writer.close()


class LineStore(NetworkedStore):
    async def empty(self) -> None:
        return

    async def remove(self) -> None:
        return


class LinesBackend(ProgramBackend):
    name = "lines"
    program = sys.executable
    first = ""

    def command(self, port: int, folder: Path, *, durable: bool) -> Sequence[str | Path]:
        return [self.program, PROGRAM, self.first or str(port)]

    def address(self, port: int) -> str:
        return f"lines://127.0.0.1:{port}"

    def version(self, address: str) -> str:
        return "1.0"

    async def create_store(self, contract: Any, server: Server) -> Store:
        return LineStore(opened, server.address)


class Refusing(LinesBackend):
    first = "refuse"


class Missing(LinesBackend):
    program = "no-such-program"
    remedy = "Install lines"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ProgramServer]:
    server = ProgramServer(LinesBackend(), tmp_path)
    yield server
    server.stop()


async def put(address: str, text: str) -> int:
    async with opened(address) as storage:
        return await storage.put(text)


def is_alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    return False


def test_a_run_has_its_server_until_its_end(tmp_path: Path) -> None:
    backend = LinesBackend()
    server = backend.start(RunOptions(directory=tmp_path))

    assert (server.description, server.version, server.durable) == ("lines 1.0", "1.0", False)
    assert run(put(server.address, "a")) == 1
    backend.stop()
    backend.stop()

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match=r"."):
        run(put(server.address, "b"))


def test_a_killed_server_is_back_on_its_port_and_data(server: ProgramServer) -> None:
    assert run(put(server.server.address, "a")) == 1

    server.kill()
    assert not is_alive(server.process.pid)
    with pytest.raises(OSError, match=r"."):
        run(put(server.server.address, "b"))
    server.restart()

    assert run(put(server.server.address, "c")) == 2


def test_the_server_of_the_check_of_kills_is_durable(tmp_path: Path) -> None:
    server = LinesBackend().start_killable(RunOptions(directory=tmp_path))
    server.stop()

    assert server.server.durable


@pytest.mark.parametrize(
    ("backend", "told"),
    [
        (Refusing(), r"its server did not start \(not today\)"),
        (Missing(), r"its server can't be run \(.*no-such-program.*\)\. Install lines"),
    ],
)
def test_what_does_not_start_says_why(backend: ProgramBackend, told: str, tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable, match=told):
        backend.start(RunOptions(directory=tmp_path))
    with pytest.raises(Unkillable):
        backend.start_killable(RunOptions(directory=tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_what_does_not_start_again_says_why(server: ProgramServer) -> None:
    server.kill()
    server._backend.first = "refuse"

    with pytest.raises(BackendUnavailable, match="did not start again"):
        server.restart()


RUN = """
import signal, sys, time
from pathlib import Path
from backends.test_program import LinesBackend, ProgramServer
signal.signal(signal.SIGQUIT, signal.Handlers[sys.argv[2]])
server = ProgramServer(LinesBackend(), Path(sys.argv[1]))
print(server.process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("quit_signal", ["SIG_DFL", "SIG_IGN"])
def test_nothing_is_left_of_a_killed_run(quit_signal: str, tmp_path: Path) -> None:
    """What a shell runs in the background ignores SIGQUIT, and hands that on."""
    with subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", RUN, str(tmp_path), quit_signal],
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as killed:
        assert killed.stdout is not None
        pid = int(killed.stdout.readline())
        killed.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + WAIT_SECONDS
    while is_alive(pid) or list(tmp_path.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_round_trips_of_a_networked_store_are_counted(server: ProgramServer) -> None:
    async def use() -> list[int]:
        store = await LinesBackend().create_store(notes_contract(), server.server)
        counted = store.counted()
        assert counted is not None
        async with counted as counter:
            storage = await store.second()
            for number in range(3):
                await storage.put(str(number))
            found = [counter.total, counter.units()["round trip"]]
        await store.close()
        return found

    assert run(use()) == [3, 3]


def test_a_networked_store_needs_a_host_and_a_port() -> None:
    with pytest.raises(HarnessError, match="no host and port"):
        LineStore(opened, "lines://somewhere")
    assert LineStore(opened, "lines", ("127.0.0.1", 1)).endpoint == ("127.0.0.1", 1)
