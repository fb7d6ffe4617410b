"""For the web application only: ids in paths may contain slashes, which clients write as `%2F`.

Servers decode a path before they pass it on (ASGI, `path` and `raw_path`), so a router takes such a
slash for the end of a part.
"""

from typing import Any, Final, cast
from urllib.parse import unquote

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

__all__ = ["SlashesHidden", "SlashesShown"]

_HIDDEN: Final = "\ufdd0"
"""Stands for a slash inside a part: a noncharacter, which Unicode leaves to programs."""
_CHANGED: Final = "storeproof.slashes_hidden"


class SlashesHidden:
    """Around the router: it does not see the slashes inside parts of a path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            path = scope["path"]
            scope["path"] = _hidden(path, scope.get("raw_path") or b"")
            cast(dict[str, Any], scope)[_CHANGED] = scope["path"] != path
        await self._app(scope, receive, send)


class SlashesShown(ASGIMiddleware):
    """Behind the router: the parameters of the path are what the client meant."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Passes a request on."""
        if scope.get(_CHANGED):
            scope["path"] = scope["path"].replace(_HIDDEN, "/")
            for name, value in scope["path_params"].items():
                scope["path_params"][name] = value.replace(_HIDDEN, "/")
        await next_app(scope, receive, send)


def _hidden(path: str, raw: bytes) -> str:
    """`raw` may have a query, and begin with what the application is mounted at."""
    encoded = raw.partition(b"?")[0].decode("latin-1")
    if "%2f" not in encoded.lower() or _HIDDEN in path:
        return path
    parts = [unquote(each).replace("/", _HIDDEN) for each in encoded.split("/")]
    marked = "/".join(parts)
    return marked[-len(path) :] if unquote(encoded).endswith(path) else path
