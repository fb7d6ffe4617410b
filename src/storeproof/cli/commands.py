"""For authors of commands: which there are, each in a module that is loaded when it is needed.

A module has a typer `app`. What it needs from the rest of storeproof it imports inside its
functions, so that `storeproof --help` stays quick.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import typer
from typer.core import TyperGroup

from storeproof.cli.errors import told

__all__ = ["COMMANDS", "GROUPS", "Commands"]

GROUPS: Final = {"bench": "bench", "schema": "schema", "users": "users"}
"""The name of a group of commands -> the module, whose `app` it is."""

COMMANDS: Final = {
    "check": "check",
    "compare": "report",
    "demo": "demo",
    "export": "archives",
    "import": "archives",
    "init": "init",
    "report": "report",
    "serve": "serve",
    "verify": "archives",
    "migrate": "migrate",
    "new": "new",
}
"""The name of a command -> the module in whose `app` it is."""


class Commands(TyperGroup):
    """The commands of GROUPS and COMMANDS; their errors are told in one sentence."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        module = {**COMMANDS, **GROUPS}.get(cmd_name)
        if module is None:
            return None
        app = importlib.import_module(f"storeproof.cli.{module}").app
        if cmd_name in COMMANDS:
            return typer.main.get_group(app).commands[cmd_name]
        group = typer.main.get_group(app)
        group.name = cmd_name
        return group

    def invoke(self, ctx: Any) -> Any:
        with told():
            return super().invoke(ctx)
