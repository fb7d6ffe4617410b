"""The plugin starts the backends' servers here, once a run, and tells its workers of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from storeproof.harness.backends.base import Backend, RunOptions, Server
from storeproof.harness.exceptions import HarnessError

__all__ = ["Servers"]

_FILE = "servers.json"


class _Found(msgspec.Struct):
    servers: dict[str, Server] = {}
    problems: dict[str, str] = {}


class Servers:
    """The servers of a run by their backend's name, and why there is none where there is none.

    A controller starts them and publishes them in the run's directory; its workers only read.
    """

    def __init__(self, backends: Mapping[str, Backend], options: RunOptions) -> None:
        self._backends, self.options = backends, options
        self._found = _Found()
        self._started: list[Backend] = []

    def start(self, names: Iterable[str]) -> None:
        """Start those that are not running yet, and publish them."""
        for name in names:
            if name not in self._found.servers and name not in self._found.problems:
                self._start(name)
        temporary = self.options.directory / f"{_FILE}.new"
        temporary.touch(mode=0o600)  # an address may hold a password
        temporary.write_bytes(msgspec.json.encode(self._found))
        temporary.replace(self.options.directory / _FILE)

    def read(self) -> None:
        """Learn, in a worker, what the controller published."""
        self._found = msgspec.json.decode(_published(self.options.directory), type=_Found)

    def stop(self) -> list[str]:
        """Stop what was started here; gives a sentence on each that can't be stopped."""
        sentences: list[str] = []
        while self._started:
            backend = self._started.pop()
            try:
                backend.stop()
            except Exception as error:
                sentences.append(f"{backend.name} could not be stopped: {error!r}")
        return sentences

    def of(self, name: str) -> Server:
        """Give a backend's server, starting it where the run did not.

        Raises HarnessError, with the problem's sentence, where it can't be had.
        """
        if name not in self._found.servers and name not in self._found.problems:
            self._start(name)
        if self.problem(name):
            raise HarnessError(self.problem(name))
        return self._found.servers[name]

    def problem(self, name: str) -> str:
        """Why a backend's server can't be had, in a sentence with a remedy; empty if it can."""
        return self._found.problems.get(name, "")

    def lost(self, name: str, sentence: str) -> None:
        """Note that a server that was had is no longer."""
        self._found.problems[name] = sentence

    def told(self, name: str) -> Server:
        """Give what is known of a backend's server without starting it."""
        return self._found.servers.get(name, Server())

    def _start(self, name: str) -> None:
        backend = self._backends[name]
        self._started.append(backend)
        try:
            self._found.servers[name] = backend.start(self.options)
        except HarnessError as error:
            self._found.problems[name] = str(error)
        except Exception as error:
            self._found.problems[name] = f"{name} could not be started: {error!r}"


def _published(directory: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return (directory / _FILE).read_bytes()
    return b"{}"
