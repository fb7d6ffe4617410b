"""The plugin keeps here what a run was asked to write: the report, and views of it.

Every controller of pytest-xdist loads this module, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storeproof.harness.report import Report

__all__ = ["Outputs"]


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Where a run writes what it found."""

    report: Path | None = None
    views: Mapping[str, Path] = field(default_factory=dict)
    """By the view's name."""
    job_summary: Path | None = None
    """A file to which others write as well, so a view is added to what it holds."""

    def probe(self) -> None:
        """Make sure, before a run, that each file can be written; nothing is left behind.

        Raises ReportError where one can't.
        """
        from storeproof.harness.report import probe

        for path in (self.report, *self.views.values()):
            if path is not None:
                probe(path)

    def write(self, report: Report) -> list[str]:
        """Write each file; give a sentence on each that can't be written."""
        problems = []
        if self.views:
            from storeproof.harness.views import write_view

            for view, path in self.views.items():
                append = path == self.job_summary
                problems += _problems(write_view, view, report, path, append=append)
        if self.report is not None:
            from storeproof.harness.report import save

            problems += _problems(save, report, self.report)
        return problems


def _problems(write: Callable[..., None], *arguments: Any, **named: Any) -> list[str]:
    from storeproof.harness.exceptions import ReportError

    try:
        write(*arguments, **named)
    except ReportError as error:
        return [str(error)]
    return []
