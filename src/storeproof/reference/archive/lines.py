"""For archives: rows as lines, one canonical text for each."""

from collections.abc import Iterable
from typing import Any

import msgspec

__all__ = ["line_of", "lines_of"]

_ENCODER = msgspec.json.Encoder(order="deterministic")

line_of = _ENCODER.encode
"""The canonical line of a row: JSON, with the members of sets in their order."""


def lines_of(items: Iterable[Any]) -> list[bytes]:
    """The canonical lines of rows."""
    return [line_of(item) for item in items]
