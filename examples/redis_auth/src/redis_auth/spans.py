"""For both storages: the parts of an index that pages are read from."""

__all__ = ["after", "all_of"]

LAST = b"\xff"
"""Comes after all that begins with the same bytes: no text in UTF-8 has it."""


def all_of(start: bytes, position: bytes | None = None) -> tuple[bytes, bytes]:
    """The limits of the members that begin with `start`, behind the member at `position`."""
    beyond = position is not None and position >= start
    return (b"(%b" % position if beyond else b"[" + start), b"(" + start + LAST


def after(position: bytes | None) -> bytes:
    """The lower limit of the members behind the one at `position`; None: of all."""
    return b"-" if position is None else b"(" + position
