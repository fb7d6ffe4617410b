"""Backends that start processes end them by this module, and have them end with the run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["end_watcher", "free_ports", "kill_all", "last_line", "watch"]

PORTS_TRIED: Final = 3

# Ends the server and removes its directory once nobody holds the other end of the pipe.
WATCHER: Final = """
read -r _
kill -QUIT "$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" || break; sleep 0.5; done
kill -KILL "$1"
rm -rf "$2"
"""


def watch(process: subprocess.Popen[bytes], directory: Path) -> subprocess.Popen[bytes]:
    """Have a server end (SIGQUIT, else SIGKILL), and its directory go, when this process does."""
    return subprocess.Popen(  # noqa: S603 - a fixed script, its values are arguments
        ["/bin/sh", "-c", WATCHER, "sh", str(process.pid), str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def end_watcher(watcher: subprocess.Popen[bytes]) -> None:
    """End what `watch` gave, before its server is ended or started again."""
    watcher.kill()
    watcher.wait()
    if watcher.stdin:
        watcher.stdin.close()


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children at once, as nothing but a crash does; ended, it stays so."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGSTOP)  # so that it has no more children
    for each in (process.pid, *_children(process.pid)):
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    process.wait()


def _children(process: int) -> list[int]:
    """Give a process's children; none where the system does not say."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(each) for each in listed.read_text().split()] if listed.exists() else []


def free_ports() -> Iterator[int]:
    """Give ports of the loopback address that nobody uses at present, one after the other."""
    for _ in range(PORTS_TRIED):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        yield port


def last_line(text: str) -> str:
    """Give the last thing that a program said."""
    return (text.strip().splitlines() or ["it said nothing"])[-1]
