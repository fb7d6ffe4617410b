"""What archives hold of errors is checked row by row before it is loaded."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from storeproof.reference.errors.collections import CONTENT
from storeproof.reference.errors.database.collecting import DayCounts
from storeproof.reference.errors.database.rollups import QUARTERS
from storeproof.reference.errors.entities import Dimension
from storeproof.reference.exceptions import InvalidValue

(TRENDS,) = (each for each in CONTENT.collections if each.name == "errors.trends")


ONE = (1, *(0,) * (QUARTERS - 1))


def counts(**changed: Any) -> DayCounts:
    given = {"dimension": Dimension.LEVEL, "key": "error", "day": date(2026, 3, 1), "counts": ONE}
    return DayCounts(**given | changed)


def test_counts_of_a_level_or_of_a_group_are_taken() -> None:
    for each in (counts(), counts(dimension=Dimension.GROUP, key="any")):
        assert TRENDS.canonical(each) == each


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"key": "any"}, "key"),
        ({"key": ""}, "key"),
        ({"counts": (0,) * QUARTERS}, "counts"),
        ({"counts": (1,)}, "counts"),
        ({"counts": (-1,) * QUARTERS}, "counts"),
    ],
)
def test_counts_that_can_not_be_are_refused(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        TRENDS.canonical(counts(**changed))
    assert caught.value.field == field
