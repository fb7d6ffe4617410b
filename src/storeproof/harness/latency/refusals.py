"""Runs of gates ask here whether anything slows Python down, which would be measured instead."""

from __future__ import annotations

import asyncio
import sys

from storeproof.harness.exceptions import HarnessError

__all__ = ["NotMeasurable", "refuse_slowed"]


class NotMeasurable(HarnessError):
    """Something makes what would be measured worthless."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(f"latency can't be measured: {problem}. {remedy}")


def refuse_slowed() -> None:
    """Raise NotMeasurable, naming it, where something slows every call; call it inside the loop."""
    problem = next((sentence for sentence in _slowing()), None)
    if problem is not None:
        raise NotMeasurable(*problem)


def _slowing() -> list[tuple[str, str]]:
    found = []
    if asyncio.get_running_loop().get_debug():
        remedy = "Unset PYTHONASYNCIODEBUG, and leave out -X dev and set_debug(True)"
        found.append(("the event loop is in debug mode, which slows every await", remedy))
    tool = _tracer()
    if tool:
        found.append((f"{tool} traces every line", f"Run without {tool}"))
    return found


def _tracer() -> str:
    """Give what looks at every line or call of this thread; empty where nothing does."""
    if _covered():
        return "coverage"
    for looking in (sys.gettrace(), sys.getprofile()):
        if looking is not None:
            return str(getattr(looking, "__module__", "") or type(looking).__module__)
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12
    tools = (monitoring.get_tool(each) for each in range(6)) if monitoring else ()
    return next((each for each in tools if each), "")


def _covered() -> bool:
    coverage = sys.modules.get("coverage")
    return coverage is not None and coverage.Coverage.current() is not None
