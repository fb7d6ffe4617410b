"""For operators: `storeproof serve`, the API and the pages behind a port."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Annotated

import typer

from storeproof.cli.databases import URL_VARIABLE, open_all, run
from storeproof.cli.errors import UserError
from storeproof.cli.output import err, say

if TYPE_CHECKING:
    from storeproof.reference.auth.protocol import AuthStorage
    from storeproof.reference.config import Config
    from storeproof.reference.providers.service import KeyRing
    from storeproof.reference.selection import Storages
    from storeproof.reference.web import Services

__all__ = [
    "Host",
    "Port",
    "Quiet",
    "ReportFile",
    "app",
    "new_ring",
    "require_web",
    "serve_services",
]

app = typer.Typer()

KEYS, KEYS_FILE = "STOREPROOF_KEYS", "STOREPROOF_KEYS_FILE"
ADMINISTRATOR = "admin@localhost"

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[
    int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="PATH",
        help="A report of the suites, for the page of conformance; it is read when that is opened.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Don't log requests on stderr.")]


@dataclass(frozen=True)
class _Options:
    """What the command line says, beside where the data lives."""

    host: str
    port: int
    keys: Path | None
    plain_http: bool
    report: Path | None
    quiet: bool


@app.command(epilog="Example: storeproof serve --database sqlite:///app.db --keys keys.txt")
def serve(
    *,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar=URL_VARIABLE,
            help="Where the data lives; without, in the memory of this process.",
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            envvar=KEYS_FILE,
            help=f"The keys that encrypt providers' secrets; or their lines in {KEYS}.",
        ),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="Send cookies without HTTPS, too.")
    ] = False,
    report: ReportFile = None,
    quiet: Quiet = False,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Print a line with a new key, and end.")
    ] = False,
) -> None:
    """Serve the API and the pages, until SIGTERM or Ctrl-C; then what has begun is answered.

    It speaks HTTP: put what speaks HTTPS before it. A database needs its tables and an
    administrator (storeproof init), and keys: storeproof serve --new-key >> keys.txt
    """
    if new_key:
        _say_new_key()
        return
    require_web()
    run(_serve(_config(database), _Options(host, port, keys, plain_http, report, quiet)))


def require_web() -> None:
    """Raises UserError where the extra `web` is not installed."""
    try:
        import litestar  # noqa: F401 - only whether it is there
        import prometheus_client  # noqa: F401 - likewise
        import uvicorn  # noqa: F401 - likewise
    except ImportError:
        raise UserError(
            "The web application is not installed: pip install 'storeproof[web]'"
        ) from None


async def _serve(config: Config, options: _Options) -> None:
    from storeproof.cli.server import listen
    from storeproof.reference.selection import open_storages
    from storeproof.reference.web import Services

    async with open_storages(config) as storages:
        cipher = _key_ring(options.keys, kept=storages.database is not None)
        services = Services.over(storages, cipher=cipher)
        await open_all(storages)
        with listen(options.host, options.port) as listening:
            await _prepare(storages, services)
            await serve_services(
                services,
                listening,
                plain_http=options.plain_http,
                report=options.report,
                quiet=options.quiet,
            )


async def serve_services(
    services: Services, listening: socket, *, plain_http: bool, report: Path | None, quiet: bool
) -> None:
    """Serves the API and the pages until a signal, and does the housekeeping meanwhile."""
    from storeproof.cli.server import serve_until_signal, url_of
    from storeproof.reference.web import WebSettings, create_app

    made = create_app(services, WebSettings(secure_cookies=not plain_http, report=report))
    say(f"storeproof serves {url_of(listening)}")
    async with _housekeeping(services):
        await serve_until_signal(made, listening, quiet=quiet)


@asynccontextmanager
async def _housekeeping(services: Services) -> AsyncIterator[None]:
    from storeproof.reference.web.housekeeping import keep_house

    task = asyncio.create_task(keep_house(services))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def _say_new_key() -> None:
    from storeproof.reference.providers.service import new_key_line

    say(new_key_line(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}".replace(":", "")))


def _config(database: str | None) -> Config:
    from storeproof.reference.config import load_config

    return replace(load_config(), database_url=database)


def _key_ring(path: Path | None, *, kept: bool) -> KeyRing:
    """The keys of the file, else of the environment; new ones where nothing is kept."""
    from storeproof.reference.providers.service import read_key_ring

    if path is not None:
        return read_key_ring(path.read_text("utf-8"), str(path))
    if KEYS in os.environ:
        return read_key_ring(os.environ[KEYS], KEYS)
    if kept:
        raise UserError(
            "There are no keys for providers' secrets. "
            "Run: storeproof serve --new-key >> keys.txt, and give --keys keys.txt"
        )
    return new_ring()


def new_ring() -> KeyRing:
    """A key that nobody has but this process."""
    from storeproof.reference.providers.service import new_key_line, read_key_ring

    return read_key_ring(new_key_line("process"), "process")


async def _prepare(storages: Storages, services: Services) -> None:
    """The roles, and somebody who can sign in: in memory a new one, else it says how."""
    from storeproof.reference.auth.entities import UserFilter
    from storeproof.reference.auth.service import access

    await _install_roles(storages.auth, services)
    if storages.database is None:
        password = secrets.token_urlsafe(12)
        await services.auth.bootstrap(ADMINISTRATOR, password)
        _tell("What is stored is in memory, and gone when this process ends.")
        _tell(f"Sign in as {ADMINISTRATOR} with the password {password}")
        return
    wanted = UserFilter(role=access.ADMINISTRATOR, enabled=True)
    if not (await storages.auth.list_users(wanted, None, 1)).items:
        _tell("There is no administrator yet. Run: storeproof init EMAIL --url URL")


async def _install_roles(storage: AuthStorage, services: Services) -> None:
    """The built-in roles as they are now; of the others those that are not there."""
    from storeproof.reference.auth.service.access import BUILT_IN
    from storeproof.reference.exceptions import NotFound
    from storeproof.reference.web import ROLES

    wanted = list(BUILT_IN)
    for role in ROLES[len(BUILT_IN) :]:
        try:
            await storage.get_role(role.name)
        except NotFound:
            wanted.append(role)
    await services.auth.install_roles(wanted)


def _tell(sentence: str) -> None:
    err.print(f"storeproof: {sentence}", markup=False, highlight=False)
