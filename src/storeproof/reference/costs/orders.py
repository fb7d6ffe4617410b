"""For authors of a cost storage: the orders of its lists."""

from storeproof.reference.costs.entities import (
    Alert,
    Budget,
    BudgetVersion,
    Charge,
    Correction,
    Delivery,
)
from storeproof.reference.lists import Order, read_integer, read_time

__all__ = [
    "ALERT_ORDER",
    "BUDGET_ORDER",
    "CHARGE_ORDER",
    "CORRECTION_ORDER",
    "DELIVERY_ORDER",
    "VERSION_ORDER",
]

CHARGE_ORDER = Order(Charge, {"occurred_at": read_time, "id": str})
CORRECTION_ORDER = Order(Correction, {"at": read_time, "id": str})
BUDGET_ORDER = Order(Budget, {"id": str})
VERSION_ORDER = Order(BudgetVersion, {"version": read_integer()})
ALERT_ORDER = Order(
    Alert,
    {
        "raised_at": read_time,
        "window_start": read_time,
        "threshold": read_integer(),
        "budget": str,
    },
)
DELIVERY_ORDER = Order(Delivery, {"sink": str})
