"""For operators: `storeproof migrate` moves data into a database, and takes that back again."""

from __future__ import annotations

import getpass
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storeproof.cli.databases import URL_VARIABLE, run, storages_at
from storeproof.cli.errors import UserError
from storeproof.cli.output import say
from storeproof.cli.progress import Tell, telling

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from storeproof.reference.migration import Entry, Plan, Source

__all__ = ["app"]

app = typer.Typer()

USERS = (".csv", ".json", ".jsonl", ".ndjson")


@app.callback()
def _group() -> None:
    pass


@app.command(epilog="Example: storeproof migrate --from users.csv --to sqlite:///app.db --dry-run")
def migrate(
    *,
    url: Annotated[
        str,
        typer.Option("--to", metavar="URL", envvar=URL_VARIABLE, help="The database to move to."),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="An archive, the URL of a database, or a file of users: CSV or JSON.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would move; change nothing.")] = False,
    replace: Annotated[
        bool, typer.Option(help="Replace what the target holds. It is backed up first.")
    ] = False,
    reject_file: Annotated[
        Path | None, typer.Option(help="Write users who don't fit there, and move the others.")
    ] = None,
    rollback: Annotated[
        str | None, typer.Option(metavar="ID", help="Take the last migration back.")
    ] = None,
    status: Annotated[bool, typer.Option(help="Say which migrations were made.")] = False,
    folder: Annotated[
        Path, typer.Option(help="Where the backups go; there must be room for two.")
    ] = Path("storeproof-migrations"),
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Move an archive, a database or users into a database, verified, with a way back.

    All of it happens in one transaction: it is read back and compared before it is kept. What
    the target held before is in an archive in the folder, which --rollback loads again.
    """
    chosen = [each for each in (source, rollback, status or None) if each is not None]
    if len(chosen) != 1:
        raise UserError("Give one of --from SOURCE, --rollback ID and --status.")
    with telling(quiet=as_json) as tell:
        if source is not None and dry_run:
            _answer(run(_plan(_Moving(source, url, replace, reject_file))), as_json)
        elif source is not None:
            moving = _Moving(source, url, replace, reject_file)
            _answer(run(_migrate(moving, _made(folder), tell)), as_json)
        elif rollback is not None:
            _answer(run(_roll_back(rollback, url, _made(folder), tell)), as_json)
        else:
            _answer(run(_entries(url)), as_json)


@dataclass(frozen=True)
class _Moving:
    """What is to be moved where."""

    source: str
    url: str
    replace: bool
    rejects: Path | None


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _now() -> datetime:
    return datetime.now(UTC)


async def _plan(moving: _Moving) -> Plan:
    from contextlib import AsyncExitStack

    from storeproof.reference.migration import plan

    if moving.rejects is not None:
        raise UserError("A dry run writes nothing; leave --reject-file out.")
    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(storages_at(moving.url, create=True))
        source = await _source(moving, stack)
        return await plan(source, target, clock=_now, replace=moving.replace)


async def _migrate(moving: _Moving, folder: Path, tell: Tell) -> Entry:
    from contextlib import AsyncExitStack

    from storeproof.reference.migration import migrate

    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(storages_at(moving.url, create=True))
        return await migrate(
            await _source(moving, stack),
            target,
            folder,
            id=f"{_now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            actor=getpass.getuser(),
            clock=_now,
            replace=moving.replace,
            progress=tell,
        )


async def _roll_back(made: str, url: str, folder: Path, tell: Tell) -> Entry:
    from storeproof.reference.migration import roll_back

    async with storages_at(url) as target:
        return await roll_back(target, made, folder, clock=_now, progress=tell)


async def _entries(url: str) -> list[Entry]:
    from storeproof.reference.migration import entries

    async with storages_at(url) as target:
        assert target.database is not None, "storages_at refuses memory"
        return await entries(target.database)


async def _source(moving: _Moving, stack: AsyncExitStack) -> Source:
    from sqlalchemy.engine import make_url

    from storeproof.reference.migration import ArchiveSource, StoragesSource, UsersSource

    if "://" in moving.source:
        storages = await stack.enter_async_context(storages_at(moving.source))
        name = make_url(moving.source).set(query={}).render_as_string()
        return StoragesSource(storages, name)
    path = Path(moving.source)
    if path.suffix.lower() in USERS:
        return UsersSource(path, lambda: secrets.token_hex(16), rejects=moving.rejects)
    return ArchiveSource(path)


def _answer(found: Plan | Entry | list[Entry], as_json: bool) -> None:
    if as_json:
        import msgspec

        say(msgspec.json.encode(found).decode())
    elif isinstance(found, list):
        for each in found:
            say(_line(each))
        if not found:
            say("no migrations")
    else:
        for line in _lines(found):
            say(line)


def _lines(found: Any) -> list[str]:
    rows = sum(found.rows.values())
    if hasattr(found, "seconds"):
        moved = [f"{name} {count}" for name, count in found.rows.items() if count]
        about = f"{rows} rows, about {found.seconds:.0f} s. Nothing was changed."
        return [*moved, about]
    if found.undone_at is not None:
        return [f"{found.id} was taken back. What was there is in {found.undone_to}."]
    take_back = f"Take it back: storeproof migrate --to URL --rollback {found.id}"
    return [f"{found.id}: the target holds {rows} rows, as read back.", take_back]


def _line(entry: Entry) -> str:
    end = "" if entry.undone_at is None else f", taken back at {entry.undone_at.isoformat()}"
    rows = sum(entry.rows.values())
    return f"{entry.id} {entry.at.isoformat()} {entry.actor}: {entry.source}, {rows} rows{end}"
