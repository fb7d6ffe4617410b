"""`Moves.of_snapshots` derives here how content is written to a folder, read, and compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storeproof.harness.compare import difference
from storeproof.harness.encoding import decode, encode
from storeproof.harness.moving.moves import Content, NotTheSame, awaited

__all__ = ["Snapshots"]


class Snapshots:
    """A folder with a file of JSON lines for each collection, named after it."""

    def __init__(self, take: Callable[[Any], Any], put: Callable[[Any, Content], Any]) -> None:
        self._take, self._put = take, put

    async def export(self, storage: Any, path: Path) -> None:
        content: Content = await awaited(self._take(storage))
        _write(path, content)

    async def load(self, path: Path, storage: Any) -> None:
        await awaited(self._put(storage, _read(path)))

    async def verify(self, path: Path, storage: Any) -> None:
        expected = _read(path)
        actual: Content = await awaited(self._take(storage))
        for name in expected.keys() | actual.keys():
            rows = list(expected.get(name, ())), list(actual.get(name, ()))
            found = difference(*rows, unordered=True)
            if found is not None or len(rows[0]) != len(rows[1]):
                raise NotTheSame(name, found.reason if found else "the numbers of rows differ")


def _write(path: Path, content: Content) -> None:
    path.mkdir()
    for name, rows in content.items():
        text = "".join(f"{json.dumps(encode(row))}\n" for row in rows)
        (path / f"{name}.ndjson").write_text(text, "utf-8")


def _read(path: Path) -> Content:
    """Raises NotTheSame for a line that no export wrote."""
    return {file.stem: [_row(file, line) for line in _lines(file)] for file in path.iterdir()}


def _lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


def _row(file: Path, line: str) -> Any:
    try:
        return decode(json.loads(line))
    except ValueError as problem:
        raise NotTheSame(file.stem, f"a row can't be read ({problem})") from problem
