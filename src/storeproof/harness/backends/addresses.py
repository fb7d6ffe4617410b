"""Authors of a networked backend say with `url_at` how its stores are reached through a proxy."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

__all__ = ["url_at"]


def url_at(url: str, host: str, port: int) -> str:
    """Give a URL with another host and port; its login, path and query stay as they are."""
    parts = urlsplit(url)
    login = "".join(parts.netloc.rpartition("@")[:2])
    place = f"[{host}]" if ":" in host else host
    return urlunsplit(parts._replace(netloc=f"{login}{place}:{port}"))
