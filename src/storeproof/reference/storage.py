"""For authors of components and of storages: what every storage has in common."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, NewType, Protocol, TypeAlias, TypeVar

import msgspec

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.values import canonical_integer, canonical_text

__all__ = [
    "MAX_LIMIT",
    "Clock",
    "ComponentStorage",
    "Cursor",
    "Page",
    "canonical_limit",
    "decode_cursor",
    "encode_cursor",
]

Entity = TypeVar("Entity")
Item = TypeVar("Item")

Cursor = NewType("Cursor", str)
"""Where a page ended. Opaque: pass it back unchanged, to the list that it came from."""

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present as an aware datetime. Services have one; storages never do."""

MAX_LIMIT = 1000
_MAX_CURSOR = 8192
_CURSOR_VERSION = 1


class ComponentStorage(Protocol[Entity]):
    """The two operations that the storage of every component has.

    A component's Protocol narrows the type of `id` to its own `NewType` of `str`.
    """

    async def get_by_id(self, id: Any) -> Entity:
        """The entity with this id.

        Raises NotFound when there is none.
        """
        ...

    async def create(self, entity: Entity) -> Entity:
        """Stores the entity and returns it as stored.

        Raises Duplicate when its id is taken.
        """
        ...


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """Some consecutive items of a list; `next_cursor` is None exactly at its end."""

    items: tuple[Item, ...]
    next_cursor: Cursor | None = None


def canonical_limit(limit: int) -> int:
    """The limit of a page: 1 to 1000, otherwise InvalidValue("limit", ...)."""
    return canonical_integer("limit", limit, 1, MAX_LIMIT)


def encode_cursor(name: str, *key: str) -> Cursor:
    """The cursor after the item with this sort key, in the list called `name`."""
    text = json.dumps([_CURSOR_VERSION, name, *key], ensure_ascii=False, separators=(",", ":"))
    return Cursor(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


def decode_cursor(name: str, parts: int, cursor: Cursor) -> tuple[str, ...]:
    """The sort key of `parts` strings that `encode_cursor` put into this cursor.

    Raises InvalidValue("cursor", ...) for anything that `encode_cursor` did not make for
    this list.
    """
    canonical_text("cursor", cursor, _MAX_CURSOR)
    key = tuple(canonical_text("cursor", part, _MAX_CURSOR) for part in _cursor_key(name, cursor))
    if len(key) != parts or encode_cursor(name, *key) != cursor:
        raise InvalidValue("cursor", "is not a cursor of this list")
    return key


def _cursor_key(name: str, cursor: Cursor) -> list[Any]:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise InvalidValue("cursor", "is not a cursor of this list") from error
    if not isinstance(content, list) or content[:2] != [_CURSOR_VERSION, name]:
        raise InvalidValue("cursor", "is not a cursor of this list")
    return content[2:]
