"""The command line finds here what it is to measure, by a name such as `shop.contracts:orders`."""

from __future__ import annotations

from storeproof.harness.contract import Contract
from storeproof.harness.latency.planning import Planned
from storeproof.harness.targets import BadTarget, load_named

__all__ = ["load_target"]

_REMEDY = (
    "Name a contract, or a class that contract.benchmarks(…) made, such as shop.contracts:orders "
    "or benchmarks/test_orders.py:TestOrders"
)


def load_target(target: str) -> Planned:
    """Import a contract or a class of benchmarks; give what is planned of it.

    Raises BadTarget.
    """
    found = load_named(target, _REMEDY)
    if isinstance(found, Contract):
        found = found.benchmarks()
    planned = getattr(found, "storeproof_benchmarks", None)
    if not isinstance(planned, Planned):
        raise BadTarget(target, f"this is a {type(found).__name__}", _REMEDY)
    return planned
