"""For whoever runs storeproof from a terminal: `storeproof --help` says what there is.

Exit codes, the same for every command:

    0    done; for a question: the answer is yes
    1    a check found what must not be
    2    the command line can't be understood
    3    what was given can't be used: a URL, a file; of `check`: the verdict is incomplete
    4    the store is unavailable; nothing was changed, so try again
    5    the outcome is unknown: the change happened wholly or not at all
    6    refused: nothing has this id, the value is taken, it changed meanwhile, data would go
    130  interrupted (128 and the signal's number; 129: the terminal was closed)

Errors are one sentence on stderr, never a traceback, unless storeproof itself is at fault.
"""

from __future__ import annotations

from typing import Annotated

import typer

from storeproof.cli.commands import Commands
from storeproof.cli.output import out

__all__ = ["app", "main"]

app = typer.Typer(
    cls=Commands,
    name="storeproof",
    help="Proves that storages behave alike, and looks after the reference package's databases.",
    epilog=(
        "Exit codes: 0 done; 1 a check found what must not be; 2 the command line can't be "
        "understood; 3 what was given can't be used; 4 the store is unavailable, nothing was "
        "changed; 5 the outcome is unknown; 6 refused; 128 and a signal's number: interrupted. "
        "Example: storeproof demo"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        out.print(f"storeproof {version('storeproof')}", highlight=False)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say which release this is.", callback=_show_version),
    ] = False,
) -> None:
    pass


def main() -> None:
    """The command `storeproof`."""
    app(prog_name="storeproof")
