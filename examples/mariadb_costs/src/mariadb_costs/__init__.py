"""For applications: the costs of storeproof in MariaDB."""

from mariadb_costs.storage import MariaCostStorage, open_cost_storage

__all__ = ["MariaCostStorage", "open_cost_storage"]
