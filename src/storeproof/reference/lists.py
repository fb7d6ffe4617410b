"""For authors of storages: the order of a list, its cursors and its pages, the same everywhere."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import gt, lt
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.storage import (
    Cursor,
    Page,
    canonical_limit,
    decode_cursor,
    encode_cursor,
)
from storeproof.reference.values import (
    MAX_INTEGER,
    MIN_INTEGER,
    canonical_integer,
    canonical_time,
)

__all__ = ["Order", "Read", "read_integer", "read_time", "take_page"]

Item = TypeVar("Item", bound=msgspec.Struct)
Read: TypeAlias = Callable[[str], Any]
"""Makes a part of a sort key from its text in a cursor; ValueError if it can't be that."""


def read_time(text: str) -> datetime:
    """A canonical time from a cursor."""
    return canonical_time("cursor", datetime.fromisoformat(text))


def read_integer(low: int = MIN_INTEGER, high: int = MAX_INTEGER) -> Read:
    """Reads an integer from `low` to `high` from a cursor."""

    def read(text: str) -> int:
        number = canonical_integer("cursor", int(text), low, high)
        if str(number) != text:
            raise ValueError("it was written in another way")
        return number

    return read


class Order(Generic[Item]):
    """The order of a list of items: by `parts`, fields that never change and tell items apart.

    A part is text (read from a cursor by `str`), a time (`read_time`) or an integer
    (`read_integer`). `name` is that of the list in its cursors, by default the item's.
    """

    def __init__(
        self,
        kind: type[Item],
        parts: Mapping[str, Read],
        *,
        name: str | None = None,
        descending: bool = False,
    ) -> None:
        self.kind = kind
        self.parts = parts
        self.name = name or kind.__name__
        self.descending = descending

    def sort_key(self, item: Item) -> tuple[Any, ...]:
        """What the item is ordered by."""
        return tuple(getattr(item, name) for name in self.parts)

    def cursor_after(self, item: Item) -> Cursor:
        """The cursor of a page that ends with this item."""
        return encode_cursor(self.name, *map(_written, self.sort_key(item)))

    def position(self, cursor: Cursor | None) -> tuple[Any, ...] | None:
        """The sort key in a cursor of this list; None, the start, for None.

        Raises InvalidValue("cursor") for any other cursor.
        """
        if cursor is None:
            return None
        texts = decode_cursor(self.name, len(self.parts), cursor)
        try:
            return tuple(read(text) for read, text in zip(self.parts.values(), texts, strict=True))
        except ValueError as error:
            raise InvalidValue("cursor", "is not a cursor of this list") from error

    def page(self, items: Iterable[Item], *, more: bool) -> Page[Item]:
        """These items, which are in order; `more` follow them."""
        found = tuple(items)
        return Page(items=found, next_cursor=self.cursor_after(found[-1]) if more else None)


def _written(part: Any) -> str:
    return part.isoformat() if isinstance(part, datetime) else str(part)


def take_page(
    order: Order[Item], items: Iterable[Item], cursor: Cursor | None, limit: int
) -> Page[Item]:
    """The page behind the cursor, of at most `limit` of these items.

    Raises InvalidValue for the cursor, then for the limit.
    """
    after = order.position(cursor)
    canonical_limit(limit)
    ordered = sorted(items, key=order.sort_key, reverse=order.descending)
    if after is not None:
        beyond = lt if order.descending else gt
        ordered = [item for item in ordered if beyond(order.sort_key(item), after)]
    return order.page(ordered[:limit], more=len(ordered) > limit)
