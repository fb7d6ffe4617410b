"""Authors of laws decorate short async tests with `law`; a contract collects them by module."""

from __future__ import annotations

import itertools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

from storeproof.harness.backends.base import Capability

__all__ = ["MUST", "SHOULD", "Law", "Level", "law", "laws_of"]


class Level(StrEnum):
    """How binding a law is, in the sense of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"


MUST: Final = Level.MUST
SHOULD: Final = Level.SHOULD


@dataclass(frozen=True)
class Law:
    """One rule that every implementation obeys: stable id, level, one sentence, one short test."""

    id: str
    level: Level
    sentence: str
    test: Callable[..., Awaitable[None]]
    """Takes `storage`, and `second` where the law needs another handle on the same data."""
    needs: frozenset[Capability] = frozenset()
    since: str = "0.1"
    """The version of the laws that introduced it, which never changes; numbers and dots."""

    @property
    def name(self) -> str:
        return self.test.__name__


def law(
    id: str,  # noqa: A002 - a law's id is called that in every report
    level: Level,
    *,
    needs: frozenset[Capability] = frozenset(),
    since: str = "0.1",
) -> Callable[[Callable[..., Awaitable[None]]], Law]:
    """Make a law of an async test whose docstring is the law's one sentence.

    since: the version of the laws that introduces it; runs that are pinned to an earlier one by
    `--storage-laws` carry it out without scoring.

    >>> @law("DEMO-001", MUST)
    ... async def missing_is_not_found(storage):
    ...     '''A missing key raises KeyError.'''
    >>> missing_is_not_found.sentence
    'A missing key raises KeyError.'
    """

    def decorate(test: Callable[..., Awaitable[None]]) -> Law:
        sentence = " ".join((test.__doc__ or "").split())
        if not re.fullmatch(r"\d+(\.\d+)*", since, re.ASCII):
            raise ValueError(f"law {id} is since {since!r}; give a version such as 1.0")
        if not sentence:
            raise TypeError(f"law {id} has no docstring; its one sentence is what reports print")
        return Law(id, level, sentence, test, needs, since)

    return decorate


def laws_of(module: ModuleType | dict[str, Any]) -> tuple[Law, ...]:
    """Give a module's laws, ordered by id.

    Raises TypeError where two laws share an id.
    """
    names = module if isinstance(module, dict) else vars(module)
    found = sorted((x for x in names.values() if isinstance(x, Law)), key=lambda each: each.id)
    for one, other in itertools.pairwise(found):
        if one.id == other.id and one is not other:
            raise TypeError(f"two laws are called {one.id}: {one.name} and {other.name}")
    return tuple(dict.fromkeys(found))
