"""For applications: errors and metrics in a database, SQLite or PostgreSQL."""

from storeproof.reference.errors.database.storage import DatabaseErrorStorage, open_error_storage

__all__ = ["DatabaseErrorStorage", "open_error_storage"]
