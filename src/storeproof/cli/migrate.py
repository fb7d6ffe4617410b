"""For operators: `storeproof migrate` moves data into a database, and takes that back again."""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storeproof.cli.databases import URL_VARIABLE, run, storages_at, target_at
from storeproof.cli.errors import ExitCode, UserError
from storeproof.cli.output import Json, err, say
from storeproof.cli.progress import Tell, telling

if TYPE_CHECKING:
    from storeproof.reference.migration import (
        DoesNotFit,
        Entry,
        Plan,
        Prepared,
        Rejected,
        Source,
    )

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
        Path | None,
        typer.Option(
            help="Write rows that don't fit there, with those that name them; move others."
        ),
    ] = None,
    rollback: Annotated[
        str | None, typer.Option(metavar="ID", help="Take the last migration back.")
    ] = None,
    status: Annotated[bool, typer.Option(help="Say which migrations were made.")] = False,
    folder: Annotated[
        Path, typer.Option(help="Where the backups go; there must be room for two.")
    ] = Path("storeproof-migrations"),
    as_json: Json = False,
) -> None:
    """Move an archive, a database or users into a database, verified, with a way back.

    All of it happens in one transaction: it is read back and compared before it is kept. What
    the target held before is in an archive in the folder, which --rollback loads again.
    """
    chosen = [each for each in (source, rollback, status or None) if each is not None]
    if len(chosen) != 1:
        raise UserError("Give one of --from SOURCE, --rollback ID and --status.")
    with telling(quiet=as_json) as tell:
        if source is not None:
            moving = _Moving(source, url, replace, reject_file, as_json)
            with _problems_told(as_json):
                if dry_run:
                    _answer(run(_plan(moving, tell)), as_json)
                else:
                    run(_migrate(moving, _made(folder), tell))
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
    as_json: bool


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _now() -> datetime:
    return datetime.now(UTC)


async def _plan(moving: _Moving, tell: Tell) -> Plan:
    if moving.rejects is not None:
        raise UserError("A dry run writes nothing; leave --reject-file out.")
    with TemporaryDirectory() as folder:
        return (await _prepared(moving, Path(folder), tell)).plan


async def _prepared(moving: _Moving, folder: Path, tell: Tell) -> Prepared:
    """Finds out what is to be moved. The database stays as it is, and without tables."""
    from storeproof.reference.migration import prepare

    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(target_at(moving.url))
        return await prepare(
            await _source(moving, stack),
            target,
            folder,
            id=f"{_now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            clock=_now,
            replace=moving.replace,
            progress=tell,
        )


async def _migrate(moving: _Moving, folder: Path, tell: Tell) -> None:
    from storeproof.reference.migration import carry_out

    prepared = await _prepared(moving, folder, tell)
    if not moving.as_json:
        for line in _plan_lines(prepared.plan):
            err.print(line, markup=False, highlight=False)
    async with storages_at(moving.url, create=True) as target:
        actor = getpass.getuser()
        entry = await carry_out(prepared, target, actor=actor, clock=_now, progress=tell)
    _answer_moved(entry, prepared.plan.rejected, moving.as_json)


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
        return StoragesSource(storages, name, rejects=moving.rejects)
    path = Path(moving.source)
    if path.suffix.lower() in USERS:
        return UsersSource(path, lambda: secrets.token_hex(16), rejects=moving.rejects)
    return ArchiveSource(path, rejects=moving.rejects)


@contextmanager
def _problems_told(as_json: bool) -> Iterator[None]:
    """Tells all rows that do not fit, however many there are."""
    from storeproof.reference.migration import DoesNotFit

    try:
        yield
    except DoesNotFit as error:
        if as_json:
            _say_problems(error)
        else:
            err.print(f"storeproof: {error.summary}", markup=False, highlight=False)
            for each in error.problems:
                err.print(f"  {each}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(ExitCode.FOUND) from None


def _say_problems(error: DoesNotFit) -> None:
    """An object of one list, a line for each of its members."""
    import msgspec

    say('{"problems": [')
    for number, each in enumerate(error.problems, 1):
        say(msgspec.json.encode(each).decode() + ("," if number < len(error.problems) else ""))
    say("]}")


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


def _answer_moved(entry: Entry, rejected: Rejected, as_json: bool) -> None:
    if as_json:
        import msgspec

        say(msgspec.json.encode({**msgspec.structs.asdict(entry), "rejected": rejected}).decode())
        return
    for name, count in rejected.unfit.items():
        say(f"{name}: {count} rows do not fit and were written apart.")
    for name, count in rejected.dependent.items():
        say(f"{name}: {count} rows name one of these and were written apart.")
    _answer(entry, as_json)


def _lines(found: Any) -> list[str]:
    if hasattr(found, "seconds"):
        return [*_plan_lines(found), "Nothing was changed."]
    if found.undone_at is not None:
        return [f"{found.id} was taken back. What was there is in {found.undone_to}."]
    rows = sum(found.rows.values())
    take_back = f"Take it back: storeproof migrate --to URL --rollback {found.id}"
    return [f"{found.id}: the target holds {rows} rows, as read back.", take_back]


def _plan_lines(plan: Plan) -> list[str]:
    """What will be there, in the order of loading; where something is there now, that as well."""
    moved = [
        f"{name} {count}" + (f" (now {plan.present[name]})" if plan.present[name] else "")
        for name, count in plan.rows.items()
        if count or plan.present[name]
    ]
    return [*moved, f"{sum(plan.rows.values())} rows, about {plan.seconds:.0f} s."]


def _line(entry: Entry) -> str:
    end = "" if entry.undone_at is None else f", taken back at {entry.undone_at.isoformat()}"
    rows = sum(entry.rows.values())
    return f"{entry.id} {entry.at.isoformat()} {entry.actor}: {entry.source}, {rows} rows{end}"
