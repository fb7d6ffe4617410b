"""Whoever shows a history draws it here, from its JSON form: one lane for each client.

A call is an interval from its invocation to its response, under the number by which the list below
the lanes tells what it was.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["draw", "plain"]

_WIDTH = 96
_NARROWEST, _WIDEST = 2, 6
"""Columns between two moments."""

Made = Mapping[str, Any]


def draw(history: Sequence[Made], width: int = _WIDTH) -> list[str]:
    """Give the lines of a picture of a history, none of them longer than the width.

    history: for each call its `client` from 0, `call`, `outcome`, the outcome's `kind` (`returned`,
    `raised`, which is drawn as !, or `unknown`), `invoked` and `returned`, which is None where
    nobody knows what became of it. Where it does not fit beside what came before,
    what came first is not drawn; every call is listed.
    """
    clients = sorted({made["client"] for made in history})
    moments = sorted({each for made in history for each in _ends(made)})
    room = width - len(_label(max(clients, default=0))) - 1
    shown = moments[-max(1, room // _NARROWEST) :]
    step = min(_WIDEST, max(_NARROWEST, room // max(1, len(shown))))
    columns = {moment: step * index for index, moment in enumerate(shown)}
    numbered = list(enumerate(history, 1))
    lanes = [
        f"{_label(client)} {_lane([x for x in numbered if x[1]['client'] == client], columns)}"
        for client in clients
    ]
    told = [line for number, made in numbered for line in _told(number, made, width)]
    return [*(lane.rstrip()[:width] for lane in lanes), "", *told]


def _ends(made: Made) -> list[int]:
    return [made["invoked"], *([made["returned"]] if made["returned"] is not None else [])]


def _label(client: int) -> str:
    return f"client {client + 1}"


def _lane(calls: Sequence[tuple[int, Made]], columns: Mapping[int, int]) -> str:
    last = max(columns.values(), default=0)
    lane = [" "] * (last + 1)
    for number, made in calls:
        if made["returned"] is not None and made["returned"] not in columns:
            continue
        start = columns.get(made["invoked"], 0)
        end = last if made["returned"] is None else columns[made["returned"]]
        lane[start : end + 1] = _interval(number, end - start + 1, made["kind"])
    return "".join(lane)


def _interval(number: int, width: int, kind: str) -> str:
    end = "…" if kind == "unknown" else "┤"
    text = f"{number}!" if kind == "raised" and width >= len(str(number)) + 3 else str(number)
    if width < len(text) + 2:
        return f"├{text}{end}"[:width].ljust(width, "─")
    return f"├{text.center(width - 2, '─')}{end}"


def _told(number: int, made: Made, width: int) -> list[str]:
    first = f"{number:>3}  {_label(made['client'])}: "
    text = f"{plain(made['call'])} {plain(made['outcome'])}"
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=" " * 7, break_on_hyphens=False
    )


def plain(text: str, kept: str = "") -> str:
    """Write what a reader would not see, or a screen would act on, as its escape."""
    return "".join(
        each if each.isprintable() or each in kept else ascii(each)[1:-1] for each in text
    )
