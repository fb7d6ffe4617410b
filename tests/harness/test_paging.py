"""Walks are judged by what they give, also while the store changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from storeproof import assert_walk
from storeproof.harness.paging import walk

from .examples import run


@dataclass(frozen=True)
class Item:
    id: int
    text: str = ""


@dataclass(frozen=True)
class Page:
    items: tuple[Any, ...]
    next_cursor: Any = None


class Shelf:
    """Pages of what it holds, in order of id, or in the order that `key` gives."""

    def __init__(self, *ids: int) -> None:
        self.items: list[Any] = [Item(each) for each in ids]
        self.key: Callable[[Any], Any] = lambda item: item.id

    async def walk(self, cursor: Any = None, limit: int = 10) -> Page:
        left = sorted(self.items, key=self.key)
        left = [each for each in left if cursor is None or self.key(each) > cursor]
        more = len(left) > limit
        return Page(tuple(left[:limit]), self.key(left[limit - 1]) if more else None)

    async def between(self, *changes: Callable[[], Any]) -> AsyncIterator[None]:
        for change in changes:
            change()
            yield

    def add(self, id: int, text: str = "") -> Callable[[], None]:
        return lambda: self.items.append(Item(id, text))

    def remove(self, id: int) -> Callable[[], None]:
        return lambda: self.items.__setitem__(slice(None), [x for x in self.items if x.id != id])

    def change(self, id: int, text: str) -> Callable[[], None]:
        return lambda: (self.remove(id)(), self.add(id, text)())[0]


def walked(shelf: Shelf, *changes: Callable[[], Any], limit: int = 1, moving: bool = False) -> None:
    between = shelf.between(*changes) if changes else None
    run(assert_walk(shelf.walk, {}, limit=limit, largest=100, between=between, moving=moving))


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_a_right_walk_passes(limit: int) -> None:
    walked(Shelf(), limit=limit)
    walked(Shelf(3, 1, 2), limit=limit)


def test_items_may_come_and_go_meanwhile() -> None:
    shelf = Shelf(1, 2, 3, 5)

    walked(shelf, shelf.add(4), shelf.remove(1), shelf.add(0), shelf.remove(5))


def test_an_item_that_was_away_may_come_again() -> None:
    shelf = Shelf(1, 2, 3)
    shelf.key = lambda item: (item.text, item.id)

    walked(shelf, shelf.remove(1), shelf.add(1, "later"))


def test_an_item_that_was_never_away_may_not() -> None:
    shelf = Shelf(1, 2, 3)
    shelf.key = lambda item: (item.text, item.id)

    with pytest.raises(AssertionError, match="gave 1 twice"):
        walked(shelf, shelf.add(1, "again"), shelf.add(9))


def by_text(*ids: int) -> Shelf:
    shelf = Shelf(*ids)
    shelf.key = lambda item: (item.text, item.id)
    return shelf


def test_an_item_that_changed_may_come_again_where_the_order_moves() -> None:
    shelf = by_text(1, 2, 3)
    walked(shelf, shelf.change(1, "later"), moving=True)

    shelf = by_text(1, 2, 3)
    with pytest.raises(AssertionError, match="gave 1 twice"):
        walked(shelf, shelf.change(1, "later"))


def test_an_item_that_changed_may_be_missed_where_the_order_moves() -> None:
    def shelf() -> Shelf:
        made = by_text(1, 2)
        made.add(3, "z")()
        return made

    made = shelf()
    walked(made, lambda: None, made.change(3, ""), made.change(1, "a"), moving=True)

    made = shelf()
    made.items[2] = Item(0, "z")
    with pytest.raises(AssertionError, match=r"missed \[0\]"):
        walked(made, lambda: None, made.change(0, ""))


def test_an_item_that_did_not_change_comes_once_where_the_order_moves() -> None:
    shelf = Shelf(1, 2, 3, 4)
    order = [4, 3, 2, 1]

    async def by_offset(cursor: Any = None, limit: int = 10) -> Page:
        start = cursor or 0
        items = sorted(shelf.items, key=lambda item: (item.text, order.index(item.id)))
        more = len(items) > start + limit
        return Page(tuple(items[start : start + limit]), start + limit if more else None)

    for changed, told in ((4, r"missed \[3\]"), (1, "gave 4 twice")):
        shelf.items = [Item(each, "m") for each in order]
        between = shelf.between(shelf.change(changed, "z" if changed == 4 else "a"))
        call = assert_walk(by_offset, {}, limit=1, largest=100, between=between, moving=True)
        with pytest.raises(AssertionError, match=told):
            run(call)


class Broken(Shelf):
    def __init__(self, change: Callable[[Page, Any], Page], *ids: int) -> None:
        super().__init__(*ids)
        self._change = change

    async def walk(self, cursor: Any = None, limit: int = 10) -> Page:
        page = await super().walk(cursor, limit)
        return page if limit == 100 else self._change(page, cursor)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda page, _: Page(page.items * 2, page.next_cursor), "held 2 items"),
        (lambda page, _: Page(page.items), "expected 3 items, got 1"),
        (lambda page, cursor: Page(page.items, cursor or 1), "does not move on from cursor 1"),
        (lambda page, cursor: Page((), (cursor or 0) + 1), "did not end after"),
        (lambda page, cursor: Page((Item(7),), (cursor or 0) + 1), "gave 7 twice"),
        (
            lambda page, _: Page(tuple(Item(x.id, "x") for x in page.items), page.next_cursor),
            r"\[0\].text: expected '', got 'x'",
        ),
    ],
)
def test_a_wrong_walk_says_what_is_wrong(change: Any, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        walked(Broken(change, 1, 2, 3))


def test_a_walk_that_misses_what_was_there_all_the_time_says_so() -> None:
    shelf = Shelf(1, 2, 3, 4)

    async def by_offset(cursor: Any = None, limit: int = 10) -> Page:
        start = cursor or 0
        more = len(shelf.items) > start + limit
        return Page(tuple(shelf.items[start : start + limit]), start + limit if more else None)

    between = shelf.between(shelf.remove(1))
    with pytest.raises(AssertionError, match=r"missed \[2\]"):
        run(assert_walk(by_offset, {}, limit=1, largest=100, between=between))


def test_a_walk_in_another_order_says_so() -> None:
    shelf = Shelf(1, 2, 3)

    async def turning(cursor: Any = None, limit: int = 10) -> Page:
        if limit == 100:
            return Page(tuple(shelf.items))
        at = cursor or 0
        return Page((shelf.items[2 - at],), at + 1 if at < 2 else None)

    with pytest.raises(AssertionError, match="in another order"):
        run(assert_walk(turning, {}, limit=1, largest=100, between=shelf.between(shelf.add(9))))


def test_items_without_an_id_are_told_apart_as_a_whole() -> None:
    shelf = Shelf()
    shelf.items = ["a", "b", "c"]
    shelf.key = lambda item: item

    walked(shelf)
    with pytest.raises(AssertionError, match="gave 'a' twice"):
        walked(shelf, lambda: setattr(shelf, "key", lambda item: "z" + item), lambda: None)


def test_all_pages_are_walked() -> None:
    shelf = Shelf(*range(7))
    assert run(walk(shelf.walk, limit=3)) == shelf.items


def test_a_walk_that_never_ends_fails() -> None:
    async def endless(cursor: Any = None, limit: int = 10) -> Page:
        return Page((Item(1),), "more")

    with pytest.raises(AssertionError, match="has not ended after 1000 pages"):
        run(walk(endless, limit=3))
