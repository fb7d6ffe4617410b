"""For tests and single processes: providers in memory, the model of every other storage."""

from storeproof.reference.providers.memory.storage import InMemoryProviderStorage

__all__ = ["InMemoryProviderStorage"]
