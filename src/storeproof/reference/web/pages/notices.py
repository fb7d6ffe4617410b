"""For authors of pages: what a page may say was done. Addresses name it, and can't word it."""

from collections.abc import Mapping
from typing import Final

__all__ = ["NOTICES"]

NOTICES: Final[Mapping[str, str]] = {
    "signed-out": "You are signed out.",
}
