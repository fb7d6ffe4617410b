"""The command line finds here what it is to measure, by a name such as `shop.contracts:orders`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from storeproof.harness.contract import Contract
from storeproof.harness.exceptions import HarnessError
from storeproof.harness.latency.planning import Planned

__all__ = ["BadTarget", "load_target"]


class BadTarget(HarnessError):
    """What is to be measured can't be found."""

    def __init__(self, target: str, problem: str) -> None:
        self.target, self.problem = target, problem
        super().__init__(
            f"{target}: {problem}. Name a contract, or a class that contract.benchmarks(…) made, "
            "such as shop.contracts:orders or benchmarks/test_orders.py:TestOrders"
        )


def load_target(target: str) -> Planned:
    """Import a contract or a class of benchmarks; give what is planned of it.

    Raises BadTarget.
    """
    place, _, name = target.rpartition(":")
    if not place:
        raise BadTarget(target, "it has no ':' between module and name")
    try:
        found: Any = getattr(_module(place), name)
    except Exception as error:  # modules raise what they like
        raise BadTarget(target, f"{type(error).__name__}: {error}") from None
    if isinstance(found, Contract):
        found = found.benchmarks()
    planned = getattr(found, "storeproof_benchmarks", None)
    if not isinstance(planned, Planned):
        raise BadTarget(target, f"this is a {type(found).__name__}")
    return planned


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        return importlib.import_module(place)
    path = Path(place).resolve()
    sys.path.insert(0, str(path.parent))  # as pytest does
    return importlib.import_module(path.stem)
