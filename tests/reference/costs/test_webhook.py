"""Alerts over HTTP: signed, tried again where that helps, and never for ever."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from storeproof.reference.costs import Alert, AlertId, BudgetId
from storeproof.reference.costs.service import AlertNotDelivered, WebhookSink, signature

from .examples import NOW, budget, run

SECRET = b"0123456789abcdef"
ALERT = Alert(
    id=AlertId("a1"),
    budget=BudgetId("a"),
    window_start=NOW,
    threshold=50,
    spent=budget("a", "5.000000001").limit,
    limit=budget("a").limit,
    raised_at=NOW,
)


class Script:
    """Answers posts with these statuses, or errors, one after the other."""

    def __init__(self, *answers: int | OSError) -> None:
        self.answers = list(answers)
        self.posts: list[tuple[bytes, Mapping[str, str], float]] = []
        self.pauses: list[float] = []

    async def post(self, _url: str, body: bytes, headers: Mapping[str, str], t: float) -> int:
        self.posts.append((body, headers, t))
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def sink(self) -> WebhookSink:
        return WebhookSink(
            "https://example.org/hook",
            SECRET,
            clock=lambda: NOW,
            post=self.post,
            sleep=self.sleep,
        )


def test_the_request_is_signed_and_says_everything() -> None:
    script = Script(204)
    run(script.sink().deliver(ALERT))
    [(body, headers, timeout)] = script.posts
    stamp = int(NOW.timestamp())
    assert headers["Storeproof-Timestamp"] == str(stamp)
    assert headers["Storeproof-Signature"] == signature(SECRET, stamp, body)
    assert signature(SECRET, stamp + 1, body) != signature(SECRET, stamp, body)
    assert signature(SECRET + b"x", stamp, body) != signature(SECRET, stamp, body)
    told = json.loads(body)
    assert (told["budget"], told["threshold"], told["spent"]) == ("a", 50, "5.000000001")
    assert timeout == 5


@pytest.mark.parametrize("bad", [500, 503, 429, 408, TimeoutError(), ConnectionResetError()])
def test_what_may_pass_is_tried_again_as_the_same_alert(bad: Any) -> None:
    script = Script(bad, bad, 200)
    run(script.sink().deliver(ALERT))
    assert script.pauses == [0.5, 1.0]
    assert [headers["Idempotency-Key"] for _, headers, _ in script.posts] == [ALERT.id] * 3


@pytest.mark.parametrize("status", [400, 401, 404, 410, 301, 307])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    script = Script(status, 200)
    with pytest.raises(AlertNotDelivered, match=str(status)):
        run(script.sink().deliver(ALERT))
    assert len(script.posts) == 1


def test_an_attempt_that_takes_too_long_is_no_answer() -> None:
    async def never(*_: Any) -> int:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    sink = WebhookSink(
        "https://example.org/hook", SECRET, attempts=2, timeout=0.001, pause=0, post=never
    )
    with pytest.raises(AlertNotDelivered, match="TimeoutError"):
        run(sink.deliver(ALERT))


def test_attempts_end() -> None:
    script = Script(*[500] * 9)
    with pytest.raises(AlertNotDelivered, match="500"):
        run(script.sink().deliver(ALERT))
    assert (len(script.posts), script.pauses) == (4, [0.5, 1.0, 2.0])


@pytest.mark.parametrize(
    ("url", "secret"), [("file:///etc/passwd", SECRET), ("example.org", SECRET), ("https://a", b"")]
)
def test_a_webhook_needs_a_web_address_and_a_secret(url: str, secret: bytes) -> None:
    with pytest.raises(ValueError, match="webhook"):
        WebhookSink(url, secret)


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, list[tuple[bytes, Any]]]]:
    got: list[tuple[bytes, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.rfile.read(int(self.headers["Content-Length"])), self.headers))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_real_receiver_can_verify_what_it_gets() -> None:
    with receiver(200) as (url, got):
        asyncio.run(WebhookSink(url, SECRET).deliver(ALERT))
    [(body, headers)] = got
    stamp = int(headers["Storeproof-Timestamp"])
    assert headers["Storeproof-Signature"] == signature(SECRET, stamp, body)


@pytest.mark.parametrize("status", [302, 403])
def test_a_real_receiver_that_refuses_or_redirects_gets_one_request(status: int) -> None:
    with receiver(status) as (url, got), pytest.raises(AlertNotDelivered, match=str(status)):
        asyncio.run(WebhookSink(url, SECRET).deliver(ALERT))
    assert len(got) == 1


def test_an_answer_that_is_not_http_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(AlertNotDelivered, match="no answer"):
            asyncio.run(WebhookSink(url, SECRET, attempts=1).deliver(ALERT))
        thread.join()


def test_nobody_there_is_no_answer() -> None:
    with receiver(200) as (url, _):
        pass
    with pytest.raises(AlertNotDelivered, match="no answer"):
        asyncio.run(WebhookSink(url, SECRET, attempts=2, pause=0).deliver(ALERT))
