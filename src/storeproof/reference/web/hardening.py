"""For the web application only: what browsers are told with every answer, errors included."""

from typing import Final

from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Hardened"]

_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""Those that the OWASP HTTP Headers Cheat Sheet has for APIs."""


class Hardened(ASGIMiddleware):
    """Adds the headers, where a route has none of its own of that name."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Passes a request on, and adds to its answer."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [*message["headers"]]
                names = {name.lower() for name, _ in given}
                more = [each for each in _HEADERS if each[0] not in names]
                message["headers"] = [*given, *more]
            await send(message)

        await next_app(scope, receive, add)
