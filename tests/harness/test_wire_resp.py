"""Through a wire that speaks RESP: pipelines are one round trip, replies are cut where asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from storeproof.harness.wire import Fault, Met, Resp, Side, Wire

REPLIES = {
    b"HELLO": b"%2\r\n$6\r\nserver\r\n$4\r\nfake\r\n$5\r\nproto\r\n:3\r\n",
    b"SET": b"+OK\r\n",
    b"GET": b"$3\r\none\r\n",
    b"SUBSCRIBE": b">3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n",
}


@contextmanager
def scripted() -> Iterator[tuple[str, int]]:
    """A server that knows one reply for each command of the form `*1`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        yield listening.getsockname()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def serve(listening: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with suppress(OSError), connection, connection.makefile("rb") as lines:
                for line in lines:
                    if line[:-2] in REPLIES:
                        connection.sendall(REPLIES[line[:-2]])


def command(name: str) -> bytes:
    return f"*1\r\n${len(name)}\r\n{name}\r\n".encode()


def answers(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            break
        data += more
    return data


@contextmanager
def wired() -> Iterator[tuple[Wire, socket.socket]]:
    with (
        scripted() as place,
        Wire(*place, Resp) as wire,
        socket.create_connection((wire.host, wire.port), timeout=10) as connection,
    ):
        yield wire, connection


def test_a_pipeline_is_one_round_trip() -> None:
    with wired() as (wire, connection):
        connection.sendall(command("HELLO"))
        hello = REPLIES[b"HELLO"]
        assert answers(connection, len(hello)) == hello
        connection.sendall(command("SET") + command("GET"))
        both = REPLIES[b"SET"] + REPLIES[b"GET"]
        assert answers(connection, len(both)) == both
        assert (wire.trips, wire.sent(Side.CLIENT), wire.sent(Side.SERVER)) == (2, 3, 3)


def test_what_is_pushed_is_no_reply() -> None:
    with wired() as (wire, connection):
        connection.sendall(command("SUBSCRIBE"))
        pushed = REPLIES[b"SUBSCRIBE"]
        assert answers(connection, len(pushed)) == pushed
        connection.sendall(command("GET"))
        assert answers(connection, 9) == REPLIES[b"GET"]
        assert wire.trips == 1


@pytest.mark.parametrize(
    ("fault", "given"),
    [
        (Fault.CUT, b"+OK\r\n"),
        (Fault.PARTIAL, b"+OK\r\n$3\r\n"),
        (Fault.DELAY, b"+OK\r\n$3\r\none\r\n"),
    ],
)
def test_a_reply_is_cut_where_it_was_asked_for(fault: Fault, given: bytes) -> None:
    with wired() as (wire, connection):
        wire.plan(fault, 4)
        connection.sendall(command("SET"))
        first = answers(connection, 5)
        connection.sendall(command("GET"))
        assert first + answers(connection, 9) == given
        assert wire.met == Met(fault, Side.SERVER, "bulk string")
