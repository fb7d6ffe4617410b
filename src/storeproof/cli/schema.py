"""For operators: `storeproof schema` says which version a database's tables have."""

from __future__ import annotations

import typer

from storeproof.cli.databases import Url, database_at, run
from storeproof.cli.output import say

__all__ = ["app"]

app = typer.Typer(help="Look at the tables of a database, and bring them to another version.")


@app.callback()
def _group() -> None:
    pass


@app.command()
def current(url: Url) -> None:
    """Say which version each component's tables have."""
    versions = run(_versions(url))
    for component, version in sorted(versions.items()):
        say(f"{component} {version}")
    if not versions:
        say("none")


async def _versions(url: str) -> dict[str, int]:
    async with database_at(url) as database:
        return await database.versions()
