"""For operators: `storeproof schema` looks after the tables of a database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from storeproof.cli.databases import Url, database_at, run
from storeproof.cli.errors import ExitCode
from storeproof.cli.output import Json, say, say_facts

if TYPE_CHECKING:
    from storeproof.reference.database.revisions import Revision

__all__ = ["app"]

app = typer.Typer(
    help="Look at the tables of a database, and bring them to another version.",
    no_args_is_help=True,
)


@app.command(epilog="Example: storeproof schema current sqlite:///app.db")
def current(url: Url, as_json: Json = False) -> None:
    """Say which version each component's tables have, and which one this release needs."""
    found = run(_versions(url))
    wanted = _wanted(found)
    if as_json:
        rows = {name: {"found": found[name], "wanted": wanted.get(name)} for name in sorted(found)}
        say(json.dumps(rows))
        return
    for name in sorted(found):
        say(f"{name} {found[name]}{_remark(found[name], wanted.get(name))}")
    if not found:
        say("no tables")


@app.command(epilog="Example: storeproof schema upgrade sqlite:///app.db --component auth")
def upgrade(
    url: Url,
    to: Annotated[
        int | None, typer.Option(help="The number of the last revision to make; else all.")
    ] = None,
    component: Annotated[
        list[str] | None,
        typer.Option(help="Make this component's tables too. Else those that are there, or all."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the revisions that a database lacks, while it is used.

    Whoever upgrades at the same time waits. What was interrupted goes on when it is repeated.
    """
    from storeproof.reference.database.revisions import HISTORY
    from storeproof.reference.database.revisions import upgrade as make

    _require_components(component or ())
    tell = _silent if as_json else say
    made = run(make(url, HISTORY, to=to, components=component or (), tell=tell))
    _sum_up(made, "made", as_json)


@app.command(epilog="Example: storeproof schema downgrade sqlite:///app.db --to 4")
def downgrade(
    url: Url,
    to: Annotated[
        int, typer.Option(help="The number of the last revision that stays; 0 leaves no tables.")
    ],
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Undo also what can't be undone without loss.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Undo revisions, the last one first."""
    from storeproof.reference.database.revisions import HISTORY
    from storeproof.reference.database.revisions import downgrade as undo

    tell = _silent if as_json else say
    undone = run(undo(url, HISTORY, to=to, accept_loss=accept_loss, tell=tell))
    _sum_up(undone, "undone", as_json)


@app.command(epilog="Example: storeproof schema check sqlite:///app.db")
def check(url: Url, as_json: Json = False) -> None:
    """Compare a database's tables with those that this release works with.

    Types, nullability, defaults, constraints and indexes; exits with 1 where they differ.
    """
    from storeproof.reference.database.revisions.models import check as differ
    from storeproof.reference.selection import SCHEMAS

    found = run(differ(url, SCHEMAS))
    if as_json:
        say(json.dumps(found))
    else:
        for line in found or ["the tables are those of this release"]:
            say(line)
    raise typer.Exit(ExitCode.FOUND if found else ExitCode.DONE)


async def _versions(url: str) -> dict[str, int]:
    async with database_at(url) as database:
        return await database.versions()


def _wanted(components: dict[str, int]) -> dict[str, int]:
    from storeproof.reference.database.revisions import HISTORY

    return HISTORY.versions(components)


def _remark(found: int, wanted: int | None) -> str:
    if wanted is None:
        return ", of something else"
    if found == wanted:
        return ""
    older = f", this release needs {wanted}: run storeproof schema upgrade URL"
    return older if found < wanted else f", made by a later release than this, which has {wanted}"


def _require_components(names: list[str] | tuple[()]) -> None:
    from storeproof.reference.database.revisions import HISTORY

    for name in sorted({*names} - HISTORY.components):
        known = ", ".join(sorted(HISTORY.components))
        raise typer.BadParameter(f"there is no component {name!r}; known are {known}")


def _sum_up(revisions: list[Revision], done: str, as_json: bool) -> None:
    count = len(revisions)
    sentence = f"{count} revision{'' if count == 1 else 's'} {done}" if count else "nothing to do"
    say_facts(sentence, as_json, **{done: [each.number for each in revisions]})


def _silent(_line: str) -> None:
    pass
