"""For `RedisAuthStorage` only: the parts of its indexes that pages of filters are read from."""

from datetime import datetime

from redis_auth.records import stamp
from redis_auth.spans import all_of, joined
from storeproof.reference.auth import AuditFilter, GrantFilter

__all__ = ["audit_span", "grant_span"]


def grant_span(
    asked: GrantFilter, position: tuple[str, str, str] | None
) -> tuple[str, bytes, bytes]:
    """What the index begins with, "user" or "role", and the limits of its part."""
    if asked.user is None and asked.role is not None:
        turned = None if position is None else (position[1], position[0], position[2])
        return "role", *all_of(_start(asked.role), joined(turned))
    return "user", *all_of(_start(asked.user), joined(position))


def audit_span(asked: AuditFilter, position: tuple[datetime, str] | None) -> tuple[bytes, bytes]:
    """The upper and the lower limit: the newest entries come first."""
    above = [] if asked.until is None else [stamp(asked.until).encode()]
    above += [] if position is None else [f"{stamp(position[0])}{position[1]}".encode()]
    low = b"-" if asked.since is None else b"[" + stamp(asked.since).encode()
    return b"(" + min(above) if above else b"+", low


def _start(first: str | None) -> bytes:
    return b"" if first is None else first.encode() + b"\0"
