"""The page draws a history through this module: one lane a client, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Bar", "Lane", "Picture", "picture"]

_WIDTH = 640
_NARROWEST, _WIDEST = 34, 90
"""Between two moments; all lengths are in CSS pixels."""
_BAR, _LABEL, _GAP, _EDGE = 24, 18, 12, 8
_LETTER = 7.5

Made = Mapping[str, Any]


class Bar(NamedTuple):
    """A call, from its invocation to its response."""

    number: int
    label: str
    x: float
    width: float
    middle: float
    """Of the label."""
    kind: str
    """`returned`, `raised` or `unknown`."""
    title: str


class Lane(NamedTuple):
    """What one client did."""

    client: int
    """From 1."""
    y: float
    bars: tuple[Bar, ...]


class Picture(NamedTuple):
    """What the page draws, and lists below."""

    width: float
    height: float
    bar: float
    label: float
    lanes: tuple[Lane, ...]
    calls: tuple[Mapping[str, Any], ...]


def picture(history: Sequence[Made]) -> Picture:
    """Lay a history out.

    history: for each call its `client` from 0, `call`, `outcome`, `kind`, `invoked` and `returned`,
    which is None where nobody knows what became of it.
    """
    moments = sorted({moment for each in history for moment in _ends(each)})
    steps = max(1, len(moments) - 1)
    step = min(_WIDEST, max(_NARROWEST, _WIDTH // steps))
    columns = {moment: _EDGE + step * index for index, moment in enumerate(moments)}
    end = _EDGE + step * steps
    clients = sorted({each["client"] for each in history})
    height = _LABEL + _BAR + _GAP
    lanes = [
        Lane(client + 1, height * index, tuple(_bars(history, client, columns, end)))
        for index, client in enumerate(clients)
    ]
    return Picture(end + _EDGE, height * len(lanes), _BAR, _LABEL, tuple(lanes), tuple(history))


def _ends(made: Made) -> Iterator[int]:
    yield made["invoked"]
    if made["returned"] is not None:
        yield made["returned"]


def _bars(
    history: Sequence[Made], client: int, columns: Mapping[int, float], end: float
) -> Iterator[Bar]:
    for number, made in enumerate(history, 1):
        if made["client"] == client:
            start = columns[made["invoked"]]
            stop = end if made["returned"] is None else columns[made["returned"]]
            later = _later(history, made, columns) if made["returned"] is None else []
            room = min([stop, *later]) - start  # what comes later covers a call that stays open
            width = max(stop - start, _NARROWEST / 2)
            title = f"{made['call']} {made['outcome']}"
            label = _label(number, made, room)
            yield Bar(number, label, start, width, start + room / 2, made["kind"], title)


def _later(history: Sequence[Made], made: Made, columns: Mapping[int, float]) -> list[float]:
    """Give where the same client's later calls begin."""
    return [
        columns[each["invoked"]]
        for each in history
        if each["client"] == made["client"] and each["invoked"] > made["invoked"]
    ]


def _label(number: int, made: Made, width: float) -> str:
    """Name the operation, and the outcome, where there is room for them."""
    named = f"{number} {made['call'].partition('(')[0]}"
    labels = (f"{named} {made['outcome']}", named)
    fitting = (each for each in labels if len(each) * _LETTER < width - _EDGE)
    return next(fitting, str(number))
