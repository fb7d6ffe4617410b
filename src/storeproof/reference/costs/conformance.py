"""Another implementation is proved by `pytest --pyargs storeproof.reference.costs`."""

from storeproof.reference.costs.laws import contract

__all__ = ["TestCosts"]

TestCosts = contract.suite()
