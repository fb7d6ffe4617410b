"""This project's own run of the auth suite; another implementation's authors write the same."""

from storeproof.reference.auth.laws import contract

TestAuth = contract.suite()
