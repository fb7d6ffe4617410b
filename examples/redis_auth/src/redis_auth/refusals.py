"""For both storages: the errors that the Lua libraries refuse with."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, NoReturn

from storeproof.reference.exceptions import (
    Duplicate,
    InUse,
    InvalidValue,
    NotFound,
    StorageError,
    VersionConflict,
)
from storeproof.reference.providers import RateLimited
from storeproof.reference.providers.entities import MINUTE

__all__ = ["raise_refusal"]


def _conflict(kind: str, id: str, expected: str) -> VersionConflict:
    return VersionConflict(kind, id, int(expected))


def _limited(provider: str, limit: str, minute: str) -> RateLimited:
    retry_at = datetime.fromisoformat(minute) + MINUTE if minute else None
    return RateLimited(provider, limit, retry_at)


_MAKE: Final[dict[str, Callable[..., StorageError]]] = {
    "conflict": _conflict,
    "duplicate": Duplicate,
    "in_use": InUse,
    "invalid": InvalidValue,
    "limited": _limited,
    "not_found": NotFound,
}


def raise_refusal(word: str, *arguments: str) -> NoReturn:
    """Raises the error that a library's `refuse(word, ...)` stands for."""
    raise _MAKE[word](*arguments)
