"""Authors of a backend whose server is one program subclass `ProgramBackend`."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from storeproof.harness.backends.base import Backend, KillableServer, RunOptions, Server
from storeproof.harness.backends.ending import end_watcher, free_ports, kill_all, last_line, watch
from storeproof.harness.exceptions import BackendUnavailable, Unkillable

__all__ = ["ProgramBackend", "ProgramServer"]

HOST: Final = "127.0.0.1"
START_SECONDS: Final = 30
STOP_SECONDS: Final = 10


class ProgramBackend(Backend):
    """Stores on a server that the run starts, with a port and an empty folder of its own.

    A subclass says with what command, and makes the stores. The server ends with the run, also
    where that is killed. The check `kill` has another one, which is `durable`.
    """

    remedy = "Install it, or leave this backend out of --storage"
    """What to do where the program is not there."""
    _running: ProgramServer | None = None

    @abstractmethod
    def command(self, port: int, folder: Path, *, durable: bool) -> Sequence[str | Path]:
        """Give the program, and what it is started with, to listen on this port of 127.0.0.1.

        Its data belongs into the folder, which is empty at first and may be made ready here; it is
        started there a second time after it was killed. What can't be run may raise OSError.
        durable: whether what it acknowledges has to outlive its process.
        """

    @abstractmethod
    def address(self, port: int) -> str:
        """Give the address of the server, which `create_store` finds in `Server.address`."""

    def version(self, address: str) -> str:
        """Give the server's version, for the header and the report; empty: unknown."""
        return ""

    def answers(self, address: str, port: int) -> bool:
        """Whether the server does what it is asked; by default, whether it takes connections."""
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return True
        return False

    def start(self, options: RunOptions) -> Server:
        self._running = ProgramServer(self, options.directory)
        return self._running.server

    def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def start_killable(self, options: RunOptions) -> KillableServer:
        try:
            return ProgramServer(self, options.directory, durable=True)
        except BackendUnavailable as error:
            raise Unkillable(self.name, error.reason, error.remedy) from error


class ProgramServer(KillableServer):
    """A running server of a `ProgramBackend`; it ends at `stop` or when this process dies.

    Raises BackendUnavailable, with the program's own last words, where it does not start.
    """

    def __init__(self, backend: ProgramBackend, parent: Path, *, durable: bool = False) -> None:
        self._backend, self._durable = backend, durable
        self.folder = Path(tempfile.mkdtemp(prefix=f"{backend.name}-", dir=parent))
        (self.folder / "data").mkdir()
        try:
            self._start_on_a_free_port()
            address = backend.address(self.port)
            version = backend.version(address)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.server = Server(
            address=address,
            description=f"{backend.name} {version}".strip(),
            version=version,
            durable=durable,
        )

    def kill(self) -> None:
        kill_all(self.process)

    def restart(self) -> None:
        end_watcher(self._watcher)
        self._launch()
        if not self._is_ready():
            self._give_up("did not start again")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            kill_all(self.process)
        end_watcher(self._watcher)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_on_a_free_port(self) -> None:
        for self.port in free_ports():
            self._launch()
            if self._is_ready():
                return
            self._end()
        self._give_up("did not start")

    def _launch(self) -> None:
        try:
            self.process = self._run(self.folder / "data")
        except (OSError, subprocess.SubprocessError) as error:
            raise BackendUnavailable(
                self._backend.name, f"its server can't be run ({error})", self._backend.remedy
            ) from error
        self._watcher = watch(self.process, self.folder)

    def _run(self, folder: Path) -> subprocess.Popen[bytes]:
        command = self._backend.command(self.port, folder, durable=self._durable)
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - the backend's author says what runs
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _is_ready(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        address = self._backend.address(self.port)
        while self.process.poll() is None and time.monotonic() < deadline:
            if self._backend.answers(address, self.port):
                return True
            time.sleep(0.02)  # no server tells when it is ready but by answering
        return False

    def _end(self) -> None:
        kill_all(self.process)
        end_watcher(self._watcher)

    def _give_up(self, what: str) -> None:
        self._end()
        said = last_line((self.folder / "log").read_text(errors="replace"))
        raise BackendUnavailable(
            self._backend.name, f"its server {what} ({said})", self._backend.remedy
        )
