"""The picture of a history: lanes, intervals, what every call was."""

from __future__ import annotations

from typing import Any

from storeproof.harness.lanes import draw


def made(client: int, call: str, outcome: str, *times: int | None) -> dict[str, Any]:
    invoked, returned = times
    return {
        "client": client,
        "call": call,
        "outcome": outcome,
        "kind": outcome.partition(" ")[0],
        "invoked": invoked,
        "returned": returned,
    }


TWO = [
    made(0, "create(id='a')", "returned 1", 0, 1),
    made(0, "rename(id='a')", "returned 2", 2, 5),
    made(1, "rename(id='a')", "returned 2", 3, 4),
    made(1, "get(id='a')", "returned 2", 6, 7),
]


def test_each_client_has_a_lane_and_each_call_an_interval() -> None:
    assert draw(TWO) == [
        "client 1 ├──1──┤     ├────────2────────┤",
        "client 2                   ├──3──┤           ├──4──┤",
        "",
        "  1  client 1: create(id='a') returned 1",
        "  2  client 1: rename(id='a') returned 2",
        "  3  client 2: rename(id='a') returned 2",
        "  4  client 2: get(id='a') returned 2",
    ]


def test_what_never_returned_stays_open() -> None:
    lines = draw([made(0, "write(1)", "unknown", 0, None), made(1, "read()", "returned 1", 1, 2)])

    assert lines[:2] == ["client 1 ├─────1─────…", "client 2       ├──2──┤"]


def test_what_raised_is_marked_where_there_is_room() -> None:
    lines = draw([made(0, "take(1)", "raised Taken()", 0, 2), made(1, "get()", "returned 1", 1, 3)])
    many = [made(0, "take(1)", "raised Taken()", 2 * n, 2 * n + 1) for n in range(40)]

    assert lines[:2] == ["client 1 ├─────1!────┤", "client 2       ├─────2─────┤"]
    assert "!" not in draw(many)[0]


def test_no_line_is_longer_than_the_width() -> None:
    long = [made(n % 3, "put(" + "x" * n + ")", "returned " + "y" * n, n, n + 3) for n in range(99)]

    lines = draw(long, 60)

    assert max(map(len, lines)) <= 60
    assert any(line.startswith(" 99") for line in lines)


def test_what_a_terminal_would_act_on_is_escaped() -> None:
    (_, _, told) = draw([made(0, "get(id='\x1b[2J')", "raised NotFound(\n)", 0, 1)])

    assert told == "  1  client 1: get(id='\\x1b[2J') raised NotFound(\\n)"


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([]) == [""]
