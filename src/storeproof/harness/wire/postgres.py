"""For backends whose server speaks PostgreSQL's protocol, version 3 (its manual, chapter 54)."""

from __future__ import annotations

from typing import Final

from storeproof.harness.wire.framing import Framing, Message, Side

__all__ = ["Postgres"]

_ENCRYPTIONS: Final = {80877103: "SSLRequest", 80877104: "GSSENCRequest"}
_CANCEL: Final = 80877102
_WAITING: Final = frozenset(b"QSHF")
"""Query, Sync, Flush and FunctionCall: what a client sends before it waits for the server."""

_KINDS: Final = {
    Side.CLIENT: {
        "B": "Bind",
        "C": "Close",
        "D": "Describe",
        "E": "Execute",
        "F": "FunctionCall",
        "H": "Flush",
        "P": "Parse",
        "Q": "Query",
        "S": "Sync",
        "X": "Terminate",
        "c": "CopyDone",
        "d": "CopyData",
        "f": "CopyFail",
        "p": "Password",
    },
    Side.SERVER: {
        "1": "ParseComplete",
        "2": "BindComplete",
        "3": "CloseComplete",
        "A": "NotificationResponse",
        "C": "CommandComplete",
        "D": "DataRow",
        "E": "ErrorResponse",
        "G": "CopyInResponse",
        "H": "CopyOutResponse",
        "I": "EmptyQueryResponse",
        "K": "BackendKeyData",
        "N": "NoticeResponse",
        "R": "Authentication",
        "S": "ParameterStatus",
        "T": "RowDescription",
        "V": "FunctionCallResponse",
        "W": "CopyBothResponse",
        "Z": "ReadyForQuery",
        "c": "CopyDone",
        "d": "CopyData",
        "n": "NoData",
        "s": "PortalSuspended",
        "t": "ParameterDescription",
        "v": "NegotiateProtocolVersion",
    },
}


class Postgres(Framing):
    """Untyped messages until the client has said who it is, then typed ones.

    Once the server agrees to encrypt, what arrives at once is a message of unknown kind.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started = self._encrypted = self._asked = False

    def length(self, side: Side, data: bytes) -> int:
        if self._encrypted:
            return len(data)
        if self._is_about_encryption(side, data):
            return 1
        head = 1 if self._is_typed(side) else 0
        if len(data) < head + 4:
            return 0
        length = head + int.from_bytes(data[head : head + 4], "big")
        return length if len(data) >= length else 0

    def message(self, side: Side, data: bytes) -> Message:
        if self._encrypted:
            return Message(data, f"{len(data)} encrypted bytes")
        if self._is_about_encryption(side, data):
            self._asked, self._encrypted = False, data in (b"S", b"G")
            return Message(data, "answer on encryption")
        if not self._is_typed(side):
            return Message(data, self._opening(int.from_bytes(data[4:8], "big")))
        kind = _KINDS[side].get(chr(data[0]), f"message of type {chr(data[0])!r}")
        return Message(data, kind, side is Side.CLIENT and data[0] in _WAITING)

    def _is_typed(self, side: Side) -> bool:
        return self._started or side is Side.SERVER

    def _is_about_encryption(self, side: Side, data: bytes) -> bool:
        """Whether this is the one byte that answers an SSLRequest, and no ErrorResponse."""
        return side is Side.SERVER and self._asked and data[:1] not in (b"", b"E")

    def _opening(self, code: int) -> str:
        if code in _ENCRYPTIONS:
            self._asked = True
            return _ENCRYPTIONS[code]
        self._started = True
        return "CancelRequest" if code == _CANCEL else "StartupMessage"
