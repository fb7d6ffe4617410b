"""Laws, tests and the pages check walk through an operation's pages with `assert_walk`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from storeproof.harness.compare import difference

__all__ = ["assert_walk"]

_PageOperation = Callable[..., Awaitable[Any]]


async def assert_walk(
    operation: _PageOperation,
    arguments: Mapping[str, Any],
    *,
    limit: int,
    largest: int = 1000,
    between: AsyncIterator[Any] | None = None,
) -> None:
    """Assert that walking in pages of `limit` gives what one page of `largest` gives, each once.

    between: makes one change to the store each time it is advanced, once between two pages. Then
    the items that were there all the time must come exactly once and in their order, and no item
    may come twice. Items are told apart by their `id`, where they have one, else as a whole.

    Raises AssertionError, saying which item was missed, doubled or out of order.
    """
    listings = [await _listing(operation, arguments, largest)]
    walked: list[Any] = []
    cursor = None
    while True:
        page = await operation(**arguments, cursor=cursor, limit=limit)
        assert len(page.items) <= limit, f"a page of limit={limit} held {len(page.items)} items"
        walked.extend(page.items)
        _assert_each_once(walked)
        if page.next_cursor is None:
            break
        assert page.next_cursor != cursor, f"the walk does not move on from cursor {cursor!r}"
        cursor = page.next_cursor
        if between is not None:
            await anext(between, None)
            listings.append(await _listing(operation, arguments, largest))
    if between is None:
        _assert_equal(listings[0], walked, limit)
    else:
        _assert_stable(listings, walked, limit)


async def _listing(
    operation: _PageOperation, arguments: Mapping[str, Any], largest: int
) -> list[Any]:
    page = await operation(**arguments, cursor=None, limit=largest)
    return list(page.items)


def _identity(item: Any) -> Any:
    return getattr(item, "id", item)


def _assert_each_once(walked: Sequence[Any]) -> None:
    identities = [_identity(item) for item in walked]
    for index, each in enumerate(identities):
        assert each not in identities[:index], f"the walk gave {each!r} twice"


def _assert_equal(listing: Sequence[Any], walked: Sequence[Any], limit: int) -> None:
    found = difference(listing, walked)
    assert found is None, f"walking with limit={limit} gave other items than one page: {found}"


def _assert_stable(listings: Sequence[Sequence[Any]], walked: Sequence[Any], limit: int) -> None:
    always = [
        each
        for each in map(_identity, listings[0])
        if all(each in map(_identity, listing) for listing in listings[1:])
    ]
    seen = [each for each in map(_identity, walked) if each in always]
    missed = [each for each in always if each not in seen]
    assert not missed, f"walking with limit={limit} missed {missed!r}, there all the time"
    assert seen == always, (
        f"walking with limit={limit} gave {seen!r}, in another order than {always!r}"
    )
