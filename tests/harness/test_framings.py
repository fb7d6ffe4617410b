"""Each framing cuts bytes into messages wherever they were split, and knows where trips begin."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from storeproof.harness.wire import Framing, Message, Postgres, RawBytes, Resp, Side

SSL = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
CANCEL = (16).to_bytes(4, "big") + (80877102).to_bytes(4, "big") + b"12345678"
STARTUP = (13).to_bytes(4, "big") + (196608).to_bytes(4, "big") + b"user\0"

Spoken = Iterable[tuple[Side, bytes]]


def typed(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + (len(body) + 4).to_bytes(4, "big") + body


def seen(framing: Framing, spoken: Spoken, size: int) -> list[Message]:
    return [
        message
        for side, data in spoken
        for start in range(0, len(data), size)
        for message in framing.messages(side, data[start : start + size])
    ]


def kinds(messages: Iterable[Message]) -> list[str]:
    return [f"{each.kind}{'!' if each.begins_trip else ''}" for each in messages]


@pytest.mark.parametrize("size", [1, 3, 10_000])
@pytest.mark.parametrize("encrypts", [False, True])
def test_postgres(size: int, encrypts: bool) -> None:
    asked: Spoken = [(Side.CLIENT, SSL), (Side.SERVER, b"N")] if encrypts else []
    spoken = [
        *asked,
        (Side.CLIENT, STARTUP),
        (Side.SERVER, typed("R", b"\0\0\0\0") + typed("S", b"a\0b\0") + typed("Z", b"I")),
        (Side.CLIENT, typed("P", b"\0SELECT 1\0\0\0") + typed("D", b"S\0") + typed("H")),
        (Side.SERVER, typed("1") + typed("t", b"\0\0") + typed("T", b"\0\0")),
        (Side.CLIENT, typed("B", b"x" * 300) + typed("E", b"\0") + typed("S")),
        (Side.SERVER, typed("2") + typed("D", b"\0\0") + typed("C", b"x\0") + typed("Z", b"I")),
        (Side.CLIENT, typed("Q", b"COMMIT\0")),
        (Side.SERVER, typed("?")),
        (Side.CLIENT, typed("X")),
    ]
    messages = seen(Postgres(), spoken, size)

    opening = "SSLRequest, answer on encryption, " if encrypts else ""
    assert ", ".join(kinds(messages)) == (
        f"{opening}StartupMessage, Authentication, ParameterStatus, ReadyForQuery, "
        "Parse, Describe, Flush!, ParseComplete, ParameterDescription, RowDescription, "
        "Bind, Execute, Sync!, BindComplete, DataRow, CommandComplete, ReadyForQuery, "
        "Query!, message of type '?', Terminate"
    )
    assert b"".join(each.data for each in messages) == b"".join(data for _, data in spoken)


def test_postgres_that_encrypts_passes_as_it_comes() -> None:
    spoken = [
        (Side.CLIENT, SSL),
        (Side.SERVER, b"S"),
        (Side.CLIENT, b"\x16\x03"),
        (Side.SERVER, b"x"),
    ]

    assert kinds(seen(Postgres(), spoken, 10)) == [
        "SSLRequest",
        "answer on encryption",
        "2 encrypted bytes",
        "1 encrypted bytes",
    ]


def test_postgres_that_refuses_encryption_with_an_error() -> None:
    spoken = [(Side.CLIENT, SSL), (Side.SERVER, typed("E", b"Mno\0\0"))]

    assert kinds(seen(Postgres(), spoken, 1)) == ["SSLRequest", "ErrorResponse"]
    assert kinds(seen(Postgres(), [(Side.CLIENT, CANCEL)], 1)) == ["CancelRequest"]


def command(*words: str) -> bytes:
    parts = [f"${len(each.encode())}\r\n{each}\r\n" for each in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_resp(size: int) -> None:
    spoken = [
        (Side.CLIENT, command("HELLO", "3")),
        (Side.SERVER, b"%1\r\n+server\r\n*2\r\n$5\r\nre\r\ns\r\n~1\r\n:7\r\n"),
        (Side.CLIENT, command("set", "a", "b") + command("GET", "*1\r\n$") + b"PING\r\n"),
        (Side.SERVER, b"+OK\r\n" + b"$-1\r\n" + b">2\r\n+invalidate\r\n*0\r\n" + b"+PONG\r\n"),
        (Side.CLIENT, command("EXEC")),
        (Side.SERVER, b"|1\r\n+ttl\r\n:3\r\n*-1\r\n"),
        (Side.CLIENT, command("INCR", "n")),
        (Side.SERVER, b"-ERR no\r\n"),
        (Side.CLIENT, command("GET", "n")),
        (Side.SERVER, b"_\r\n"),
        (
            Side.SERVER,
            b"=8\r\ntxt:\r\n-1\r\n" + b"#t\r\n" + b",1.5\r\n" + b"(99\r\n" + b"!2\r\nno\r\n",
        ),
    ]
    messages = seen(Resp(), spoken, size)

    assert kinds(messages) == [
        "HELLO!",
        "map",
        "SET!",
        "GET",
        "inline command",
        "simple string",
        "bulk string",
        "push",
        "simple string",
        "EXEC!",
        "attribute",
        "INCR!",
        "error",
        "GET!",
        "null",
        "verbatim string",
        "boolean",
        "double",
        "big number",
        "bulk error",
    ]
    assert b"".join(each.data for each in messages) == b"".join(data for _, data in spoken)


def test_what_is_no_resp_passes_as_it_comes() -> None:
    spoken = [(Side.SERVER, b"HTTP/1.1 400\r\n"), (Side.SERVER, b"$?\r\n;4\r\n")]

    assert [each.data for each in seen(Resp(), spoken, 100)] == [data for _, data in spoken]


def test_raw_bytes() -> None:
    spoken = [(Side.CLIENT, b"a"), (Side.CLIENT, b"b"), (Side.SERVER, b"c"), (Side.CLIENT, b"d")]

    assert kinds(seen(RawBytes(), spoken, 10)) == ["1 bytes!", "1 bytes", "1 bytes", "1 bytes!"]


def test_what_is_not_whole_is_kept() -> None:
    framing = Postgres()
    assert list(framing.messages(Side.SERVER, typed("T", b"abc")[:5])) == []
    assert framing.rest(Side.SERVER) == typed("T", b"abc")[:5]
