"""For whoever changes commands or options: writes the pages of reference that are made of the code.

`python -m documentation.reference` (with PYTHONPATH=tests) writes them into docs/; a test compares.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import typer

from storeproof import cli, plugin

from .pages import ROOT

__all__ = ["PAGES", "command_line", "pytest_options"]


def command_line() -> str:
    """Give the page of the command `storeproof`."""
    root = typer.main.get_command(cli.app)
    commands = (line for each in _commands(root, "storeproof") for line in each)
    return "\n".join(
        [
            "# Every command",
            "",
            "What `storeproof` takes, as `--help` tells it; [The command line](cli.md) is shorter,",
            "and has the exit codes. This page is made of the code.",
            *commands,
            "",
        ]
    )


def _commands(command: Any, name: str) -> Iterator[Iterator[str]]:
    context = command.make_context(name, [], resilient_parsing=True)
    if not hasattr(command, "list_commands"):
        yield _command(command, name)
        return
    for each in command.list_commands(context):
        yield from _commands(command.get_command(context, each), f"{name} {each}")


def _command(command: Any, name: str) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    usage = " ".join(["[OPTIONS]", *(each.name.upper() for each in arguments)])
    yield from ("", f"## {name}", "", *_text(command.help), "")
    yield f"Usage: `{name} {usage}`"
    if options or arguments:
        yield from ("", "| argument or option | meaning |", "|---|---|")
    yield from (_row(f"`{each.name.upper()}`", each.help) for each in arguments)
    yield from (_row(_names(each), _meaning(each)) for each in options)
    yield from (f"\n{each}" for each in _text(command.epilog))


def _text(text: str | None) -> list[str]:
    return inspect.cleandoc(text or "").splitlines()


def _names(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.name.upper()}"
    return ", ".join(f"`{each}{value}`" for each in option.opts)


def _meaning(option: Any) -> str:
    notes = [
        "required" if option.required else "",
        f"environment: `{option.envvar}`" if option.envvar else "",
        "" if option.is_flag or not option.default else f"default: `{option.default}`",
    ]
    shown = "; ".join(each for each in notes if each)
    return f"{option.help} ({shown})" if shown else str(option.help)


def _row(name: str, meaning: str | None) -> str:
    escaped = (meaning or "").replace("|", "\\|").replace("<", "&lt;")
    return f"| {name} | {escaped} |"


@dataclass
class _Options:
    """Stands for pytest's parser, and keeps what a plugin tells it."""

    rows: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)

    def getgroup(self, _name: str, _description: str) -> _Options:
        return self

    def addoption(self, name: str, *, help: str, **given: Any) -> None:
        if help is argparse.SUPPRESS:
            return
        choices = "|".join(given.get("choices", ()))
        value = given.get("metavar") or (f"{{{choices}}}" if choices else "")
        shown = name + (f"={value}" if value else "")
        self.rows.append(_row(f"`{shown}`".replace("|", "\\|"), help))

    def addini(self, name: str, help: str, **_given: Any) -> None:
        self.settings.append(_row(f"`{name}`", help))


def pytest_options() -> str:
    """Give the page of the plugin's options."""
    options = _Options()
    plugin.pytest_addoption(options)  # type: ignore[arg-type]  # it is told the same
    return "\n".join(
        [
            "# pytest's options",
            "",
            "What the plugin adds to pytest. This page is made of the code.",
            "",
            "| option | meaning (default) |",
            "|---|---|",
            *options.rows,
            "",
            "In pytest's settings (`[tool.pytest.ini_options]`):",
            "",
            "| setting | meaning |",
            "|---|---|",
            *options.settings,
            "",
            "From the environment, where no option says otherwise: `STOREPROOF_POSTGRES_URL`,",
            "`STOREPROOF_POSTGRES_IMAGE`.",
            "",
        ]
    )


PAGES: dict[str, Callable[[], str]] = {
    "command-line.md": command_line,
    "pytest-options.md": pytest_options,
}


def main() -> None:
    """Write the pages."""
    for name, made in PAGES.items():
        (ROOT / "docs" / name).write_text(made(), "utf-8")


if __name__ == "__main__":
    main()
