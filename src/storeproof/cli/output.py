"""For the commands: where answers, and errors, are written."""

from __future__ import annotations

from rich.console import Console

__all__ = ["err", "out", "say"]

out = Console(soft_wrap=True, emoji=False)
"""Answers, on stdout; wraps nothing, so that they can be read by programs."""

err = Console(stderr=True, soft_wrap=True, emoji=False)
"""Errors and progress, on stderr."""


def say(text: str) -> None:
    """Prints a line as it is: brackets are no markup, numbers have no colour."""
    out.print(text, markup=False, highlight=False)
