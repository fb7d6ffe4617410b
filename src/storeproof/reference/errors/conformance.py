"""Another implementation is proved by `pytest --pyargs storeproof.reference.errors`."""

from storeproof.reference.errors.laws import contract

__all__ = ["TestErrors"]

TestErrors = contract.suite()
