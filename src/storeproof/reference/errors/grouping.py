"""For whoever reports errors: `fingerprint`, which decides what belongs to one group.

It is a pure function. A change of its rule is a new version beside the old ones, so that
stored fingerprints can be made again, and an event says which version made its own.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from storeproof.reference.errors.entities import GroupId

__all__ = ["GROUPING", "Frame", "fingerprint", "steady"]

GROUPING: Final = 1
"""The version that new events get."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a traceback. Lines are left out: they change with every release."""

    module: str
    function: str


_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_EMAIL_HERE, _EMAIL_AFTER = re.compile(_EMAIL), re.compile(rf"(?<![\w.+-]){_EMAIL}")
_VOLATILE = (
    (r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", "<time>"),
    (r"0[xX][0-9a-fA-F]+", "<hex>"),
    (r"(?<!\w)(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}(?!\w)", "<hex>"),
    (r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])", "<ip>"),
    (r"(?<![\w.])[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?", "<number>"),
)
_PATTERNS = tuple((re.compile(pattern), name) for pattern, name in _VOLATILE)


def steady(text: str) -> str:
    """The text without what differs from one occurrence to the next: ids, times, numbers."""
    text = _without_emails(_UUID.sub("<uuid>", text))
    for pattern, name in _PATTERNS:
        text = pattern.sub(name, text)
    return " ".join(text.split())


def _without_emails(text: str) -> str:
    """As `re.sub` would, but in time that grows with the text, not with its square.

    Where no address begins at the beginning of a run of its characters, none begins within.
    """
    parts, place = list[str](), 0
    while found := _EMAIL_HERE.match(text, place) or _EMAIL_AFTER.search(text, place):
        parts += (text[place : found.start()], "<email>")
        place = found.end()
    return "".join((*parts, text[place:]))


def fingerprint(
    kind: str, message: str, frames: Sequence[Frame], version: int = GROUPING
) -> GroupId:
    """What the events of one group have in common, after the rule of a version.

    `kind` is the exception's type, or another name of what happened; `frames` are the
    calls that led there, the outermost first.

    Version 1: the kind and the frames' modules and functions, a frame that repeats, as
    in a recursion, counting once; without frames, the kind and the `steady` message.

    Raises ValueError for an unknown version.
    """
    if version not in _VERSIONS:
        raise ValueError(f"there is no version {version} of the grouping rule")
    text = json.dumps([version, *_VERSIONS[version](kind, message, frames)])
    return GroupId(f"{version}-{sha256(text.encode()).hexdigest()[:32]}")


def _version_1(kind: str, message: str, frames: Sequence[Frame]) -> Iterator[str]:
    yield kind
    if not frames:
        yield steady(message)
    for frame, _ in itertools.groupby(frames):
        yield steady(frame.module)
        yield steady(frame.function)


_VERSIONS: Final[dict[int, Callable[[str, str, Sequence[Frame]], Iterator[str]]]] = {
    1: _version_1,
}
