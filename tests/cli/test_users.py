"""`storeproof init` and `storeproof users`, whose passwords come from stdin."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from typer.testing import CliRunner, Result

from storeproof.cli import app
from storeproof.cli.databases import storages_at
from storeproof.cli.errors import ExitCode
from storeproof.reference.auth.entities import AuditFilter
from storeproof.reference.auth.service import AuthService, SignInRefused
from storeproof.reference.selection import Storages

PASSWORD, OTHER = "correct horse battery", "another long password"
ANN, BOB = "ann@example.org", "bob@example.org"
T = TypeVar("T")
Invoke = Callable[..., Result]


@pytest.fixture
def invoke(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs `storeproof` on a database of users, with this text on stdin."""
    monkeypatch.setenv("STOREPROOF_DATABASE_URL", sqlite_url)
    return lambda *arguments, stdin="": CliRunner().invoke(app, arguments, input=stdin)


@pytest.fixture
def users(invoke: Invoke) -> Invoke:
    """As `invoke`, where Ann is administrator and Bob a viewer."""
    invoke("init", ANN, "--password-stdin", stdin=f"{PASSWORD}\n")
    made = invoke(
        "users", "create", BOB, "--role=viewer", "--password-stdin", stdin=f"{PASSWORD}\n"
    )
    assert made.output == f"{BOB}\n"
    return lambda *arguments, stdin="": invoke("users", *arguments, stdin=stdin)


def look(url: str, work: Callable[[Storages], Awaitable[T]]) -> T:
    async def whole() -> T:
        async with storages_at(url) as storages:
            return await work(storages)

    return asyncio.run(whole())


def signs_in(url: str, email: str, password: str) -> bool:
    async def work(storages: Storages) -> bool:
        try:
            await AuthService(storages.auth).log_in(email, password)
        except SignInRefused:
            return False
        return True

    return look(url, work)


def test_init_makes_the_first_administrator_once(invoke: Invoke, sqlite_url: str) -> None:
    made = invoke("init", ANN, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (made.exit_code, made.output) == (ExitCode.DONE, f"{ANN} is administrator\n")
    assert signs_in(sqlite_url, ANN, PASSWORD)
    again = invoke("init", BOB, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (again.exit_code, "administrator already" in again.stderr) == (ExitCode.REFUSED, True)


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        ((), PASSWORD, ExitCode.UNUSABLE),
        (("--password-stdin",), "", ExitCode.UNUSABLE),
        (("--password-stdin",), "\n", ExitCode.UNUSABLE),
        (("--password-stdin",), "short\n", ExitCode.REFUSED),
        (("--password", PASSWORD), "", ExitCode.USAGE),
    ],
)
def test_a_password_comes_from_stdin_or_not_at_all(
    invoke: Invoke, arguments: tuple[str, ...], stdin: str, code: ExitCode
) -> None:
    refused = invoke("init", ANN, *arguments, stdin=stdin)
    assert refused.exit_code == code
    assert PASSWORD not in refused.output


def test_users_are_listed(users: Invoke) -> None:
    assert sorted(users("list").output.split()) == [ANN, BOB]
    rows = [json.loads(line) for line in users("list", "--json").output.splitlines()]
    assert sorted(row["email"] for row in rows) == [ANN, BOB]
    assert not {"password_hash", "password"} & set(rows[0])


def test_an_unknown_role_makes_no_user(users: Invoke) -> None:
    refused = users(
        "create", "c@example.org", "--role=none", "--password-stdin", stdin=f"{PASSWORD}\n"
    )
    assert refused.exit_code == ExitCode.REFUSED
    assert sorted(users("list").output.split()) == [ANN, BOB]


def test_a_disabled_user_does_not_sign_in(users: Invoke, sqlite_url: str) -> None:
    assert signs_in(sqlite_url, BOB, PASSWORD)
    assert users("disable", BOB).output == f"{BOB}, disabled\n"
    assert not signs_in(sqlite_url, BOB, PASSWORD)
    assert users("enable", BOB).output == f"{BOB}\n"
    assert signs_in(sqlite_url, BOB, PASSWORD)
    assert users("disable", ANN).exit_code == ExitCode.REFUSED


def test_roles_are_granted(users: Invoke, sqlite_url: str) -> None:
    granted = users("grant", BOB, "manager", "--scope=team")
    assert granted.output == f"{BOB} has the role manager in team\n"

    async def permissions(storages: Storages) -> bool:
        user = await storages.auth.find_by_email(BOB)  # type: ignore[arg-type]  # an e-mail
        held = await storages.auth.permissions(user.id, "team")  # type: ignore[arg-type]  # a scope
        return "users.write" in held

    assert look(sqlite_url, permissions)


def test_a_password_is_reset(users: Invoke, sqlite_url: str) -> None:
    weak = users("reset-password", BOB, "--password-stdin", stdin="short\n")
    assert weak.exit_code == ExitCode.REFUSED
    assert signs_in(sqlite_url, BOB, PASSWORD)
    reset = users("reset-password", BOB, "--password-stdin", stdin=f"{OTHER}\n")
    assert reset.output == f"{BOB} has another password\n"
    assert [signs_in(sqlite_url, BOB, each) for each in (PASSWORD, OTHER)] == [False, True]


def test_whose_change_it_is_must_be_clear_and_allowed(users: Invoke, sqlite_url: str) -> None:
    refused = users("disable", ANN, "--by", BOB)
    assert (refused.exit_code, "users.write" in refused.stderr) == (ExitCode.REFUSED, True)
    users("grant", BOB, "administrator")
    unclear = users("disable", ANN)
    assert (unclear.exit_code, "--by" in unclear.stderr) == (ExitCode.UNUSABLE, True)
    assert users("disable", ANN, "--by", BOB).exit_code == ExitCode.DONE

    async def actors(storages: Storages) -> list[object]:
        bob = await storages.auth.find_by_email(BOB)  # type: ignore[arg-type]  # an e-mail
        page = await storages.auth.list_audit(AuditFilter(), None, 100)
        found = [each.action for each in page.items if each.actor == bob.id]
        return [*found]

    assert "update_user" in look(sqlite_url, actors)


def test_a_database_without_users_says_what_to_do(invoke: Invoke, sqlite_url: str) -> None:
    absent = invoke("users", "list")
    assert (absent.exit_code, absent.stderr.count("\n")) == (ExitCode.UNUSABLE, 1)
    invoke("schema", "upgrade", sqlite_url)
    empty = invoke("users", "list")
    assert (empty.exit_code, "storeproof init" in empty.stderr) == (ExitCode.UNUSABLE, True)


def test_an_unknown_user_is_told(users: Invoke) -> None:
    assert users("disable", "nobody@example.org").exit_code == ExitCode.REFUSED
