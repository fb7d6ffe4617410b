"""The plugin and the command line write a report as one page here, for people with a browser.

The page loads nothing, runs nothing, and forbids its browser both.
"""

from __future__ import annotations

import functools
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from storeproof.harness.findings import (
    contracts,
    gaps,
    headline,
    overall,
    passed,
    verdict_text,
)
from storeproof.harness.lanes import plain
from storeproof.harness.report import CheckResult, Failure, Report
from storeproof.harness.summary import unreached, untried
from storeproof.harness.views import latency
from storeproof.harness.views.lanes import picture

__all__ = ["render"]


def render(report: Report) -> str:
    """Give the page."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            contracts=contracts(report),
            headline=headline(report),
            overall=overall(report.judgements),
            notes=[*unreached(report.judgements), *untried(report.judgements)],
        )
    )


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("storeproof.harness.views"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "counted": _counted,
        "duration": _duration,
        "gaps": gaps,
        "gates": latency.table,
        "parts": _parts,
        "passed": passed,
        "picture": picture,
        "plots": _plots,
        "succeeded": _succeeded,
        "verdict_text": verdict_text,
    }
    return environment


def _visible(value: Any) -> Any:
    return (
        plain(value, kept="\n\t")
        if isinstance(value, str) and not isinstance(value, Markup)
        else value
    )


def _plots(report: Report) -> Markup:
    return Markup(latency.render(report))  # noqa: S704 - it escapes what it is given


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _parts(failure: Failure) -> tuple[str, str]:
    """Split a message that tells of no program: its first line, and the rest."""
    first, _, rest = failure.message.partition("\n")
    return first, rest.strip("\n")


def _succeeded(check: CheckResult) -> list[tuple[str, int, int, int]]:
    """Give, by operation, calls made, calls that succeeded, and these in percent."""
    return [
        (name, made, well, round(100 * well / made) if made else 0)
        for name, (made, well) in check.calls.items()
    ]
