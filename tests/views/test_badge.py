"""The badge: one name, one verdict."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import pytest

from storeproof.harness.report import Report
from storeproof.harness.views.badge import render

from .reports import EVERYTHING, NOTHING, hostile

NAMES = {"svg": "http://www.w3.org/2000/svg"}


def only(*numbers: int) -> Report:
    judgements = tuple(EVERYTHING.judgements[each] for each in numbers)
    return msgspec.structs.replace(EVERYTHING, judgements=judgements)


def texts(report: Report) -> list[str | None]:
    root = ElementTree.fromstring(render(report))  # noqa: S314 - it was written here
    return [each.text for each in root.iterfind(".//svg:text", NAMES)]


@pytest.mark.parametrize(
    ("report", "shown"),
    [
        (only(0), ["names", "conformant"]),
        (only(0, 1), ["names", "non-conformant"]),
        (only(2), ["numbers", "non-conformant"]),
        (only(3), ["numbers", "incomplete"]),
        (only(0, 3), ["contract", "incomplete"]),
        (EVERYTHING, ["contract", "non-conformant"]),
        (NOTHING, ["contract", "incomplete"]),
    ],
)
def test_the_worst_verdict_is_shown(report: Report, shown: list[str]) -> None:
    assert texts(report) == shown


def test_a_hostile_name_is_escaped() -> None:
    report = hostile(only(0))

    (name, verdict) = texts(report)
    assert name is not None
    assert name.startswith("names</style></title><script>")
    assert verdict == "conformant"
