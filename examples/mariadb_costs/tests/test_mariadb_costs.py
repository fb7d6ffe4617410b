"""Proves the costs in MariaDB against those in memory."""

from storeproof.reference.costs.laws import contract

TestCosts = contract.suite()
