"""For authors of pages: what a page may say was done. Addresses name it, and can't word it."""

from collections.abc import Mapping
from typing import Final

__all__ = ["NOTICES"]

NOTICES: Final[Mapping[str, str]] = {
    "group-ignored": "The group is ignored.",
    "group-resolved": "The group is resolved. An event that occurs from now on reopens it.",
    "group-unresolved": "The group is open again.",
    "signed-out": "You are signed out.",
}
