"""`benchmarks/growth.py` takes from here what it fills cost storages with, and asks of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from loading import Target

from storeproof.harness.latency.sampling import Call
from storeproof.reference.costs import (
    Charge,
    ChargeFilter,
    ChargeId,
    CostStorage,
    Currency,
    Dimension,
    ModelName,
    OwnerPath,
    ProviderName,
    ReportQuery,
)
from storeproof.reference.costs.database.rollups import SPANS, charge_row
from storeproof.reference.costs.database.tables import CHARGES, ROLLUPS
from storeproof.reference.costs.laws import contract

__all__ = ["Costs"]

START = datetime(2026, 3, 1, tzinfo=UTC)
SUMS = ("whole", "nano", "charges")


class Costs:
    """Charges of so many owners over so many days, in the order of time."""

    name = "costs"
    contract = contract
    tables = (CHARGES, ROLLUPS)

    def __init__(self, owners: int, days: int, size: int) -> None:
        self._owners, self._days, self._size = owners, days, size
        self._between = timedelta(days=days) / size
        self._random = random.Random(0)
        self._rollups: dict[tuple[Any, ...], dict[str, Any]] = {}

    async def fill(self, target: Target) -> None:
        """Store the charges, with the rollups that they make."""
        await target.add(CHARGES, self._charges())
        await target.add(ROLLUPS, self._rollups.values())

    def operations(self, storage: CostStorage) -> Mapping[str, Call]:
        """What is timed, by name."""
        first, end = START.date(), (START + timedelta(days=self._days)).date()

        def report(by: Dimension, zone: str) -> Call:
            query = ReportQuery(group_by=by, start=first, end=end, timezone=zone)
            return lambda: storage.report(query)

        return {
            "report by model, in UTC": report(Dimension.MODEL, "UTC"),
            "report by user, in UTC": report(Dimension.USER, "UTC"),
            "report by model, in Berlin": report(Dimension.MODEL, "Europe/Berlin"),
            "first charges": lambda: storage.list_charges(ChargeFilter()),
        }

    def record(self, number: int) -> Charge:
        """Make the next charge."""
        draw = self._random.randrange
        return Charge(
            id=ChargeId(f"charge-{number:09}"),
            amount=Decimal(draw(10**9)).scaleb(-9),
            currency=Currency("EUR"),
            owner=OwnerPath(f"acme/team/u{draw(self._owners)}"),
            provider=ProviderName("east"),
            model=ModelName("large"),
            quantity=draw(1000),
            unit="tokens",
            occurred_at=START + (number + self._random.random()) * self._between,
        )

    def _charges(self) -> Iterator[dict[str, Any]]:
        for index in range(self._size):
            row = charge_row(self.record(index))
            for hours in SPANS:
                slot = {"hours": hours, "slot": row["hour"] // hours}
                known = self._rollups.setdefault(
                    (*slot.values(), row["series"]), {**row, **slot, **dict.fromkeys(SUMS, 0)}
                )
                known.update({name: known[name] + row[name] for name in SUMS})
            yield row
