"""A small project gives the same verdicts under each plugin that people have.

It runs in an environment of its own, `tox -e plugins`, which has all of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from storeproof.harness import report as reports

pytest_plugins = ["pytester"]

BACKENDS = "shop:InMemoryOrders,shop:Stripping"
OTHERS = ("anyio", "asyncio", "benchmark", "pytest_cov", "randomly", "timeout", "xdist")
"""The names under which pytest knows the plugins."""

SUITE = """
from shop import contract

TestOrders = contract.suite()
"""
OWN = """
import asyncio

import pytest
from shop import InMemoryOrders

{mark}
async def test_own():
    storage = InMemoryOrders()
    await storage.put("a", "b")
    await asyncio.sleep(0)
    assert await storage.get("a") == "b"
"""
ANYIO = """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


@dataclass(frozen=True)
class Setting:
    """Under which plugins the project runs, how they are asked, and its own async test's mark."""

    plugins: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    mark: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> list[str]:
        if self.environment:
            return list(self.options)
        gone = [each for each in OTHERS if each not in self.plugins]
        return [*self.options, *(word for each in gone for word in ("-p", f"no:{each}"))]


STRICT, AUTO = ("-o", "asyncio_mode=strict"), ("-o", "asyncio_mode=auto")
SETTINGS = {
    "asyncio, strict": Setting(("asyncio",), STRICT, "@pytest.mark.asyncio"),
    "asyncio, auto": Setting(("asyncio",), AUTO, ""),
    "anyio": Setting(("anyio",), (), "@pytest.mark.anyio"),
    "xdist": Setting(("xdist",), ("-n2",)),
    "randomly": Setting(("randomly",)),
    "cov": Setting(("pytest_cov",), ("--cov=shop", "--cov-report=")),
    "timeout": Setting(("timeout",), ("--timeout=300",)),
    "timeout, by a thread": Setting(("timeout",), ("--timeout=300", "--timeout-method=thread")),
    "no cache": Setting((), ("-p", "no:cacheprovider")),
    "nothing loaded by itself": Setting(
        (), ("-p", "storeproof.plugin"), None, {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ),
    "all at once": Setting(OTHERS, (*AUTO, "-n2", "--cov=shop", "--cov-report="), ""),
}


@dataclass(frozen=True)
class Found:
    """What a run found, without what differs from run to run."""

    verdicts: tuple[tuple[str, str], ...]
    checks: frozenset[tuple[str, str, str]]
    nodes: int


def found(pytester: pytest.Pytester, arguments: Iterable[str], own: int = 0) -> Found:
    """Run the project; own: how many tests it has beside the suite, all of which pass."""
    run = pytester.runpytest_subprocess(
        *(f"--storage={BACKENDS}", "--storage-profile=light", "--storage-report=r.json"), *arguments
    )
    outcomes = run.parseoutcomes()
    assert outcomes["failed"] == 1, run.stdout.str()
    assert "errors" not in outcomes
    report = reports.load(pytester.path / "r.json")
    assert report.problems == ()
    return Found(
        tuple((each.backend, str(each.verdict)) for each in report.judgements),
        frozenset(
            (each.backend, result.check, str(result.status))
            for each in report.judgements
            for result in each.checks
        ),
        sum(outcomes.get(each, 0) for each in ("passed", "failed", "skipped", "xfailed")) - own,
    )


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "COV_CORE_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    shutil.copy(Path(__file__).with_name("shop.py"), pytester.path)
    pytester.makepyfile(test_shop=SUITE)
    return pytester


@pytest.fixture(scope="session")
def alone() -> dict[str, Found]:
    """What was found without any other plugin, once it is known."""
    return {}


def test_every_plugin_is_there(project: pytest.Pytester) -> None:
    shown = project.runpytest_subprocess("--version", "--version")
    text = shown.stdout.str() + shown.stderr.str()
    names = ("anyio", "pytest-asyncio", "pytest-cov", "pytest-randomly", "pytest-timeout")
    assert [each for each in (*names, "pytest-xdist", "storeproof") if each not in text] == []


@pytest.mark.parametrize("name", SETTINGS)
def test_the_verdicts_are_the_same(
    project: pytest.Pytester, alone: dict[str, Found], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not alone:
        alone["found"] = found(project, Setting().arguments)
    setting = SETTINGS[name]
    if setting.mark is not None:
        project.makeconftest(ANYIO if "anyio" in setting.plugins else "")
        project.makepyfile(test_own=OWN.format(mark=setting.mark))
    for variable, value in setting.environment.items():
        monkeypatch.setenv(variable, value)

    here = found(project, setting.arguments, own=setting.mark is not None)

    assert here == alone["found"]
    assert dict(here.verdicts) == {
        "shop:InMemoryOrders": "conformant",
        "shop:Stripping": "non-conformant",
    }
