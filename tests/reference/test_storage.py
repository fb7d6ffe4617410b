"""Cursors and limits: opaque, versioned, and refused unless we made them for this list."""

import base64

import pytest

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.storage import (
    Cursor,
    canonical_limit,
    decode_cursor,
    encode_cursor,
)


@pytest.mark.parametrize("key", [("a",), ("", "é\U0001f600", 'q"\\/'), ("\x01",), ("x" * 255,) * 3])
def test_a_cursor_gives_back_its_key(key: tuple[str, ...]) -> None:
    cursor = encode_cursor("users", *key)
    assert decode_cursor("users", len(key), cursor) == key
    assert cursor.isascii()


def raw(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "garbage",
        "é",
        "a\0",
        "x" * 9000,
        encode_cursor("roles", "a"),
        encode_cursor("users", "a", "b"),
        encode_cursor("users", "a") + "=",
        encode_cursor("users", "a") + "\n",
        raw(b'[2,"users","a"]'),
        raw(b'[1, "users", "a"]'),
        raw(b'[1,"users",1]'),
        raw(b'[true,"users","a"]'),
        raw(b'[1,"users","\\u0000"]'),
        raw(b'[1,"users","\\ud800"]'),
        raw(b'[1,"users","\xff"]'),
        raw(b"{}"),
        raw(b"[" * 5000),
    ],
)
def test_any_other_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        decode_cursor("users", 1, Cursor(cursor))
    assert caught.value.field == "cursor"


def test_limits() -> None:
    assert [canonical_limit(1), canonical_limit(1000)] == [1, 1000]
    for limit in (0, -1, 1001, True, 2**70):
        with pytest.raises(InvalidValue) as caught:
            canonical_limit(limit)
        assert caught.value.field == "limit"
