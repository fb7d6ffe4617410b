"""Values of Hypothesis' strategies, for the engine, which draws programs without Hypothesis."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import HypothesisException, HypothesisWarning
from hypothesis.strategies import SearchStrategy

__all__ = ["examples_of"]

_EXAMPLES = 300


@functools.cache
def examples_of(strategy: SearchStrategy[Any]) -> tuple[Any, ...]:
    """Give values of a strategy, a simple one first; none where it has none.

    They are drawn once in a process: a draw for each argument would cost more than the call.
    """
    found: list[Any] = []

    @hypothesis.seed(0)
    @hypothesis.settings(
        max_examples=_EXAMPLES,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
    )
    @hypothesis.given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)
            collect()
    except HypothesisException:
        return ()
    return tuple(found)
