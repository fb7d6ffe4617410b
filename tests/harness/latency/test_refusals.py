"""What slows every call is refused by name."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace

import pytest

from storeproof.harness.latency.refusals import NotMeasurable, refuse_slowed


async def _asked() -> None:
    refuse_slowed()


def test_debug_mode_is_refused() -> None:
    with asyncio.Runner(debug=True) as runner, pytest.raises(NotMeasurable, match="debug mode"):
        runner.run(_asked())


def _tracer(*_: object) -> None:
    return None


@pytest.mark.parametrize("start", [sys.settrace, sys.setprofile])
def test_tracers_are_refused_by_name(start: object, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "gettrace" if start is sys.settrace else "getprofile"
    monkeypatch.setattr(sys, name, lambda: _tracer)
    with pytest.raises(NotMeasurable, match=rf"{__name__} traces every line"):
        asyncio.run(_asked())


def test_coverage_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    running = SimpleNamespace(Coverage=SimpleNamespace(current=object))
    monkeypatch.setitem(sys.modules, "coverage", running)
    with pytest.raises(NotMeasurable, match="Run without coverage"):
        asyncio.run(_asked())


def test_monitoring_tools_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = SimpleNamespace(get_tool=lambda number: "a debugger" if number == 0 else None)
    monkeypatch.setattr(sys, "monitoring", tools, raising=False)
    with pytest.raises(NotMeasurable, match="a debugger traces every line"):
        asyncio.run(_asked())


def test_a_plain_process_is_measured() -> None:
    code = (
        "import asyncio\n"
        "from storeproof.harness.latency.refusals import refuse_slowed\n"
        "async def main(): refuse_slowed()\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own code
