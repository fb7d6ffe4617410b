"""Orders of lists: their cursors hold every part, and pages neither skip nor repeat."""

from datetime import UTC, datetime

import msgspec
import pytest

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.lists import Order, read_integer, read_time, take_page
from storeproof.reference.storage import Cursor, encode_cursor


class Note(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    number: int
    id: str


PARTS = {"at": read_time, "number": read_integer(0, 99), "id": str}
ORDER, NEWEST_FIRST = Order(Note, PARTS), Order(Note, PARTS, name="newest", descending=True)
NOON = datetime(2026, 1, 1, 12, microsecond=1, tzinfo=UTC)
NOTES = [
    Note(at=NOON.replace(day=day), number=number, id=name)
    for day in (2, 1)
    for number in (10, 9)
    for name in ("b", "a", "é|")
]


def pages(order: Order[Note], limit: int) -> list[Note]:
    found: list[Note] = []
    cursor: Cursor | None = None
    while True:
        page = take_page(order, NOTES, cursor, limit)
        found.extend(page.items)
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


@pytest.mark.parametrize("limit", [1, 2, 5, 12, 13])
def test_pages_are_the_items_in_order(limit: int) -> None:
    wanted = sorted(NOTES, key=lambda note: (note.at, note.number, note.id))
    assert pages(ORDER, limit) == wanted
    assert pages(NEWEST_FIRST, limit) == wanted[::-1]


def test_a_cursor_gives_back_the_sort_key() -> None:
    for note in NOTES:
        assert ORDER.position(ORDER.cursor_after(note)) == (note.at, note.number, note.id)
    assert ORDER.position(None) is None


@pytest.mark.parametrize(
    "key",
    [
        ("yesterday", "1", "a"),
        ("2026-01-01T12:00:00", "1", "a"),
        ("9999-12-31T00:00:00+00:00", "1", "a"),
        *(
            (NOON.isoformat(), text, "a")
            for text in ("one", "", "-1", "100", "01", " 1", "1_0", "\u0661")
        ),
        *((NOON.isoformat(), "9" * 5000, "a"),),
    ],
)
def test_a_cursor_with_another_key_is_refused(key: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValue) as caught:
        ORDER.position(encode_cursor("Note", *key))
    assert caught.value.field == "cursor"


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidValue):
        ORDER.position(NEWEST_FIRST.cursor_after(NOTES[0]))


def test_the_cursor_is_refused_before_the_limit() -> None:
    for cursor, field in ((Cursor("x"), "cursor"), (None, "limit")):
        with pytest.raises(InvalidValue) as caught:
            take_page(ORDER, NOTES, cursor, 0)
        assert caught.value.field == field
