"""For applications and tests: costs in memory, the model of every other storage."""

from storeproof.reference.costs.memory.storage import InMemoryCostStorage

__all__ = ["InMemoryCostStorage"]
