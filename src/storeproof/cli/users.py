"""For operators: `storeproof users`, who can sign in and what they may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storeproof.cli.databases import URL_VARIABLE, run, storages_at
from storeproof.cli.errors import UserError
from storeproof.cli.output import Json, say_facts
from storeproof.cli.passwords import PasswordFromStdin, read_password

if TYPE_CHECKING:
    from storeproof.reference.auth.entities import User
    from storeproof.reference.auth.protocol import AuthStorage
    from storeproof.reference.auth.service import AuthService
    from storeproof.reference.auth.service.access import Principal
    from storeproof.reference.auth.service.views import UserView

__all__ = ["Email", "Name", "Url", "app", "facts"]

app = typer.Typer(help="Manage the users of a database.", no_args_is_help=True)

Url = Annotated[
    str,
    typer.Option("--url", envvar=URL_VARIABLE, help="Where the users are; or the environment."),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by", help="The e-mail of the administrator whose change it is; else the only one."
    ),
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's e-mail address.")]
Name = Annotated[str, typer.Option("--name", help="The name that is displayed.")]


@dataclass(frozen=True)
class _Desk:
    """Where a command works, and in whose name."""

    service: AuthService
    storage: AuthStorage
    principal: Principal


Work = Callable[[_Desk], Awaitable[None]]


@app.command("list", epilog="Example: storeproof users list --url sqlite:///app.db --json")
def list_(
    url: Url,
    by: By = None,
    as_json: Json = False,
) -> None:
    """List the users, a line for each, also of JSON."""

    async def work(desk: _Desk) -> None:
        from storeproof.reference.auth.entities import UserFilter

        page = await desk.service.list_users(desk.principal, UserFilter())
        while True:
            for user in page.items:
                say_facts(_line(user), as_json, **facts(user))
            if page.next_cursor is None:
                return
            page = await desk.service.list_users(desk.principal, UserFilter(), page.next_cursor)

    _run(url, by, work)


@app.command(epilog="Example: storeproof users create bob@example.org --role viewer")
def create(
    *,
    email: Email,
    url: Url,
    by: By = None,
    name: Name = "",
    role: Annotated[list[str] | None, typer.Option(help="A role, in every scope.")] = None,
    password_stdin: PasswordFromStdin = False,
    as_json: Json = False,
) -> None:
    """Make a user who can sign in."""

    async def work(desk: _Desk) -> None:
        from storeproof.reference.auth.entities import GLOBAL, RoleName

        for each in role or ():
            await desk.service.get_role(desk.principal, RoleName(each))
        user = await desk.service.create_user(
            desk.principal, email, display_name=name, password=password
        )
        for each in role or ():
            await desk.service.grant(desk.principal, user.id, RoleName(each), GLOBAL)
        say_facts(_line(user), as_json, **facts(user))

    password = read_password(password_stdin)
    _run(url, by, work)


@app.command(epilog="Example: storeproof users disable bob@example.org")
def disable(email: Email, url: Url, by: By = None, as_json: Json = False) -> None:
    """Keep a user from signing in, and end all sessions."""
    _run(url, by, _enabling(email, False, as_json))


@app.command(epilog="Example: storeproof users enable bob@example.org")
def enable(email: Email, url: Url, by: By = None, as_json: Json = False) -> None:
    """Let a user sign in again."""
    _run(url, by, _enabling(email, True, as_json))


@app.command(epilog="Example: storeproof users grant bob@example.org manager --scope team/a")
def grant(
    *,
    email: Email,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="The name of the role.")],
    url: Url,
    by: By = None,
    scope: Annotated[str, typer.Option(help="Where it holds; else everywhere.")] = "",
    as_json: Json = False,
) -> None:
    """Give a user a role."""

    async def work(desk: _Desk) -> None:
        from storeproof.reference.auth.entities import RoleName, Scope

        user = await _user(desk.storage, email)
        await desk.service.grant(desk.principal, user.id, RoleName(role), Scope(scope))
        sentence = f"{user.email} has the role {role}{f' in {scope}' if scope else ''}"
        say_facts(sentence, as_json, user=user.id, role=role, scope=scope)

    _run(url, by, work)


@app.command(epilog="Example: storeproof users reset-password bob@example.org")
def reset_password(
    email: Email,
    url: Url,
    by: By = None,
    password_stdin: PasswordFromStdin = False,
    as_json: Json = False,
) -> None:
    """Give a user another password, and end all sessions and a lock-out."""

    async def work(desk: _Desk) -> None:
        user = await _user(desk.storage, email)
        _require_strong(password, user)
        issued = await desk.service.reset_password(desk.principal, user.id)
        await desk.service.redeem_reset(issued.token, password)
        say_facts(f"{user.email} has another password", as_json, user=user.id)

    password = read_password(password_stdin)
    _run(url, by, work)


def _run(url: str, by: str | None, work: Work) -> None:
    async def whole() -> None:
        from storeproof.reference.auth.service import AuthService

        async with storages_at(url) as storages:
            principal = await _principal(storages.auth, by)
            await work(_Desk(AuthService(storages.auth), storages.auth, principal))

    run(whole())


async def _principal(storage: AuthStorage, by: str | None) -> Principal:
    """Whoever has the database's URL needs no password; the audit trail names whom they act for."""
    from storeproof.reference.auth.entities import SessionId
    from storeproof.reference.auth.service.access import Principal

    user = await _user(storage, by) if by is not None else await _only_administrator(storage)
    return Principal(user=user.id, session=SessionId("command line"))


async def _only_administrator(storage: AuthStorage) -> User:
    from storeproof.reference.auth.entities import UserFilter
    from storeproof.reference.auth.service.access import ADMINISTRATOR

    found = await storage.list_users(UserFilter(role=ADMINISTRATOR, enabled=True), None, 2)
    if not found.items:
        raise UserError("There is no administrator yet. Run: storeproof init EMAIL")
    if len(found.items) > 1:
        raise UserError("There are several administrators. Say by --by EMAIL whose change it is.")
    return found.items[0]


async def _user(storage: AuthStorage, email: str) -> User:
    from storeproof.reference.auth.entities import Email

    return await storage.find_by_email(Email(email))


def _enabling(email: str, enabled: bool, as_json: bool) -> Work:
    async def work(desk: _Desk) -> None:
        from storeproof.reference.auth.entities import UserPatch

        user = await _user(desk.storage, email)
        after = await desk.service.update_user(
            desk.principal, user.id, UserPatch(enabled=enabled), user.version
        )
        say_facts(_line(after), as_json, **facts(after))

    return work


def _require_strong(password: str, user: User) -> None:
    """Before the password that the user has is gone."""
    from storeproof.reference.auth.service import AuthPolicy
    from storeproof.reference.auth.service.exceptions import WeakPassword
    from storeproof.reference.auth.service.sign_in import about

    problem = AuthPolicy().passwords.problem(password, about(user.email, user.display_name))
    if problem is not None:
        raise WeakPassword(problem)


def _line(user: UserView) -> str:
    states: dict[str, Any] = {
        "disabled": not user.enabled,
        "without password": not user.has_password,
        "locked out": user.locked_until is not None,
    }
    return ", ".join([user.email, *(state for state, holds in states.items() if holds)])


def facts(user: UserView) -> dict[str, Any]:
    """What may be told of a user, as plain values for JSON."""
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(user)
    return found
