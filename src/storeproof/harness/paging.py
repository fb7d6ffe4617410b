"""Laws, tests and the pages check walk through an operation's pages with `assert_walk`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from storeproof.harness.compare import difference

__all__ = ["assert_walk", "walk"]

_MORE_PAGES = 50
"""Empty pages that a walk may give, over what its items need."""

_MOST_PAGES = 1000

_PageOperation = Callable[..., Awaitable[Any]]


async def walk(operation: _PageOperation, *arguments: object, limit: int) -> list[Any]:
    """Give the items of all pages of `operation(*arguments, cursor, limit)`, one after the other.

    Raises AssertionError where they don't end after 1000 pages.
    """
    items: list[Any] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        page = await operation(*arguments, cursor, limit)
        items.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return items
    raise AssertionError(f"the list has not ended after {_MOST_PAGES} pages: {items[:5]!r}, …")


async def assert_walk(
    operation: _PageOperation,
    arguments: Mapping[str, Any],
    *,
    limit: int,
    largest: int = 1000,
    between: AsyncIterator[Any] | None = None,
    moving: bool = False,
) -> None:
    """Assert that walking in pages of `limit` gives what one page of `largest` gives, each once.

    between: makes one change to the store each time it is advanced, once between two pages. Then
    the items that were there all the time must come exactly once and in their order, and no item
    may come twice that was not away in the meantime. Items are told apart by their `id`, where
    they have one, else as a whole.

    moving: the order follows what changes in an item. Then one that changed may come again, and one
    that changed at any time may be missed or come elsewhere.

    Raises AssertionError, saying which item was missed, doubled or out of order, or that the walk
    does not end.
    """
    walked = _Walk(limit, [await _listing(operation, arguments, largest)], moving)
    cursor = None
    while True:
        page = await operation(**arguments, cursor=cursor, limit=limit)
        walked.add(page.items)
        if page.next_cursor is None:
            break
        walked.assert_moving(cursor, page.next_cursor)
        cursor = page.next_cursor
        if between is not None:
            await anext(between, None)
            walked.listings.append(await _listing(operation, arguments, largest))
    if between is None:
        walked.assert_equal()
    else:
        walked.assert_stable()


async def _listing(
    operation: _PageOperation, arguments: Mapping[str, Any], largest: int
) -> list[Any]:
    page = await operation(**arguments, cursor=None, limit=largest)
    return list(page.items)


def _identity(item: Any) -> Any:
    return getattr(item, "id", item)


class _Walk:
    """What a walk gave so far, and what was there while it went on."""

    def __init__(self, limit: int, listings: list[list[Any]], moving: bool) -> None:
        self.limit, self.listings, self._moving = limit, listings, moving
        self._walked: list[Any] = []
        self._pages: list[int] = []
        """The page of each item."""
        self._page = 0

    def add(self, items: Sequence[Any]) -> None:
        """Take one page more."""
        assert len(items) <= self.limit, f"a page of limit={self.limit} held {len(items)} items"
        for item in items:
            self._assert_new(_identity(item))
            self._walked.append(item)
            self._pages.append(self._page)
        self._page += 1

    def _assert_new(self, identity: Any) -> None:
        before = [
            page
            for page, item in zip(self._pages, self._walked, strict=True)
            if _identity(item) == identity
        ]
        for page in before[-1:]:
            meanwhile = self.listings[page + 1 : self._page + 1]
            away = any(identity not in map(_identity, listing) for listing in meanwhile)
            moved = self._moved(identity, self.listings[page : self._page + 1])
            assert away or moved, f"the walk gave {identity!r} twice"

    def _moved(self, identity: Any, listings: Sequence[list[Any]]) -> bool:
        """Whether an item may have another place in one of these listings than in another."""
        values = [item for each in listings for item in each if _identity(item) == identity]
        return self._moving and any(difference(values[0], each) for each in values[1:])

    def assert_moving(self, cursor: Any, following: Any) -> None:
        """Assert that the walk can come to an end."""
        assert following != cursor, f"the walk does not move on from cursor {cursor!r}"
        enough = 2 * max(map(len, self.listings)) + _MORE_PAGES
        assert self._page < enough, f"the walk did not end after {self._page} pages"

    def assert_equal(self) -> None:
        """Assert that it gave what one large page held."""
        found = difference(self.listings[0], self._walked)
        assert found is None, (
            f"walking with limit={self.limit} gave other items than one page: {found}"
        )

    def assert_stable(self) -> None:
        """Assert that it gave in order what was there all the time, and did not move."""
        always = [
            each
            for each in map(_identity, self.listings[0])
            if all(each in map(_identity, listing) for listing in self.listings[1:])
            and not self._moved(each, self.listings)
        ]
        seen = [each for each in map(_identity, self._walked) if each in always]
        missed = [each for each in always if each not in seen]
        assert not missed, f"walking with limit={self.limit} missed {missed!r}, there all the time"
        assert seen == always, (
            f"walking with limit={self.limit} gave {seen!r}, in another order than {always!r}"
        )
