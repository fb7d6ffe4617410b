"""Proves that `RedisProviderStorage` is a `ProviderStorage`."""

from storeproof.reference.providers.laws import contract

TestProviders = contract.suite()
