"""For operators: a line of JSON for each request, and metrics for Prometheus. No secrets in them.

A line has the route's template, never the path or its query; who it was by their id; how it ended.
The request's id is the client's `X-Request-ID` where that is plain, else a new one.
"""

import json
import logging
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

__all__ = ["Observer"]

LOGGER = logging.getLogger("storeproof.web.requests")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Observer(ASGIMiddleware):
    """Counts and logs requests. clock: seconds, always growing."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = perf_counter,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._clock = clock
        self._new_id = new_id
        self._registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("storeproof_requests", "Requests", labels, registry=self._registry)
        self._seconds = Histogram(
            "storeproof_request_seconds", "Their durations", labels[:2], registry=self._registry
        )

    def exposition(self) -> bytes:
        """The metrics, as Prometheus reads them."""
        return generate_latest(self._registry)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Passes a request on, and sees how it ends."""
        begun, made, status = self._clock(), self._id_of(scope), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", made.encode())]
            await send(message)

        try:
            await next_app(scope, receive, watch)
        finally:
            self._record(scope, status, self._clock() - begun, made)

    def _record(self, scope: Scope, status: int, seconds: float, made: str) -> None:
        method, route = str(scope.get("method")), str(scope.get("path_template", "unknown"))
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        principal: Any = scope.get("state", {}).get("principal")
        line = {
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(seconds * 1000, 3),
            "request": made,
            "user": None if principal is None else principal.user,
        }
        LOGGER.info(json.dumps(line))

    def _id_of(self, scope: Scope) -> str:
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        return given if _PLAIN.fullmatch(given) else self._new_id()
