"""Failures of several clients say through this module what is wrong with a history."""

from __future__ import annotations

import textwrap

from storeproof.harness.history import History, MadeCall
from storeproof.harness.lanes import draw
from storeproof.harness.linearizability import Block, Finding

__all__ = ["broken_parts", "contradiction", "picture"]

_WIDTH = 96


def broken_parts(history: History, finding: Finding) -> list[str]:
    """Give the picture of a history, and the sentence that says what no order explains."""
    return [picture(history), contradiction(history, finding)]


def picture(history: History) -> str:
    """Draw a history for a terminal."""
    return "\n".join(draw(history.to_json(), _WIDTH))


def contradiction(history: History, finding: Finding) -> str:
    """Say what no order of a history's calls explains: how far the longest one goes, and why.

    Calls have the numbers of the picture.
    """
    undeclared = history.undeclared()
    if undeclared is not None:
        number = _number(history, undeclared)
        return textwrap.fill(
            f"Call {number} {undeclared.outcome}, which is none of the contract's errors.", _WIDTH
        )
    order = ", ".join(str(_number(history, each)) for each in finding.order)
    begin = f"The longest one that does goes {order}; after it" if order else "At the very start"
    lines = [
        f"No order of these calls gives these outcomes on the model. {begin}",
        *(f"- {_blocked(history, each)}" for each in finding.blocks),
    ]
    return "\n".join(
        textwrap.fill(line, _WIDTH, subsequent_indent="  " if line[0] == "-" else "")
        for line in lines
    )


def _blocked(history: History, block: Block) -> str:
    number = _number(history, block.call)
    return f"call {number} ({block.call.call.operation}) does not fit: {block.reason}"


def _number(history: History, made: MadeCall) -> int:
    return 1 + [each.position for each in history.calls].index(made.position)
