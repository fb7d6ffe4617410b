"""The plugin hands this scheduler to pytest-xdist where the user asked for no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # ships no types

__all__ = ["SuiteScheduling"]


class SuiteScheduling(LoadScopeScheduling):  # type: ignore[misc]  # the base has no types
    """Keeps the nodes of a contract and backend on one worker; other nodes go anywhere.

    pytest-xdist's own `loadgroup` renames nodes for that, which pytest 9.2 ignores.
    """

    def __init__(self, config: Any, log: Any, group_of: Callable[[str], str]) -> None:
        super().__init__(config, log)
        self._group_of = group_of

    def _split_scope(self, nodeid: str) -> str:
        return self._group_of(nodeid)
