"""Whoever has a `Wire` break something says here what, and at which message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storeproof.harness.wire.framing import Side

__all__ = ["Fault", "Met", "Of", "Plan"]


class Fault(StrEnum):
    """What happens at a message, which is not passed on as it is; the text completes 'was …'."""

    CUT = "cut (FIN)"
    """Both sides see the end of the connection."""
    RESET = "reset (RST)"
    """Both sides see it break."""
    PARTIAL = "cut in the middle of a message"
    """The receiver gets half of the message, then both see the end of the connection."""
    DELAY = "delayed"
    """The message is passed on some milliseconds later."""
    BLACK_HOLE = "silent from then on"
    """Nothing passes any more, nor the end of the connection; both sides still seem connected."""
    REFUSE = "refused"
    """Nobody listens; it happens to every connection, at no message. See `Wire.refuse`."""
    HOLD = "held back"
    """The message, and what its sender sends after it, is passed on once it is released."""


class Of(StrEnum):
    """Which messages a plan counts."""

    MESSAGE = "message"
    """Those of both sides, in the order in which they pass."""
    TRIP = "round trip"
    """Those with which a round trip begins."""
    ANSWER = "answer"
    """The first one of the server in each round trip."""


@dataclass
class Plan:
    """A fault that waits for its message."""

    fault: Fault
    left: int
    of: Of


@dataclass(frozen=True)
class Met:
    """The message at which a planned fault happened."""

    fault: Fault
    side: Side
    """Who sent it."""
    kind: str
