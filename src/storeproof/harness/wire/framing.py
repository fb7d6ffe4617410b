"""Authors of a backend whose protocol a `Wire` does not know yet subclass `Framing`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Framing", "Message", "RawBytes", "Side"]


class Side(StrEnum):
    """Who sends a message."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Side:
        """Who receives it."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


@dataclass(frozen=True)
class Message:
    """One message of a protocol, with its bytes."""

    data: bytes
    kind: str
    """What it is, in the protocol's own word."""
    begins_trip: bool = False
    """Whether a round trip begins with it: the client waits for the server after it."""


class Framing(ABC):
    """Cuts what the two sides of one connection send into messages; each connection has its own.

    Bytes that are no whole message yet are kept until the others come.
    """

    def __init__(self) -> None:
        self._begun = dict.fromkeys(Side, b"")

    def messages(self, side: Side, data: bytes) -> Iterator[Message]:
        """Take bytes that a side sent; give the messages that are whole with them, in order."""
        self._begun[side] += data
        while (length := self.length(side, self._begun[side])) > 0:
            begun = self._begun[side]
            self._begun[side] = begun[length:]
            yield self.message(side, begun[:length])

    def rest(self, side: Side) -> bytes:
        """Give the bytes of a message that is not whole."""
        return self._begun[side]

    @abstractmethod
    def length(self, side: Side, data: bytes) -> int:
        """Give the length of the first message of these bytes; 0 where it is not whole yet."""

    @abstractmethod
    def message(self, side: Side, data: bytes) -> Message:
        """Say what a whole message is; called once for each, in the order in which they pass."""


class RawBytes(Framing):
    """Knows nothing of the protocol: what arrives at once is a message.

    A round trip begins with what the client sends first, or after the server has answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last = Side.SERVER

    def length(self, side: Side, data: bytes) -> int:
        return len(data)

    def message(self, side: Side, data: bytes) -> Message:
        begins = side is Side.CLIENT and self._last is Side.SERVER
        self._last = side
        return Message(data, f"{len(data)} bytes", begins)
