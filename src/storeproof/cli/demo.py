"""For whoever wants to see it: `storeproof demo` serves a year of made-up data."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from storeproof.cli.databases import run, storages_at
from storeproof.cli.output import say
from storeproof.cli.serve import Host, Port, ReportFile, new_ring, require_web, serve_services

if TYPE_CHECKING:
    from storeproof.reference.demo import Year
    from storeproof.reference.selection import Storages

__all__ = ["app"]

app = typer.Typer()


@dataclass(frozen=True)
class _Options:
    database: str | None
    host: str
    port: int
    errors: int
    requests: int
    seed: int
    report: Path | None
    quiet: bool


@app.command(epilog="Example: storeproof demo --port 8080 --database sqlite:///demo.db")
def demo(
    *,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An empty database to keep the data in; without, they are in memory. It is not "
            "read from the environment.",
        ),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    errors: Annotated[int, typer.Option(min=0, help="How many errors occurred.")] = 10_000,
    requests: Annotated[int, typer.Option(min=0, help="How many requests were made.")] = 5_000,
    seed: Annotated[int, typer.Option(help="Other data for another number.")] = 1,
    report: ReportFile = None,
    log: Annotated[bool, typer.Option("--log", help="Log requests on stderr.")] = False,
) -> None:
    """Serve a year of made-up errors, costs, budgets, providers and users, and say who can sign in.

    Until SIGTERM or Ctrl-C. Secrets of providers that you put are lost with the process.
    """
    require_web()
    run(_demo(_Options(database, host, port, errors, requests, seed, report, quiet=not log)))


async def _demo(options: _Options) -> None:
    from storeproof.cli.server import listen
    from storeproof.reference.demo import make_year
    from storeproof.reference.web import Services

    with listen(options.host, options.port) as listening:
        begun, password = perf_counter(), secrets.token_urlsafe(12)
        year = make_year(
            datetime.now(UTC), seed=options.seed, errors=options.errors, traffic=options.requests
        )
        async with _filled(year, options.database, password) as storages:
            _introduce(year, perf_counter() - begun, password)
            services = Services.over(storages, cipher=new_ring())
            await serve_services(
                services,
                listening,
                plain_http=True,
                report=options.report,
                quiet=options.quiet,
            )


def _introduce(year: Year, seconds: float, password: str) -> None:
    from storeproof.reference.demo import PEOPLE

    say(
        f"{len(year.failures)} errors, {len(year.requests)} requests, {len(year.budgets)} "
        f"budgets, {len(PEOPLE)} users: made in {seconds:.1f} s"
    )
    first, second = PEOPLE[:2]
    say(f"Sign in as {first.email}, administrator, or {second.email}, who may see users only.")
    say(f"Everybody's password: {password}")


@asynccontextmanager
async def _filled(year: Year, url: str | None, password: str) -> AsyncIterator[Storages]:
    """Storages that hold the year: made in memory, and copied where a database is given."""
    from storeproof.reference.config import Config
    from storeproof.reference.demo import fill
    from storeproof.reference.selection import open_storages
    from storeproof.reference.web import ROLES

    async with open_storages(Config()) as made:
        if url is None:
            await fill(year, made, password=password, roles=ROLES)
            yield made
            return
        async with storages_at(url, create=True) as target:
            await fill(year, made, password=password, roles=ROLES)
            await _copy(made, target)
            yield target


async def _copy(source: Storages, target: Storages) -> None:
    from storeproof.reference.archive import export_archive, import_archive

    with TemporaryDirectory() as folder:
        path = Path(folder) / "demo"
        await export_archive(source, path, clock=lambda: datetime.now(UTC))
        await import_archive(path, target)
