"""For the tests of `CostService`: where its storage is."""

import pytest


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> str | None:
    """The URL of an empty database, or None, memory."""
    if request.param == "memory":
        return None
    value: str = request.getfixturevalue(f"{request.param}_url")
    return value
