"""Runs of gates choose here where their process works, before it has a thread or a connection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["pinned"]


@contextmanager
def pinned() -> Iterator[int | None]:
    """Keep this thread, and the threads that it starts, on one processor; give which.

    Two instances of one code, each with a thread of its own, otherwise differ for as long as they
    live by where their threads happen to be. None where the platform can't: gates say so.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    allowed = os.sched_getaffinity(0)
    chosen = max(allowed)
    os.sched_setaffinity(0, {chosen})
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, allowed)
