"""For tests of the commands that serve: one of them in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Served", "served"]

_CODE = "from storeproof.cli import main; main()"
_PATIENCE = 60
"""Seconds after which a process that does not end is a failed test."""


@dataclass
class Served:
    """A process that serves at `url`; `lines` is what it printed before that was known."""

    process: subprocess.Popen[str]
    url: str = ""
    lines: list[str] = field(default_factory=list)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Sends a signal; the exit code, and what stands on stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=_PATIENCE)
        return self.process.returncode, errors


@contextmanager
def served(
    *arguments: str, environ: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[Served]:
    """Runs `storeproof` with these arguments until it says where it serves, then the block."""
    inherited = {name: text for name, text in os.environ.items() if name[:10] != "STOREPROOF"}
    process = subprocess.Popen(  # noqa: S603 - the arguments are the test's own
        [sys.executable, "-c", _CODE, *arguments, f"--port={port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, **(environ or {})},
    )
    try:
        yield _wait_for_url(process)
    finally:
        process.kill()
        process.communicate(timeout=_PATIENCE)


def _wait_for_url(process: subprocess.Popen[str]) -> Served:
    made = Served(process)
    assert process.stdout is not None
    for line in process.stdout:
        made.lines.append(line.rstrip())
        found = re.search(r"https?://\S+", line)
        if found:
            made.url = found[0]
            return made
    raise AssertionError(process.communicate(timeout=_PATIENCE)[1])
