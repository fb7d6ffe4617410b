"""For the commands: passwords, which never come from the command line itself."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from storeproof.cli.errors import UserError

__all__ = ["PasswordFromStdin", "read_password"]

PasswordFromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from a line of stdin; else ask."),
]


def read_password(from_stdin: bool) -> str:
    """The password, asked for twice on a terminal, or the first line of stdin.

    Raises UserError where there is neither.
    """
    if not from_stdin and not sys.stdin.isatty():
        raise UserError("There is no terminal to ask for a password. Give --password-stdin.")
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    if not password:
        raise UserError("The password is empty. Nothing was changed.")
    return str(password)
