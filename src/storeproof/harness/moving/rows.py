"""The check of planted faults reads and writes the rows of archives through a `Rows`."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

__all__ = ["JsonLines", "Rows"]


class Rows(Protocol):
    """The rows of archives of one form; a row is JSON data."""

    def read(self, path: Path) -> Mapping[str, list[Any]]:
        """Give the rows of an archive, by collection; none where it is of another form."""
        ...

    def write(self, path: Path, rows: Mapping[str, list[Any]]) -> None:
        """Put other rows in the place of those that `read` gave."""
        ...


class JsonLines:
    """A row is a line of a file that is called `….ndjson` or `….jsonl`, or of a lone file so named.

    Lines are written in the way in which the file's first one was.
    """

    SUFFIXES: Final = (".ndjson", ".jsonl")

    def read(self, path: Path) -> Mapping[str, list[Any]]:
        return {
            str(file.relative_to(path)): [json.loads(line) for line in _lines(file)]
            for file in self._files(path)
        }

    def write(self, path: Path, rows: Mapping[str, list[Any]]) -> None:
        for name, changed in rows.items():
            file = path / name
            dump = _style(_lines(file))
            file.write_text("".join(f"{dump(row)}\n" for row in changed), "utf-8")

    def _files(self, path: Path) -> list[Path]:
        found = [path] if path.is_file() else sorted(path.rglob("*"))
        return [each for each in found if each.suffix in self.SUFFIXES and each.is_file()]


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text("utf-8").split("\n") if line]


_STYLES: Final[tuple[Callable[[Any], str], ...]] = tuple(
    functools.partial(json.dumps, separators=separators, ensure_ascii=ascii_only)
    for separators in ((",", ":"), (", ", ": "))
    for ascii_only in (False, True)
)


def _style(lines: list[str]) -> Callable[[Any], str]:
    """Give what writes these lines as they are, if anything does."""
    for dump in _STYLES:
        if all(dump(json.loads(line)) == line for line in lines):
            return dump
    return _STYLES[0]
