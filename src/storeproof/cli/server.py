"""For the commands that serve: an ASGI application behind a socket. Needs the extra `web`."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from storeproof.cli.errors import UserError

__all__ = ["listen", "serve_until_signal", "url_of"]

_ANSWERS_WITHIN = 30
"""Seconds that requests have to end after a signal."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Through the loop; uvicorn's own way raises the signal again, before stores are closed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for connections; port 0 takes a free one. Raises UserError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"Can't listen on {host}:{port}: {reason}. Give another --port.") from None


def url_of(listening: socket.socket) -> str:
    """Where a browser finds what is served there."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve_until_signal(app: Any, listening: socket.socket, *, quiet: bool) -> None:
    """Serves until SIGTERM or SIGINT; requests that have begun are answered.

    quiet: requests are not logged on stderr.
    """
    logging.basicConfig(level=logging.WARNING if quiet else logging.INFO, format="%(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_ANSWERS_WITHIN,
    )
    await _Server(config).serve([listening])
