"""This project's own run of the error suite; another implementation's authors write the same."""

from storeproof.reference.errors.laws import contract

TestErrors = contract.suite()
