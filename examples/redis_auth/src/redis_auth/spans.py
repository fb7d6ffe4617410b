"""For both storages: the parts of an index that pages are read from."""

__all__ = ["after", "all_of", "joined"]

LAST = b"\xff"
"""Comes after all that begins with the same bytes: no text in UTF-8 has it."""


def all_of(start: bytes, position: bytes | None = None) -> tuple[bytes, bytes]:
    """The limits of the members that begin with `start`, behind the member at `position`."""
    to = b"(" + start + LAST
    if position is None or position < start:
        return b"[" + start, to
    return b"(" + position, to


def after(position: bytes | None) -> bytes:
    """The lower limit of the members behind the one at `position`; None: of all."""
    return b"-" if position is None else b"(" + position


def joined(position: tuple[str, ...] | None) -> bytes | None:
    """The member of several parts, as the libraries join them; None for None."""
    return None if position is None else "\0".join(position).encode()
