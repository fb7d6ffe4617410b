"""For whoever has a run's report: show it as a page, Markdown or a badge; compare two of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from storeproof.cli.errors import ExitCode
from storeproof.cli.output import Json, say

if TYPE_CHECKING:
    from storeproof.harness.report import Report

__all__ = ["app"]

app = typer.Typer()

_JSON = "that `pytest --storage-report` wrote"


@app.command(epilog="Example: storeproof report report.json --html report.html")
def report(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help=f"The JSON {_JSON}.")],
    html: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a page.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="PATH", help="Write Markdown.")] = None,
    badge: Annotated[Path | None, typer.Option(metavar="PATH", help="Write an SVG badge.")] = None,
) -> None:
    """Show a report: in the terminal, or as the files that are asked for."""
    from storeproof.harness.summary import lines, title

    loaded = _load(report)
    given = {"html": html, "markdown": markdown, "badge": badge}
    views = {view: path for view, path in given.items() if path is not None}
    if not views:
        for line in [title(loaded), *lines(loaded)]:
            say(line)
        return
    from storeproof.harness.views import write_view

    for view, path in views.items():
        write_view(view, loaded, path)


@app.command(epilog="Example: storeproof compare old.json new.json")
def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help=f"A report {_JSON}.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="A later one.")],
    as_json: Json = False,
) -> None:
    """Say what broke between two reports, what was mended, what is new or gone.

    Exits with 1 where a MUST that held is broken, or one that was carried out is not any more.
    """
    from storeproof.harness.comparison import broke, changes, lines

    before, after = _load(old), _load(new)
    found = changes(before, after)
    if as_json:
        say(json.dumps([each._asdict() for each in found]))
    else:
        for line in lines(before, after):
            say(line)
    if broke(found):
        raise typer.Exit(ExitCode.FOUND)


def _load(path: Path) -> Report:
    from storeproof.harness.report import load

    return load(path)
