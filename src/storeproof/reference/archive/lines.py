"""For archives: rows as lines, one canonical text for each."""

import msgspec

__all__ = ["line_of", "lines_in", "text_of"]

_ENCODER = msgspec.json.Encoder(order="deterministic")

line_of = _ENCODER.encode
"""The canonical line of a row: JSON, with the members of sets in their order."""

text_of = _ENCODER.encode_lines
"""The canonical lines of rows, each with its end."""


def lines_in(text: bytes) -> list[bytes]:
    """The lines of a text, without their ends."""
    return text.removesuffix(b"\n").split(b"\n") if text else []
