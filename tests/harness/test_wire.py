"""A wire counts what passes, breaks what it was told to, and lets everything else pass."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from storeproof.harness.wire import Fault, Framing, Met, Of, RawBytes, Side, Wire

PATIENCE = 10.0


class Echo:
    """A server that sends back what it hears."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.place: tuple[str, int] = self.listening.getsockname()
        self.heard: list[bytes] = []
        self.ends: list[str] = []
        self.ended = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        end = "FIN"
        try:
            with connection:
                while data := connection.recv(65536):
                    self.heard.append(data)
                    connection.sendall(data)
        except OSError:
            end = "RST"
        self.ends.append(end)
        self.ended.release()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@contextmanager
def wired(echo: Echo, framing: type[Framing] = RawBytes) -> Iterator[tuple[Wire, socket.socket]]:
    with Wire(*echo.place, framing) as wire, client(wire) as connection:
        yield wire, connection


def client(wire: Wire) -> socket.socket:
    return socket.create_connection((wire.host, wire.port), timeout=PATIENCE)


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "storeproof-wire"]


def asked(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    return connection.recv(65536)


def test_what_passes_is_counted(echo: Echo) -> None:
    with wired(echo) as (wire, connection):
        assert [asked(connection, b"one"), asked(connection, b"two")] == [b"one", b"two"]
        assert (wire.messages, wire.trips, wire.opened, wire.connections) == (4, 2, 1, 1)
        with client(wire) as other:
            assert asked(other, b"three") == b"three"
            assert (wire.sent(Side.CLIENT), wire.sent(Side.SERVER)) == (3, 3)
            assert (wire.trips, wire.opened, wire.connections) == (3, 2, 2)
        while wire.connections > 1:
            pass


@pytest.mark.parametrize(("fault", "server"), [(Fault.CUT, "FIN"), (Fault.RESET, "RST")])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_connection_is_cut_at_the_message_that_was_asked_for(
    echo: Echo, fault: Fault, server: str, nth: int
) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(fault, nth)
        answers = []
        with suppress(ConnectionResetError):
            answers = [asked(connection, b"one")]
            answers.append(asked(connection, b"two"))
            assert server == "FIN"
        assert b"".join(answers) == (b"one" if nth > 2 else b"")
        assert b"".join(echo.heard) == {1: b"", 2: b"one", 3: b"one", 4: b"onetwo"}[nth]
        sender = Side.CLIENT if nth % 2 else Side.SERVER
        assert wire.met == Met(fault, sender, "3 bytes")
        connection.close()
        assert echo.ended.acquire(timeout=PATIENCE)
        assert echo.ends == [server]
        with client(wire) as again:
            assert asked(again, b"three") == b"three"


def test_a_reset_is_told_from_an_end(echo: Echo) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(Fault.RESET)
        connection.sendall(b"one")
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
        while wire.connections:
            pass


@pytest.mark.parametrize(("nth", "heard", "given"), [(1, b"ab", b""), (2, b"abcd", b"ab")])
def test_half_of_a_message_comes_then_the_end(
    echo: Echo, nth: int, heard: bytes, given: bytes
) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(Fault.PARTIAL, nth)
        assert asked(connection, b"abcd") == given
        assert connection.recv(10) == b""
        connection.close()
        assert echo.ended.acquire(timeout=PATIENCE)
        assert echo.heard == [heard]


def test_nothing_passes_a_black_hole_not_even_the_end(echo: Echo) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(Fault.BLACK_HOLE, 2)
        connection.sendall(b"one")
        while wire.met is None:
            pass
        with client(wire) as other:
            assert asked(other, b"other") == b"other"
        assert echo.ended.acquire(timeout=PATIENCE)
        connection.sendall(b"two")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        connection.close()
        while wire.connections:
            pass
        assert echo.heard == [b"one", b"other"]
        assert not echo.ended.acquire(timeout=0.05)
        wire.mend()
        assert echo.ended.acquire(timeout=PATIENCE)


def test_what_is_delayed_comes_all_the_same(echo: Echo) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(Fault.DELAY, 2)
        assert asked(connection, b"one") == b"one"
        assert wire.met == Met(Fault.DELAY, Side.SERVER, "3 bytes")


def test_what_is_held_back_comes_once_it_is_released(echo: Echo) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(Fault.HOLD)
        connection.sendall(b"one")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        assert echo.heard == []
        wire.mend()
        connection.settimeout(PATIENCE)
        assert connection.recv(10) == b"one"


@pytest.mark.parametrize(("of", "heard"), [(Of.TRIP, b"one"), (Of.ANSWER, b"onetwo")])
def test_round_trips_and_their_answers_can_be_counted(echo: Echo, of: Of, heard: bytes) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(Fault.CUT, 2, of)
        assert [asked(connection, b"one"), asked(connection, b"two")] == [b"one", b""]
        assert b"".join(echo.heard) == heard


def test_a_plan_that_was_mended_happens_no_more(echo: Echo) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(Fault.CUT)
        wire.mend()
        assert asked(connection, b"one") == b"one"
        assert wire.met is None


def test_connections_are_refused_until_it_is_mended(echo: Echo) -> None:
    with wired(echo) as (wire, connection):
        assert asked(connection, b"here") == b"here"  # so it is more than waiting to be accepted
        wire.refuse()
        with pytest.raises(ConnectionRefusedError):
            client(wire)
        assert asked(connection, b"still here") == b"still here"
        wire.mend()
        with client(wire) as another:
            assert asked(another, b"again") == b"again"
            assert (wire.connections, wire.open_since(1)) == (2, 1)


def test_everybody_is_hung_up_on(echo: Echo) -> None:
    with wired(echo) as (wire, connection), client(wire) as other:
        assert [asked(connection, b"one"), asked(other, b"two")] == [b"one", b"two"]
        wire.hang_up()
        assert [connection.recv(10), other.recv(10)] == [b"", b""]


def test_a_client_that_ends_only_its_own_side_gets_its_answer(echo: Echo) -> None:
    with wired(echo) as (_, connection):
        connection.sendall(b"one")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(10) == b"one"
        assert connection.recv(10) == b""


def test_a_port_in_use_is_refused_and_leaves_nothing(echo: Echo) -> None:
    wire = Wire(*echo.place, listening=echo.place[1])
    with pytest.raises(OSError, match="in use"):
        wire.start()
    assert threads() == []
    wire.stop()


def test_a_server_that_is_gone_ends_the_connection(echo: Echo) -> None:
    echo.close()
    with Wire(*echo.place) as wire:
        with suppress(ConnectionResetError), client(wire) as connection:
            assert connection.recv(10) == b""
        while wire.connections:
            pass


def test_a_wire_that_is_stopped_leaves_nothing(echo: Echo) -> None:
    with wired(echo) as (wire, connection):
        wire.plan(Fault.BLACK_HOLE)
        connection.sendall(b"one")
        while wire.met is None:
            pass
    assert echo.ended.acquire(timeout=PATIENCE)
    assert threads() == []
