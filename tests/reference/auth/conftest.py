"""For the tests of auth storages: the storages that they start from."""

import pytest

from storeproof.reference.auth import GLOBAL, AuthStorage, InMemoryAuthStorage

from .examples import ADMIN, ANN, BOB, role, run, user


@pytest.fixture
def storage() -> AuthStorage:
    storage = InMemoryAuthStorage()
    for name in (ANN, BOB):
        run(storage.create(user(name)))
    return storage


@pytest.fixture
def admins(storage: AuthStorage) -> AuthStorage:
    """Ann and Bob are both administrators; the role is essential."""
    run(storage.put_role(role(ADMIN, "manage", essential=True)))
    for name in (ANN, BOB):
        run(storage.grant(name, ADMIN, GLOBAL))
    return storage
