"""The lanes of a page: where bars begin and end."""

from __future__ import annotations

from storeproof.harness.views.lanes import picture

from .reports import HISTORY, made

TWO = [made(0, "take(1)", "returned None", 3, 9), made(4, "take(1)", "raised Taken()", 5, 7)]


def test_a_bar_spans_from_invocation_to_response() -> None:
    drawn = picture(TWO)

    first, second = (lane.bars[0] for lane in drawn.lanes)
    assert [each.client for each in drawn.lanes] == [1, 5]
    assert first.x < second.x < second.x + second.width < first.x + first.width < drawn.width
    assert (first.label, second.label) == ("1 take returned None", "2 take")
    assert (first.kind, second.kind) == ("returned", "raised")


def test_what_never_returned_reaches_the_end() -> None:
    drawn = picture(
        [made(0, "take(1)", "unknown", 0, None), made(0, "count()", "returned 1", 1, 2)]
    )

    (lane,) = drawn.lanes
    assert lane.bars[0].kind == "unknown"
    assert lane.bars[0].x + lane.bars[0].width == lane.bars[1].x + lane.bars[1].width


def test_the_label_of_what_never_returned_is_not_covered() -> None:
    drawn = picture(HISTORY)

    opened, later = drawn.lanes[1].bars[1:3]
    assert (opened.kind, later.kind) == ("unknown", "returned")
    assert opened.x < opened.middle < later.x


def test_a_long_history_grows_wide_and_names_no_operation() -> None:
    drawn = picture(HISTORY)

    assert drawn.width > 700
    assert drawn.lanes[0].bars[-1].label.isdigit()
    assert len(drawn.calls) == len(HISTORY) == sum(len(each.bars) for each in drawn.lanes)


def test_a_single_call_that_never_returned_is_drawn() -> None:
    (lane,) = picture([made(0, "take(1)", "unknown", 0, None)]).lanes

    assert lane.bars[0].width > 0
