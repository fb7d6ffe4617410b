"""For operators: `storeproof export`, `import` and `verify` write, load and check archives."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storeproof.cli.databases import URL_VARIABLE, run, storages_at
from storeproof.cli.errors import ExitCode
from storeproof.cli.output import Json, say
from storeproof.cli.progress import Tell, telling

if TYPE_CHECKING:
    from storeproof.reference.archive import Manifest, Verification

__all__ = ["app"]

app = typer.Typer()

_HELP = "postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///PATH; else from the environment."
From = Annotated[str, typer.Option("--from", metavar="URL", envvar=URL_VARIABLE, help=_HELP)]
To = Annotated[str, typer.Option("--to", metavar="URL", envvar=URL_VARIABLE, help=_HELP)]
Archive = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="The folder of an archive.")]


@app.callback()
def _group() -> None:
    pass


@app.command("export", epilog="Example: storeproof export --from sqlite:///app.db --to backup")
def export(
    url: From,
    path: Annotated[
        Path, typer.Option("--to", metavar="PATH", help="The folder to make; there is none yet.")
    ],
    compress: Annotated[bool, typer.Option("--zstd", help="Compress the files.")] = False,
    as_json: Json = False,
) -> None:
    """Write all that a database holds into an archive, while it is used.

    The archive shows one moment. Passwords and tokens are in it hashed and secrets encrypted,
    as they are stored; all else can be read by whoever can read the files.
    """
    with telling(quiet=as_json) as tell:
        manifest = run(_export(url, path, compress, tell))
    _answer(manifest, path, "Exported", as_json)


@app.command("import", epilog="Example: storeproof import backup --to sqlite:///new.db")
def load(path: Archive, url: To, as_json: Json = False) -> None:
    """Load an archive into an empty database, whose tables are made if there are none.

    What was loaded is read back and compared before it is kept: all of it is there, or nothing.
    """
    with telling(quiet=as_json) as tell:
        manifest = run(_import(path, url, tell))
    _answer(manifest, path, "Imported", as_json)


@app.command("verify", epilog="Example: storeproof verify backup --against sqlite:///app.db")
def verify(
    path: Archive,
    against: Annotated[
        str | None, typer.Option(metavar="URL", help="Compare it with what this database holds.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read a whole archive; with --against, tell the first rows that a database holds otherwise.

    Exits with 1 where the archive is damaged or the database differs.
    """
    with telling(quiet=as_json) as tell:
        found = run(_verify(path, against, tell))
    _tell_verification(found, path, compared=against is not None, as_json=as_json)
    if not found.equal:
        raise typer.Exit(ExitCode.FOUND)


async def _export(url: str, path: Path, compress: bool, tell: Tell) -> Manifest:
    from storeproof.reference.archive import export_archive

    async with storages_at(url) as storages:
        return await export_archive(
            storages, path, clock=lambda: datetime.now(UTC), compress=compress, progress=tell
        )


async def _import(path: Path, url: str, tell: Tell) -> Manifest:
    from storeproof.reference.archive import import_archive

    async with storages_at(url, create=True) as storages:
        return await import_archive(path, storages, progress=tell)


async def _verify(path: Path, against: str | None, tell: Tell) -> Verification:
    from storeproof.reference.archive import verify_archive

    if against is None:
        return await verify_archive(path, progress=tell)
    async with storages_at(against) as storages:
        return await verify_archive(path, against=storages, progress=tell)


def _answer(manifest: Manifest, path: Path, done: str, as_json: bool) -> None:
    if as_json:
        say(json.dumps(_facts(manifest, path)))
    else:
        rows = sum(part.count for part in manifest.parts)
        say(f"{done} {rows} rows of {len(manifest.parts)} collections: {path}")


def _facts(manifest: Manifest, path: Path) -> dict[str, Any]:
    return {
        "archive": str(path),
        "exported_at": manifest.exported_at.isoformat(),
        "rows": {part.collection: part.count for part in manifest.parts},
    }


def _tell_verification(found: Verification, path: Path, *, compared: bool, as_json: bool) -> None:
    if as_json:
        import msgspec

        facts = _facts(found.manifest, path) | {
            "equal": found.equal if compared else None,
            "differing": found.collections,
            "differences": found.differences,
        }
        say(msgspec.json.encode(facts).decode())
    elif found.equal:
        against = ", and the database holds the same" if compared else ""
        say(f"{path} is as it was written{against}.")
    else:
        say(f"The database differs from {path} in {', '.join(found.collections)}:")
        for each in found.differences:
            say(f"  {each}")
