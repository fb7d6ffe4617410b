"""The PostgreSQL backend asks here for a server: a URL's, a container's or an embedded one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres_container import (
    DEFAULT_IMAGE,
    EngineMissing,
    ImageMissing,
    start_container,
)
from storeproof.harness.backends.postgres_embedded import (
    CRASH_SETTINGS,
    SPEED_SETTINGS,
    embedded_home,
    start_embedded,
)
from storeproof.harness.backends.postgres_url import PostgresUrl, parse_url
from storeproof.harness.exceptions import BackendUnavailable

__all__ = ["PostgresServer", "find_server"]


def _leave() -> None:
    """What a run does to end a server that it did not start."""


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A server that answers; `stop` ends it where storeproof started it."""

    url: PostgresUrl
    source: str
    """Where it comes from, for people: `container postgres:17`."""
    owned: bool = True
    stop: Callable[[], None] = _leave
    kill: Callable[[], None] = _leave
    restart: Callable[[], None] = _leave
    """Where it is owned: end all of its processes with SIGKILL, and start it again."""


def find_server(options: RunOptions, *, durable: bool = False) -> PostgresServer:
    """Give the URL's server; else a container's; else the embedded one.

    durable: whether one that is started keeps what it acknowledged when it is killed.

    Raises BackendUnavailable with the command that would mend it. An image that is named is
    binding; the default one gives way to the embedded server where it can't be had.
    """
    if options.postgres_url:
        url = parse_url(options.postgres_url)
        return PostgresServer(url=url, source=f"URL {url.place}", owned=False)
    image = options.postgres_image or DEFAULT_IMAGE
    try:
        container = start_container(image, durable=durable)
    except (EngineMissing, ImageMissing) as missing:
        if options.postgres_image:
            reason = f"{missing} ({missing.reason})"
            raise BackendUnavailable("postgres", reason, missing.remedy) from missing
        return _embedded(options, missing, durable=durable)
    return PostgresServer(
        url=container.url,
        source=f"container {image}",
        stop=container.stop,
        kill=container.kill,
        restart=container.restart,
    )


def _embedded(
    options: RunOptions, missing: EngineMissing | ImageMissing, *, durable: bool
) -> PostgresServer:
    home = embedded_home()
    if home is None:
        raise BackendUnavailable(
            "postgres",
            f"no URL was given, {missing} and the embedded server is not installed",
            "Run: pip install 'storeproof[embedded]'",
        )
    settings = CRASH_SETTINGS if durable else SPEED_SETTINGS
    template = options.directory / "postgres-cluster"
    server = start_embedded(home, options.directory, settings, template=template)
    why = f" ({missing})" if isinstance(missing, ImageMissing) else ""
    return PostgresServer(
        url=server.url,
        source=f"embedded server{why}",
        stop=server.stop,
        kill=server.kill,
        restart=server.restart,
    )
