"""Reports to show and to import: every cent of the rows, and no total that would mislead."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from storeproof.reference.costs import (
    Allocation,
    Dimension,
    InMemoryCostStorage,
    ReportQuery,
    ReportRow,
    Tag,
)
from storeproof.reference.costs.service.showback import (
    FOCUS_COLUMNS,
    focus_csv,
    showback_table,
)
from storeproof.reference.exceptions import InvalidValue

from .examples import charge, run
from .test_rollups import march

X_AND_Y = frozenset({Tag("env=prod=1"), Tag('y "|')})


def report(query: ReportQuery) -> tuple[ReportRow, ...]:
    async def use() -> tuple[ReportRow, ...]:
        storage = InMemoryCostStorage()
        await storage.create(charge("a", "1000000000", owner="a|b/c", tags=X_AND_Y))
        await storage.create(charge("b", "999999999.999999999", owner=""))
        await storage.create(charge("c", "-1E-9", currency="EUR", model="=1+1"))
        return await storage.report(query)

    return run(use())


def test_a_table_has_the_unallocated_and_a_total_of_each_currency() -> None:
    query = march(Dimension.ORGANISATION)
    assert showback_table(query, report(query)).splitlines() == [
        "| currency | organisation | cost | charges |",
        "| --- | --- | ---: | ---: |",
        "| EUR | org | -0.000000001 | 1 |",
        "| USD | (unallocated) | 999999999.999999999 | 1 |",
        "| USD | a\\|b | 1000000000 | 1 |",
        "| EUR | total | -0.000000001 | 1 |",
        "| USD | total | 1999999999.999999999 | 2 |",
    ]


def test_what_is_split_has_a_total_and_what_overlaps_has_none() -> None:
    split = march(Dimension.TAG, allocation=Allocation.SPLIT)
    assert "| USD | total | 1999999999.999999999 |  |" in showback_table(split, report(split))
    full = march(Dimension.TAG)
    assert "total" not in showback_table(full, report(full))


@pytest.mark.parametrize(
    ("group_by", "column", "expected"),
    [
        (Dimension.TEAM, "SubAccountId", ["org/team", "", "a|b/c"]),
        (Dimension.TEAM, "SubAccountType", ["team", "", "team"]),
        (Dimension.PROVIDER, "ProviderName", ["acme", "acme"]),
        (Dimension.MODEL, "SkuId", ["=1+1", "small"]),
        (Dimension.TAG, "Tags", ["", "", '{"env": "prod=1"}', '{"y \\"|": true}']),
        (Dimension.MODEL, "BilledCost", ["-0.000000001", "1999999999.999999999"]),
        (Dimension.MODEL, "BillingCurrency", ["EUR", "USD"]),
        (Dimension.MODEL, "x_Charges", ["1", "2"]),
    ],
)
def test_the_csv_says_it_with_the_names_of_focus(
    group_by: Dimension, column: str, expected: list[str]
) -> None:
    query = march(group_by, allocation=Allocation.SPLIT)
    rows = list(csv.DictReader(io.StringIO(focus_csv(query, report(query)))))
    assert [row[column] for row in rows] == expected
    assert set(rows[0]) == set(FOCUS_COLUMNS)


def test_no_csv_is_made_of_rows_that_add_up_to_more_than_was_spent() -> None:
    full = march(Dimension.TAG)
    with pytest.raises(InvalidValue, match="allocation: must be split"):
        focus_csv(full, report(full))
    split = march(Dimension.TAG, allocation=Allocation.SPLIT)
    rows = csv.DictReader(io.StringIO(focus_csv(split, report(split))))
    billed = [Decimal(row["BilledCost"]) for row in rows if row["BillingCurrency"] == "USD"]
    assert (len(billed), sum(billed)) == (3, Decimal("1999999999.999999999"))


def test_the_csv_tells_its_period_in_utc() -> None:
    query = march(Dimension.MODEL, end=date(2026, 3, 30), timezone="Europe/Berlin")
    [first, *_] = csv.DictReader(io.StringIO(focus_csv(query, report(query))))
    assert first["ChargePeriodStart"] == "2026-02-28T23:00:00Z"
    assert first["ChargePeriodEnd"] == "2026-03-29T22:00:00Z"


def test_a_bad_query_is_refused() -> None:
    query = march(Dimension.MODEL, timezone="Nowhere")
    for show in (showback_table, focus_csv):
        with pytest.raises(InvalidValue):
            show(query, ())
