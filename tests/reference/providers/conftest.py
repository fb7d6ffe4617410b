"""For the tests of providers: where a process may follow what another one changes."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["memory", "postgres"])
def heard_url(request: pytest.FixtureRequest) -> str | None:
    """Where changes are notified."""
    return None if request.param == "memory" else request.getfixturevalue("postgres_url")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_url(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "memory" else request.getfixturevalue(f"{request.param}_url")
