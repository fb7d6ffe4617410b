"""For migrations: the values of a file of JSON, one after the other, however long it is."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn, TextIO

import msgspec

__all__ = ["CHUNK", "LONGEST", "values_in"]

CHUNK: Final = 2**16
LONGEST: Final = 2**20
"""Characters of one value, at most."""
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def values_in(file: TextIO) -> Iterator[Any]:
    """The members of an array, or values that white space divides.

    What is held at once is less than LONGEST and CHUNK characters. Raises DecodeError for what
    is not JSON, and UnicodeDecodeError.
    """
    rest = _Rest(file)
    if not rest.take("["):
        while rest.next():
            yield rest.value()
        return
    if not rest.take("]"):
        yield rest.value()
        while not rest.take("]"):
            if not rest.take(","):
                raise msgspec.DecodeError("a comma or the end of the array is missing")
            yield rest.value()
    if rest.next():
        raise msgspec.DecodeError("there is more behind the array")


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("no number")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)


class _Rest:
    """What has not been given yet."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._place = 0

    def next(self) -> str:
        """The next character that is no white space; none at the end."""
        while True:
            space = _SPACE.match(self._text, self._place)
            self._place = self._place if space is None else space.end()
            if self._place < len(self._text) or not self._read():
                return self._text[self._place : self._place + 1]

    def take(self, character: str) -> bool:
        """Goes behind this character, if it is the next one."""
        found = self.next() == character
        self._place += found
        return found

    def value(self) -> Any:
        """Goes behind the next value, and gives it."""
        self.next()
        while True:
            value, end = self._decoded()
            if (end is not None and self._ends_at(end)) or not self._read():
                break
        if end is None:
            raise msgspec.DecodeError("is not JSON, or longer than a value may be")
        self._place = end
        return value

    def _ends_at(self, place: int) -> bool:
        """Whether a value that seems to end here does: a number may go on in what follows."""
        return self._text[place : place + 1] not in ("", ".", "e", "E", "+", "-")

    def _decoded(self) -> tuple[Any, int | None]:
        """A value and its end, which is None where the text has no whole one."""
        try:
            return _DECODER.raw_decode(self._text, self._place)
        except (ValueError, RecursionError):
            return None, None

    def _read(self) -> bool:
        if len(self._text) - self._place >= LONGEST:
            return False
        more = self._file.read(CHUNK)
        self._text, self._place = self._text[self._place :] + more, 0
        return bool(more)
