"""For the commands: where answers, and errors, are written."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console

__all__ = ["Json", "err", "out", "say", "say_facts"]

out = Console(soft_wrap=True, emoji=False)
"""Answers, on stdout; wraps nothing, so that they can be read by programs."""

err = Console(stderr=True, soft_wrap=True, emoji=False)
"""Errors and progress, on stderr."""


Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
"""The option of a command that prints a result."""


def say(text: str) -> None:
    """Prints a line as it is: brackets are no markup, numbers have no colour."""
    out.print(text, markup=False, highlight=False)


def say_facts(sentence: str, as_json: bool, **facts: Any) -> None:
    """Prints what was done: a sentence, or an object of JSON."""
    say(json.dumps(facts) if as_json else sentence)
