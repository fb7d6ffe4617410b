"""Whoever shows a report to people writes a view of it here: a page, Markdown or a badge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from storeproof.harness.exceptions import ReportError
from storeproof.harness.report import Report
from storeproof.harness.views import badge, html, latency, markdown

__all__ = ["VIEWS", "write_view"]

VIEWS: Final[Mapping[str, Callable[[Report], str]]] = {
    "html": html.render,
    "markdown": markdown.render,
    "badge": badge.render,
    "latency": latency.render,
}


def write_view(view: str, report: Report, path: Path, *, append: bool = False) -> None:
    """Write a view of a report, one of `VIEWS`, as UTF-8.

    append: add it to what the file holds.

    Raises ReportError where the file can't be written.
    """
    text = VIEWS[view](report)
    try:
        with path.open("a" if append else "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise ReportError(path, f"the {view} view can't be written: {error.strerror}") from None
