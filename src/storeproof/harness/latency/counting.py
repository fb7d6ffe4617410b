"""Benchmarks count here what one call sends: the same every time, whatever the clock says."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from storeproof.harness.backends.base import Store
from storeproof.harness.latency.refusals import NotMeasurable
from storeproof.harness.latency.rules import CountGate
from storeproof.harness.latency.workloads import Workload

__all__ = ["Counted", "count"]

_BEFORE = 5
"""Calls whose sending is not counted: drivers prepare statements, and learn types, at first use."""
_COUNTED = 3


@dataclass(frozen=True)
class Counted:
    """What calls sent.

    each: one number a call.
    """

    each: tuple[int, ...]

    def holds(self, gate: CountGate) -> bool:
        """Whether every call sent what was declared."""
        return all(map(gate.holds, self.each))


async def count(store: Store, workload: Workload, gate: CountGate, backend: str) -> Counted:
    """Count what a few calls send on a handle of their own, after some that are not counted.

    Raises NotMeasurable where the store counts nothing of this unit.
    """
    counted = store.counted()
    if counted is None:
        raise _uncounted(gate, backend, "nothing is counted there")
    async with counted as counter:
        units = counter.units()
        if gate.unit not in units:
            raise _uncounted(gate, backend, f"what is counted there: {', '.join(units)}")
        storage = await store.second()
        calls = await workload.ready(storage, itertools.count(), _BEFORE + _COUNTED)
        totals = list[int]()
        for call in calls[:_BEFORE]:
            await call()
        for call in calls[_BEFORE:]:
            before = counter.units()[gate.unit]
            counter.begin()
            await call()
            totals.append(counter.units()[gate.unit] - before)
    return Counted(tuple(totals))


def _uncounted(gate: CountGate, backend: str, why: str) -> NotMeasurable:
    return NotMeasurable(
        f"'{gate}' can't be counted on {backend}: {why}", "Declare another gate for this backend"
    )
