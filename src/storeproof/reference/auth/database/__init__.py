"""For applications: auth in a database, SQLite or PostgreSQL."""

from storeproof.reference.auth.database.storage import DatabaseAuthStorage, open_auth_storage

__all__ = ["DatabaseAuthStorage", "open_auth_storage"]
