"""For applications: costs in a database, SQLite or PostgreSQL."""

from storeproof.reference.costs.database.storage import DatabaseCostStorage, open_cost_storage

__all__ = ["DatabaseCostStorage", "open_cost_storage"]
