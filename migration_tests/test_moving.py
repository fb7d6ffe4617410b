"""This project's own run of the suite of moving; authors of other storages write the same."""

from storeproof.reference.migration.laws import CONTRACTS

auth, costs, errors, providers = (
    CONTRACTS[each] for each in ("auth", "costs", "errors", "providers")
)

TestAuth = auth.migration_suite()
TestCosts = costs.migration_suite()
TestErrors = errors.migration_suite()
TestProviders = providers.migration_suite()
