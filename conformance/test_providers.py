"""This project's own run of the providers suite; other authors write the same for theirs."""

from storeproof.reference.providers.laws import contract

TestProviders = contract.suite()
