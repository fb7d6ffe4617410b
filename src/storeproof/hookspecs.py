"""Authors of conftest files and of pytest plugins implement these hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from storeproof.harness.backends.base import Backend

__all__ = ["pytest_storeproof_backends"]


def pytest_storeproof_backends(config: pytest.Config) -> Sequence[Backend]:  # type: ignore[empty-body]  # a hook's specification has no body
    """Give backends that `--storage` can name, beside those of the entry point group.

    Called once, when the run's first suite is collected or `--storage` is looked up; implement it
    in a plugin, or in a conftest that pytest loads at its start: the root folder's, or one of the
    folders named on the command line or by `testpaths`.
    """
