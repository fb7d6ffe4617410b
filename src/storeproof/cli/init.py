"""For operators: `storeproof init`, the first thing to do with a database of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from storeproof.cli.databases import open_all, run, storages_at
from storeproof.cli.output import Json, say_facts
from storeproof.cli.passwords import PasswordFromStdin, read_password
from storeproof.cli.users import Email, Name, Url, facts

if TYPE_CHECKING:
    from storeproof.reference.auth.service.views import UserView

__all__ = ["app"]

app = typer.Typer()


@app.command(epilog="Example: storeproof init ann@example.org --url sqlite:///app.db")
def init(
    email: Email,
    url: Url,
    name: Name = "",
    password_stdin: PasswordFromStdin = False,
    as_json: Json = False,
) -> None:
    """Make the tables that are not there, the built-in roles, and the first administrator."""
    made = run(_init(url, email, name, read_password(password_stdin)))
    say_facts(f"{made.email} is administrator", as_json, **facts(made))


async def _init(url: str, email: str, name: str, password: str) -> UserView:
    from storeproof.reference.auth.service import AuthService

    async with storages_at(url, create=True) as storages:
        await open_all(storages)
        return await AuthService(storages.auth).bootstrap(email, password, display_name=name)
