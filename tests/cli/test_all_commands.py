"""Every command has help, an example that is one, JSON for its result, and no traceback."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from storeproof.cli import app
from storeproof.cli.errors import ExitCode

Run = Callable[..., Result]

PROMISED = (
    "check report bench export import verify migrate schema users init serve demo compare new"
)
WITHOUT_JSON = {
    "report": "it reads JSON",
    "bench run": "--json PATH writes the report",
    "bench load": "likewise",
    "bench compare": "both reports are JSON already",
    "new": "it writes files",
    "serve": "it serves until it is ended",
    "demo": "likewise",
}


def walk(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command that is no group, by its name."""
    for each in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from walk(command.get_command(None, each), f"{name} {each}".strip())
    if not hasattr(command, "list_commands"):
        yield name, command


LEAVES = dict(walk(typer.main.get_command(app)))


def test_what_was_promised_is_there(run: Run) -> None:
    assert {name.split()[0] for name in LEAVES} == set(PROMISED.split())
    assert [name for name in PROMISED.split() if name not in run("--help").output] == []


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_has_help_with_an_example(name: str, run: Run) -> None:
    shown = run(*name.split(), "--help")
    assert shown.exit_code == ExitCode.DONE
    assert f"storeproof {name.removesuffix(' run')}" in " ".join(shown.output.split())
    assert LEAVES[name].help
    assert str(LEAVES[name].epilog).startswith("Example")


@pytest.mark.parametrize("name", LEAVES)
def test_an_example_is_a_command_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOREPROOF_DATABASE_URL", "sqlite:///example.db")
    text = str(LEAVES[name].epilog).split(":", 1)[1]
    example = shlex.split(text.split(";")[0])
    assert example[0] == "storeproof"
    arguments, wanted = example[1:], name.split()
    if arguments[: len(wanted)] != wanted:
        wanted = wanted[:-1]
    assert arguments[: len(wanted)] == wanted
    LEAVES[name].make_context(name, arguments[len(wanted) :])


@pytest.mark.parametrize("name", LEAVES)
def test_a_result_is_to_be_had_as_json(name: str) -> None:
    options = {option for each in LEAVES[name].params for option in each.opts}
    assert "--json" in options or name in WITHOUT_JSON


@pytest.mark.parametrize("name", LEAVES)
def test_no_password_comes_from_the_command_line(name: str) -> None:
    options = {option for each in LEAVES[name].params for option in each.opts}
    assert "--password" not in options


def test_help_says_what_exit_codes_mean(run: Run) -> None:
    shown = " ".join(run("--help").output.split())
    documented = Path(__file__).parents[2].joinpath("docs", "cli.md").read_text("utf-8")
    for code in ExitCode:
        assert f"{int(code)} " in shown.partition("Exit codes:")[2]
        assert f"| {int(code)} |" in documented


ABSENT = {
    "bench compare": ("absent.json", "absent.json"),
    "bench load": ("absent.module:thing",),
    "bench run": ("absent.module:thing",),
    "check": ("absent.module:thing", "--contract=auth"),
    "compare": ("absent.json", "absent.json"),
    "demo": ("--database=sqlite:////dev/null/x.db", "--errors=1", "--requests=1", "--port=0"),
    "export": ("--from=sqlite:///absent.db", "--to=archive"),
    "import": ("absent", "--to=sqlite:////dev/null/x.db"),
    "init": ("a@example.org", "--url=sqlite:////dev/null/x.db", "--password-stdin"),
    "migrate": ("--from=absent.csv", "--to=sqlite:///absent.db"),
    "new": ("no name", "--protocol=absent.module:thing", "--model=absent.module:other"),
    "report": ("absent.json",),
    "schema check": ("sqlite:///absent.db",),
    "schema current": ("sqlite:///absent.db",),
    "schema downgrade": ("sqlite:///absent.db", "--to=0"),
    "schema upgrade": ("nonsense",),
    "serve": ("--database=sqlite:///absent.db", "--keys=absent.txt"),
    "users create": ("a@example.org", "--url=sqlite:///absent.db", "--password-stdin"),
    "users disable": ("a@example.org", "--url=sqlite:///absent.db"),
    "users enable": ("a@example.org", "--url=sqlite:///absent.db"),
    "users grant": ("a@example.org", "viewer", "--url=sqlite:///absent.db"),
    "users list": ("--url=mysql://nowhere/x",),
    "users reset-password": ("a@example.org", "--url=sqlite:///absent.db", "--password-stdin"),
    "verify": ("absent",),
}


@pytest.mark.parametrize("name", LEAVES)
def test_what_is_absent_is_told_in_a_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [*name.split(), *ABSENT[name]]
    told = CliRunner().invoke(app, arguments, input="correct horse battery\n")
    assert told.exit_code in {*ExitCode} - {ExitCode.DONE}, told.output
    assert isinstance(told.exception, SystemExit), told.exception
    assert told.stderr.strip()
    assert "Traceback" not in told.output


@pytest.mark.parametrize("name", LEAVES)
def test_an_unknown_option_is_a_wrong_command_line(name: str, run: Run) -> None:
    assert run(*name.split(), "--no-such-option").exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("storeproof ", {"serve", "demo", "users", "schema"}),
        ("storeproof users ", {"create", "list", "reset-password"}),
        ("storeproof serve --", {"--database", "--keys", "--port"}),
    ],
)
def test_the_shell_completes(words: str, wanted: set[str]) -> None:
    environ = {
        **os.environ,
        "_STOREPROOF_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    code = "from storeproof.cli import main; main()"
    done = subprocess.run(  # noqa: S603 - the code is the test's own
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False
    )
    assert wanted <= set(done.stdout.split()), done


def test_what_was_done_is_json(sqlite_url: str) -> None:
    def made(*arguments: str) -> Any:
        done = CliRunner().invoke(app, [*arguments, "--json"], input="correct horse battery\n")
        assert done.exit_code == ExitCode.DONE, done.output
        return json.loads(done.stdout)

    url = f"--url={sqlite_url}"
    bob = "bob@example.org"
    assert made("schema", "upgrade", sqlite_url)["made"][0] == 1
    assert made("init", "ann@example.org", url, "--password-stdin")["email"] == "ann@example.org"
    user = made("users", "create", bob, url, "--password-stdin")
    assert (user["email"], "password_hash" in user) == (bob, False)
    assert made("users", "disable", bob, url)["enabled"] is False
    assert made("users", "enable", bob, url)["enabled"] is True
    assert made("users", "grant", bob, "viewer", url) == {
        "user": user["id"],
        "role": "viewer",
        "scope": "",
    }
    assert made("users", "reset-password", bob, url, "--password-stdin") == {"user": user["id"]}
    assert 1 in made("schema", "downgrade", sqlite_url, "--to=0", "--accept-loss")["undone"]
