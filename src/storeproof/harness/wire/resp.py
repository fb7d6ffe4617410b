"""For backends whose server speaks RESP, version 2 or 3: Redis, Valkey and their kin."""

from __future__ import annotations

from typing import Final

from storeproof.harness.wire.framing import Framing, Message, Side

__all__ = ["Resp"]

_KINDS: Final = {
    "!": "bulk error",
    "#": "boolean",
    "$": "bulk string",
    "%": "map",
    "(": "big number",
    "*": "array",
    "+": "simple string",
    ",": "double",
    "-": "error",
    ":": "integer",
    "=": "verbatim string",
    ">": "push",
    "_": "null",
    "|": "attribute",
    "~": "set",
}
_END: Final = b"\r\n"


class Resp(Framing):
    """A command, or a whole reply with all that is within it, is a message.

    A round trip begins with a command that is sent when every earlier one has its reply. Pushed
    messages are no replies. What can't be read as RESP is passed on as it arrives.
    """

    def __init__(self) -> None:
        super().__init__()
        self._owed = 0

    def length(self, side: Side, data: bytes) -> int:
        if side is Side.CLIENT and data[:1] != b"*":
            return data.find(b"\n") + 1
        try:
            return _value_end(data)
        except ValueError:
            return len(data)

    def message(self, side: Side, data: bytes) -> Message:
        if side is Side.CLIENT:
            self._owed += 1
            return Message(data, _command(data), begins_trip=self._owed == 1)
        if data[:1] != b">":
            self._owed = max(0, self._owed - 1)
        return Message(data, _KINDS.get(chr(data[0]), f"{len(data)} bytes"))


def _value_end(data: bytes) -> int:
    """Give where the first value ends, 0 where it does not yet; ValueError where it is no RESP."""
    end, missing = 0, 1
    while missing:
        line = data.find(_END, end)
        if line < 0:
            return 0
        kind, text = chr(data[end]), data[end + 1 : line]
        end, missing = line + len(_END), missing - 1
        if kind in "$!=":
            end += int(text) + len(_END) if int(text) >= 0 else 0
        elif kind in "*~>":
            missing += max(0, int(text))
        elif kind in "%|":
            missing += 2 * int(text) + (kind == "|")
        elif kind not in _KINDS:
            raise ValueError(kind)
    return end if end <= len(data) else 0


def _command(data: bytes) -> str:
    words = data.split(_END)
    is_array = data[:1] == b"*" and len(words) > 2
    return words[2].decode("ascii", "replace").upper() if is_array else "inline command"
