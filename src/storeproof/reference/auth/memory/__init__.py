"""For applications and tests: auth in memory, the model of every other storage."""

from storeproof.reference.auth.memory.storage import InMemoryAuthStorage

__all__ = ["InMemoryAuthStorage"]
