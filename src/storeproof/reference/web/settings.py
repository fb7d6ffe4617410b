"""For whoever runs the web application: what they may choose."""

from pathlib import Path

import msgspec

__all__ = ["MAX_BATCH", "WebSettings"]

MAX_BATCH = 1000
"""How many items one request may send."""


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the application behaves.

    secure_cookies: cookies are sent over HTTPS only; switch it off for a try on one's own machine.
    log_ins: how many tries to sign in an address may make in a minute. Each process counts by
    itself, beside the lock-out of users, which is shared. max_body: bytes of a request, at most.
    report: the file of a report of the suites (docs/report.md), which a page shows.
    """

    secure_cookies: bool = True
    log_ins: int = 20
    max_body: int = 4 * 2**20
    report: Path | None = None
