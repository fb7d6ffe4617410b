"""For everyone who uses or stores charges, budgets and reservations in them."""

from storeproof.reference.costs.memory import InMemoryCostStorage
from storeproof.reference.costs.protocol import CostStorage

__all__ = ["CostStorage", "InMemoryCostStorage"]
