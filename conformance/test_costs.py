"""This project's own run of the costs suite; another implementation's authors write the same."""

from storeproof.reference.costs.laws import contract

TestCosts = contract.suite()
