"""Another implementation is proved by `pytest --pyargs storeproof.reference.auth`."""

from storeproof.reference.auth.laws import contract

__all__ = ["TestAuth"]

TestAuth = contract.suite()
