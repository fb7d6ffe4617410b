"""For callers of migrations: the rows of a source that the target can't hold, one by one."""

import tempfile
import weakref
from collections.abc import Iterator

import msgspec

__all__ = ["Problem", "Problems"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A row that can't be moved: the `number`th (from 1) of a file or collection, `what`.

    `key` is what it is known by, where that can be read. `field` is "" where the row as a whole
    is wrong. Of a field that is wrong in several ways, and of the fields of a row that can't be
    read, the first is told.
    """

    what: str
    number: int
    key: tuple[str, ...] = ()
    field: str
    reason: str

    def __str__(self) -> str:
        key = f" ({', '.join(map(ascii, self.key))})" if self.key else ""
        field = f", {self.field}" if self.field else ""
        return f"{self.what} {self.number}{key}{field}: {self.reason}"


class Problems:
    """Problems in a temporary file: however many there are, none is held."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
        self._count = 0
        self._rows = 0
        self._last: tuple[str, int] | None = None
        weakref.finalize(self, self._file.close)

    def add(self, problem: Problem) -> None:
        """Adds one more."""
        self._file.seek(0, 2)
        self._file.write(msgspec.json.encode(problem) + b"\n")
        self._count += 1
        self._rows += self._last != (problem.what, problem.number)
        self._last = (problem.what, problem.number)

    @property
    def rows(self) -> int:
        """How many rows have any, those of a row having been added one after the other."""
        return self._rows

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Problem]:
        """All of them, in the order in which they were added."""
        self._file.seek(0)
        for line in self._file:
            yield msgspec.json.decode(line, type=Problem)
