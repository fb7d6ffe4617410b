"""For users and authors of a cost storage: alerts, and who has been told of them."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import NewType

import msgspec

from storeproof.reference.costs.entities.budgets import BudgetId, BudgetStatus
from storeproof.reference.costs.entities.money import nanos

__all__ = [
    "Alert",
    "AlertFilter",
    "AlertId",
    "Delivery",
    "SinkName",
    "alert_id",
    "reached",
]

AlertId = NewType("AlertId", str)
SinkName = NewType("SinkName", str)
"""What an application calls one of the places where its alerts go."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """In the window that began at `window_start`, `threshold` percent of the budget were spent.

    `id` is the `alert_id` of these three. `spent` and `limit` are as they were found at
    `raised_at`.
    """

    id: AlertId
    budget: BudgetId
    window_start: datetime
    threshold: int
    spent: Decimal
    limit: Decimal
    raised_at: datetime


class AlertFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that match all that is given. `since`: raised then or later."""

    budget: BudgetId | None = None
    since: datetime | None = None
    undelivered_to: SinkName | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A sink has passed an alert on, and that was first recorded at `at`."""

    alert: AlertId
    sink: SinkName
    at: datetime


def alert_id(budget: BudgetId, window_start: datetime, threshold: int) -> AlertId:
    """The id that the alert for a threshold has, whoever raises it: 64 hexadecimal digits."""
    text = msgspec.json.encode([budget, window_start, threshold])
    return AlertId(hashlib.sha256(text).hexdigest())


def reached(status: BudgetStatus, at: datetime) -> tuple[Alert, ...]:
    """An alert for each threshold that is reached, the lowest first."""
    percent = nanos(status.spent) * 100
    limit = nanos(status.budget.limit)
    return tuple(
        Alert(
            id=alert_id(status.budget.id, status.window_start, threshold),
            budget=status.budget.id,
            window_start=status.window_start,
            threshold=threshold,
            spent=status.spent,
            limit=status.budget.limit,
            raised_at=at,
        )
        for threshold in sorted(status.budget.thresholds)
        if percent and percent >= threshold * limit
    )
