"""For applications: the rows of a report as a table to show, or as CSV with FOCUS's names.

Both are exact: money is text, to the last decimal.
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from storeproof.reference.costs.entities import (
    Allocation,
    Dimension,
    ReportQuery,
    ReportRow,
    canonical,
    money,
    nanos,
    period,
)
from storeproof.reference.exceptions import InvalidValue

__all__ = ["FOCUS_COLUMNS", "focus_csv", "showback_table"]

UNALLOCATED = "(unallocated)"

FOCUS_COLUMNS: Final = (
    "BilledCost",
    "BillingCurrency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ProviderName",
    "SkuId",
    "SubAccountId",
    "SubAccountType",
    "Tags",
    "x_Charges",
)
"""Names of the FinOps Open Cost and Usage Specification; those with x_ are our own."""


def showback_table(query: ReportQuery, rows: Sequence[ReportRow]) -> str:
    """A Markdown table of a report, with a total for each currency.

    There are no totals where rows overlap: by tag, with Allocation.FULL.
    """
    query = canonical(query)
    lines = [f"| currency | {query.group_by} | cost | charges |", "| --- | --- | ---: | ---: |"]
    lines += [_line(row, _escaped(row.key)) for row in rows]
    if query.group_by is not Dimension.TAG:
        lines += [_line(row, "total") for row in _totals(rows)]
    elif query.allocation is Allocation.SPLIT:
        # A charge with several tags is counted in several rows.
        lines += [_line(row, "total", charges="") for row in _totals(rows)]
    return "\n".join(lines) + "\n"


def focus_csv(query: ReportQuery, rows: Sequence[ReportRow]) -> str:
    """A report as CSV whose columns have FOCUS's names and formats.

    An owner is a sub-account, of the type of its level; a model is a SKU; a tag is the value
    of what stands before its first "=", or, where it has none, is there. What a row does
    not tell is empty. Names are written as they are: who opens the file in a spreadsheet
    imports them as text.

    Whoever imports the rows adds them up, so where they overlap, by tag with Allocation.FULL,
    it raises InvalidValue("allocation", ...).
    """
    query = canonical(query)
    if query.group_by is Dimension.TAG and query.allocation is Allocation.FULL:
        raise InvalidValue("allocation", "must be split, for rows that are added up")
    start, end = (_instant(each) for each in period(query))
    text = io.StringIO()
    writer = csv.DictWriter(text, FOCUS_COLUMNS, restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                "BilledCost": f"{row.amount:f}",
                "BillingCurrency": row.currency,
                "ChargePeriodStart": start,
                "ChargePeriodEnd": end,
                "x_Charges": row.charges,
                **_group(query.group_by, row.key),
            }
        )
    return text.getvalue()


def _line(row: ReportRow, name: str, charges: str | None = None) -> str:
    count = str(row.charges) if charges is None else charges
    return f"| {row.currency} | {name} | {row.amount:f} | {count} |"


def _escaped(key: str | None) -> str:
    if key is None:
        return UNALLOCATED
    return " ".join(key.split()).replace("\\", "\\\\").replace("|", "\\|")


def _totals(rows: Sequence[ReportRow]) -> list[ReportRow]:
    return [
        ReportRow(
            currency=currency,
            key=None,
            amount=_sum([row.amount for row in rows if row.currency == currency]),
            charges=sum(row.charges for row in rows if row.currency == currency),
        )
        for currency in sorted({row.currency for row in rows})
    ]


def _sum(amounts: list[Decimal]) -> Decimal:
    return money(sum(map(nanos, amounts)))


def _group(group_by: Dimension, key: str | None) -> dict[str, str]:
    if key is None:
        return {}
    if group_by is Dimension.TAG:
        name, equals, value = key.partition("=")
        return {"Tags": json.dumps({name: value if equals else True})}
    if group_by is Dimension.PROVIDER:
        return {"ProviderName": key}
    if group_by is Dimension.MODEL:
        return {"SkuId": key}
    return {"SubAccountId": key, "SubAccountType": group_by.value}


def _instant(at: datetime) -> str:
    return f"{at.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
