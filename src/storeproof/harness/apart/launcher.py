"""The program of a launcher: imports a contract, then forks a client process for each job.

Nobody runs it by hand; `Apart` does.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle
from typing import TYPE_CHECKING

from storeproof.harness.apart.client import perform
from storeproof.harness.apart.jobs import LoadJob
from storeproof.harness.apart.loading import load
from storeproof.harness.apart.messages import pack, unpack
from storeproof.harness.apart.origins import Origin, find

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__: list[str] = []


def main() -> None:
    """Serve the process that holds the other end of the connection, until it lets go of it."""
    control = Connection(int(sys.argv[1]))
    origin: Origin = unpack(control.recv_bytes())
    try:
        contract: Contract = find(origin)
    except BaseException as problem:  # a test module may skip itself
        control.send_bytes(pack(f"{type(problem).__name__}: {problem}"))
        return
    control.send_bytes(pack(""))
    while True:
        try:
            _import(unpack(control.recv_bytes()))
            job = control.recv_bytes()
        except EOFError:
            os._exit(0)  # what is frozen would look like a leak to libraries
        gc.freeze()  # what clients never collect stays shared between them
        channel = Connection(recv_handle(control))
        _serve(contract, job, control, channel)


def _import(modules: Iterable[str]) -> None:
    """Import what the last client did, so that the next ones need not: a driver takes longest."""
    for name in modules:
        with suppress(Exception):  # modules raise what they like, and some have made-up names
            importlib.import_module(name)


def _serve(contract: Contract, job: bytes, control: Connection, channel: Connection) -> None:
    client = os.fork()
    if client == 0:
        control.close()
        _end_after(contract, job, channel)
    channel.close()
    control.send_bytes(pack(client))
    os.waitpid(client, 0)
    control.send_bytes(pack(client))


def _end_after(contract: Contract, job: bytes, channel: Connection) -> None:
    try:
        given = unpack(job)
        (load if isinstance(given, LoadJob) else perform)(contract, given, channel)
    finally:
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
