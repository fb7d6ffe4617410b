"""`storeproof` is quick to help, tells errors in a sentence, and exits with the documented code."""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import Callable
from importlib.metadata import version

import pytest
import typer
from typer.testing import Result

import storeproof.cli
from storeproof.cli import commands
from storeproof.cli.databases import run as run_work
from storeproof.cli.databases import storages_at
from storeproof.cli.errors import ExitCode, Interrupted, UserError, told
from storeproof.harness.exceptions import ReportError
from storeproof.reference.exceptions import NotFound, OutcomeUnknown, Unavailable

Run = Callable[..., Result]


def test_help_names_every_command(run: Run) -> None:
    shown = run("--help")
    assert shown.exit_code == ExitCode.DONE
    assert [
        name for name in [*commands.GROUPS, *commands.COMMANDS] if name not in shown.output
    ] == []


def test_every_command_has_help(run: Run) -> None:
    for name in [*commands.GROUPS, *commands.COMMANDS]:
        shown = run(name, "--help")
        assert (shown.exit_code, name in shown.output) == (ExitCode.DONE, True)


def test_help_loads_nothing_heavy(python: Callable[[str], str]) -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom storeproof.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print(sorted({'sqlalchemy', 'alembic', 'pytest', 'hypothesis', 'msgspec'} "
        "& set(sys.modules)))"
    )
    assert python(code) == "[]"


def test_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").output == f"storeproof {version('storeproof')}\n"


def test_an_unknown_command_is_a_wrong_command_line(run: Run) -> None:
    assert run("nonsense").exit_code == ExitCode.USAGE


def test_every_exit_code_is_documented() -> None:
    lines = [line.split() for line in str(storeproof.cli.__doc__).splitlines()]
    documented = {line[0] for line in lines if line}
    assert [code for code in ExitCode if str(int(code)) not in documented] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("no"), ExitCode.UNUSABLE),
        (UserError("found", ExitCode.FOUND), ExitCode.FOUND),
        (Unavailable("gone"), ExitCode.UNAVAILABLE),
        (OutcomeUnknown("lost"), ExitCode.UNKNOWN),
        (NotFound("user", "u"), ExitCode.REFUSED),
        (ReportError("there", "is no report"), ExitCode.UNUSABLE),
        (FileNotFoundError(2, "No such file", "there"), ExitCode.UNUSABLE),
        (KeyboardInterrupt(), 130),
        (Interrupted(signal.SIGHUP), 129),
    ],
)
def test_errors_are_a_sentence_and_an_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, told():
        raise error
    written = capsys.readouterr()
    assert ended.value.exit_code == code
    assert written.out == ""
    assert written.err.startswith("storeproof: ")
    assert written.err.count("\n") == 1


def test_an_error_of_storeproof_itself_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), told():
        raise ZeroDivisionError


def test_errors_of_a_command_are_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()

    @app.command()
    def fail() -> None:
        raise Unavailable("[gone]")

    @app.command()
    def other() -> None:
        pass

    module = importlib.import_module("storeproof.cli.schema")
    monkeypatch.setattr(module, "app", app)
    monkeypatch.setitem(commands.COMMANDS, "fail", "schema")
    failed = run("fail")
    assert failed.exit_code == ExitCode.UNAVAILABLE
    assert "[gone]" in failed.stderr


def test_a_signal_cancels_the_work_which_cleans_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    with pytest.raises(Interrupted, match="SIGTERM"):
        run_work(work())
    assert cleaned == [True]


def test_storages_are_those_of_the_database(sqlite_url: str) -> None:
    async def use() -> list[str]:
        async with storages_at(sqlite_url, create=True) as storages:
            return [type(storages.auth).__name__, type(storages.costs).__name__]

    assert run_work(use()) == ["DatabaseAuthStorage", "DatabaseCostStorage"]


def test_a_database_in_memory_is_refused() -> None:
    async def use() -> None:
        async with storages_at("sqlite:///:memory:"):
            raise AssertionError

    with pytest.raises(UserError, match="sqlite:///PATH"):
        run_work(use())
