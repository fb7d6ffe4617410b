"""Proves that `RedisAuthStorage` is an `AuthStorage`."""

from storeproof.reference.auth.laws import contract

TestAuth = contract.suite()
