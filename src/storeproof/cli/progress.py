"""For the commands: how far long work has come, as bars on a terminal, otherwise as lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from storeproof.cli.output import err

__all__ = ["Tell", "telling"]

Tell: TypeAlias = Callable[[str, int, int | None], None]
"""Told of a part of the work, how much of it is done, and how much there is, if that is known."""


@contextmanager
def telling(*, quiet: bool) -> Iterator[Tell]:
    """Shows on stderr what it is told: bars on a terminal, else a line for each finished part."""
    if quiet:
        yield _nothing
    elif err.is_terminal:
        with _bars() as tell:
            yield tell
    else:
        yield _lines


def _nothing(part: str, done: int, total: int | None) -> None:
    pass


def _lines(part: str, done: int, total: int | None) -> None:
    if done == total and done:
        err.print(f"{part} {done}", markup=False, highlight=False)


@contextmanager
def _bars() -> Iterator[Tell]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err) as progress:
        shown = {}

        def tell(part: str, done: int, total: int | None) -> None:
            if not (done or total):
                return
            if part not in shown:
                shown[part] = progress.add_task(part, total=total)
            progress.update(shown[part], completed=done, total=total)

        yield tell
