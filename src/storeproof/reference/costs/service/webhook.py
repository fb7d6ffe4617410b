"""For applications: alerts as signed HTTP requests, to be verified by who receives them.

The body is the alert as JSON, with its money as text. `Storeproof-Timestamp` is the time
of the request in seconds since 1970, `Storeproof-Signature` the `signature` of both with
the shared secret, and `Idempotency-Key` the id of the alert, the same in each attempt of
each process: receivers refuse what is old or wrongly signed, and drop what they have seen.
"""

import asyncio
import hashlib
import hmac
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Final, TypeAlias

import msgspec

from storeproof.reference.costs.entities import Alert, SinkName
from storeproof.reference.costs.service.exceptions import AlertNotDelivered
from storeproof.reference.storage import Clock

__all__ = ["Post", "WebhookSink", "signature"]

Post: TypeAlias = Callable[[str, bytes, Mapping[str, str], float], Awaitable[int]]
"""Posts a body with headers to a URL within so many seconds; gives the status.

Raises OSError when no answer came.
"""

WEBHOOK: Final = SinkName("webhook")
RETRIED = frozenset({408, 425, 429})


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256, in hexadecimal digits, of the timestamp, a dot and the body."""
    return hmac.new(secret, b"%d." % timestamp + body, hashlib.sha256).hexdigest()


class WebhookSink:
    """Posts each alert to a URL until it answers with success, `attempts` times at most.

    secret: shared with the receiver, 16 bytes or more. timeout: seconds for one attempt.
    pause: seconds before the second attempt, doubled before each later one. A refusal
    (status 400 to 499, but for 408, 425 and 429) and a redirection are not tried again.
    name: to tell several webhooks apart.
    """

    def __init__(
        self,
        url: str,
        secret: bytes,
        *,
        name: SinkName = WEBHOOK,
        attempts: int = 4,
        timeout: float = 5.0,
        pause: float = 0.5,
        clock: Clock = lambda: datetime.now(UTC),
        post: Post | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not url.startswith(("https://", "http://")):
            raise ValueError("the URL of a webhook begins with https:// or http://")
        if len(secret) < 16 or attempts < 1:
            raise ValueError("a webhook needs a secret of 16 bytes or more, and an attempt")
        self.name = name
        self._url = url
        self._secret = secret
        self._attempts = attempts
        self._timeout = timeout
        self._pause = pause
        self._clock = clock
        self._post = post or _post
        self._sleep = sleep

    async def deliver(self, alert: Alert) -> None:
        body = msgspec.json.encode(alert)
        outcome = ""
        for attempt in range(self._attempts):
            if attempt:
                await self._sleep(self._pause * 2 ** (attempt - 1))
            outcome, again = await self._try(alert, body)
            if not outcome:
                return
            if not again:
                break
        raise AlertNotDelivered(self.name, outcome)

    async def _try(self, alert: Alert, body: bytes) -> tuple[str, bool]:
        """What went wrong, "" for nothing, and whether to try again."""
        try:
            async with asyncio.timeout(self._timeout):
                headers = self._headers(alert, body)
                status = await self._post(self._url, body, headers, self._timeout)
        except OSError as error:
            return f"no answer came ({type(error).__name__})", True
        if 200 <= status < 300:
            return "", False
        return f"the status was {status}", status >= 500 or status in RETRIED

    def _headers(self, alert: Alert, body: bytes) -> dict[str, str]:
        timestamp = int(self._clock().timestamp())
        return {
            "Content-Type": "application/json",
            "Idempotency-Key": alert.id,
            "Storeproof-Timestamp": str(timestamp),
            "Storeproof-Signature": signature(self._secret, timestamp, body),
        }


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, without its body."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


async def _post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> int:
    opener = urllib.request.build_opener(_NoRedirect())
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310 - WebhookSink has checked the scheme

    def send() -> int:
        try:
            with opener.open(request, timeout=timeout) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except HTTPException as error:
            raise ConnectionError("the answer was not HTTP") from error

    return await asyncio.to_thread(send)
