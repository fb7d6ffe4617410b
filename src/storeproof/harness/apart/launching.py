"""Checks start client processes here, through a launcher for each contract."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import send_handle
from typing import TYPE_CHECKING, Any

from storeproof.harness.apart.jobs import Ended, Imported, Invoked, Job, LoadJob, Returned, Told
from storeproof.harness.apart.messages import pack, unpack
from storeproof.harness.apart.origins import Origin, origin_of
from storeproof.harness.exceptions import Inconclusive

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Apart"]

_SECONDS = 60.0
"""After which a process that tells nothing is ended; a call has less."""
_ENDING_SECONDS = 5.0
_IMPORTABLE = "Make the classes of results and errors importable by their names"


class Apart:
    """The launchers of a process; each starts when its contract is needed first."""

    def __init__(self) -> None:
        self._launchers: dict[int, _Launcher] = {}

    def do(self, contract: Contract, job: Job | LoadJob) -> Told:
        """Have a new process do a job; returns when it is no more.

        Raises Inconclusive where it can't import the contract, or can't pass on what calls gave.
        """
        if id(contract) not in self._launchers:
            self._launchers[id(contract)] = _Launcher(contract, origin_of(contract))
        try:
            told = self._launchers[id(contract)].do(job)
        except BaseException:
            self._launchers.pop(id(contract)).close()  # it may be in the middle of something
            raise
        if told.end is None and not job.dies:
            return replace(told, end=Ended(problem="the process ended", by_storage=True))
        if told.end is not None and told.end.problem and not told.end.by_storage:
            raise Inconclusive("another process", told.end.problem, _IMPORTABLE)
        return told

    def close(self) -> None:
        """End every launcher."""
        while self._launchers:
            self._launchers.popitem()[1].close()


class _Launcher:
    def __init__(self, contract: Contract, origin: Origin) -> None:
        self._contract = contract  # so that its id stays its own
        self._imported: tuple[str, ...] = ()
        """What the last client imported; the next ones find it there."""
        self._control, theirs = Pipe()
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our own module
            [sys.executable, "-m", "storeproof.harness.apart.launcher", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        try:
            self._greet(origin)
        except BaseException:
            self.close()
            raise

    def _greet(self, origin: Origin) -> None:
        self._control.send_bytes(pack(origin))
        problem = self._answer()
        if problem != "":
            where = origin.file or origin.module
            reason = f"another process can't import {where} ({problem or 'it ended'})"
            remedy = "Let the module be imported outside of pytest too"
            raise Inconclusive("another process", reason, remedy)

    def do(self, job: Job | LoadJob) -> Told:
        packed = _packed(job)
        ours, theirs = Pipe()
        with ours:
            with theirs:
                self._control.send_bytes(pack(self._imported))
                self._control.send_bytes(packed)
                send_handle(self._control, theirs.fileno(), self._process.pid)
            client = self._answer()
            told = _listen(ours, self._control, client)
        self._answer()
        self._imported = told.imported
        return told

    def close(self) -> None:
        self._control.close()
        try:
            self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> object:
        try:
            return unpack(self._control.recv_bytes())
        except (EOFError, ConnectionResetError):
            return None


def _packed(job: Job | LoadJob) -> bytes:
    try:
        return pack(job)
    except Exception as problem:  # classes raise what they like where they can't be pickled
        reason = f"what calls take can't be passed to another process ({problem})"
        raise Inconclusive("another process", reason, _IMPORTABLE) from problem


def _listen(channel: Connection, control: Connection, client: object) -> Told:
    """Read until the client process is no more; end it where it tells nothing for long.

    control: where the launcher says that it is no more.

    Raises Inconclusive where what it tells can't be read.
    """
    events: list[Invoked | Returned] = []
    imported: tuple[str, ...] = ()
    end: Ended | None = None
    while True:
        ready = wait([channel, control], _SECONDS)
        if not ready:
            _kill(client)
            problem = f"the process told nothing for {_SECONDS:g} seconds"
            return Told(tuple(events), Ended(problem=problem, by_storage=True), imported)
        message = _received(channel) if channel in ready else None
        if message is None:
            return Told(tuple(events), end, imported)
        if isinstance(message, Ended):
            end = message
        elif isinstance(message, Imported):
            imported = message.modules
        else:
            events.append(message)


def _received(channel: Connection) -> Any:
    """Give what was told; None where nobody tells anything any more."""
    try:
        data = channel.recv_bytes()
    except (EOFError, ConnectionResetError):
        return None
    try:
        return unpack(data)
    except Exception as problem:  # classes raise what they like
        reason = f"what a call gave can't be read by another process ({problem!r})"
        raise Inconclusive("another process", reason, _IMPORTABLE) from problem


def _kill(client: object) -> None:
    if isinstance(client, int):
        os.kill(client, signal.SIGKILL)
