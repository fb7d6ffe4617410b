"""For applications: providers in a database, SQLite or PostgreSQL."""

from storeproof.reference.providers.database.storage import (
    DatabaseProviderStorage,
    open_provider_storage,
)

__all__ = ["DatabaseProviderStorage", "open_provider_storage"]
