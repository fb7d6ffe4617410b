"""Another implementation is proved by `pytest --pyargs storeproof.reference.providers`."""

from storeproof.reference.providers.laws import contract

__all__ = ["TestProviders"]

TestProviders = contract.suite()
