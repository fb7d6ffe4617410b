"""Latency gates as pytest nodes: what they say, and that nothing unjudged looks green."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from plugin_project import Project

from storeproof.harness.latency import nodes

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest
import plugin_timed as timed
from storeproof.harness.latency.nodes import LATENCY

def pytest_storeproof_backends(config):
    return [timed.TimedBackend("timed"), timed.TimedBackend("other")]

@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    if LATENCY in session.config.stash:
        session.config.stash[LATENCY].clock = lambda: timed.NOW[0]
"""
INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:randomly
filterwarnings =
    error
    ignore::pytest_benchmark.logger.PytestBenchmarkWarning
"""
REPLACED = """
class Fixture:
    __module__ = "pytest_codspeed.plugin"

@pytest.fixture
def benchmark():
    return Fixture()
"""
GATED = """
import plugin_timed as timed

TestNotes = timed.contract({nanoseconds}, {statements}).benchmarks(
    operations=["get", "put"], gates={{"timed": {{"get": {rules!r}}}}}
)
"""


@pytest.fixture
def timed(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copy(Path(__file__).with_name("plugin_timed.py"), pytester.path / "plugin_timed.py")
    pytester.makeconftest(CONFTEST)
    pytester.makeini(INI)
    for each in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):  # those of the run around
        monkeypatch.delenv(each, raising=False)
    return Project(pytester)


def gated(
    project: Project, *rules: str, nanoseconds: int = 100_000, statements: int = 1
) -> Project:
    source = GATED.format(rules=list(rules), nanoseconds=nanoseconds, statements=statements)
    project.pytester.makepyfile(test_gates=source)
    return project


@pytest.mark.parametrize(
    ("nanoseconds", "decision"), [(100_000, "pass"), (149_000, "pass"), (160_000, "fail")]
)
def test_a_budget_is_judged(timed: Project, nanoseconds: int, decision: str) -> None:
    gated(timed, "p50 <= 1.5 x read", nanoseconds=nanoseconds)
    result, report = timed.report("--storage=timed")
    ratio = f"{nanoseconds / 100_000:.2f}"
    line = f"Notes.get on timed p50 <= 1.5 x read: {ratio} *, 20 blocks of 60 samples, {decision}"
    result.stdout.fnmatch_lines([line.replace("[", "[[]")])
    result.assert_outcomes(passed=2 - (decision == "fail"), failed=int(decision == "fail"))
    assert result.ret == (1 if decision == "fail" else 0)
    gates = [gate for each in report.latency for gate in each.gates]
    assert [each.decision for each in gates] == [decision]


@pytest.mark.parametrize("statements", [1, 2])
def test_a_changed_count_fails_whatever_the_clock_says(timed: Project, statements: int) -> None:
    gated(timed, "1 statement", nanoseconds=1, statements=statements)
    result = timed.run("--storage=timed")
    said = "pass" if statements == 1 else "fail"
    result.stdout.fnmatch_lines([f"Notes.get on timed 1 statement: counted {statements}, {said}"])
    assert result.ret == statements - 1


def test_pytest_benchmark_shows_the_samples(timed: Project) -> None:
    gated(timed, "p50 <= 1.5 x read", nanoseconds=125_000)
    # Apart, since pytest-benchmark 5.1 does not close the file: a later test would be told of it.
    result = timed.run_apart("--storage=timed", "--benchmark-json=out.json")
    assert result.ret == 0
    found = {
        each["name"]: each
        for each in json.loads((timed.path / "out.json").read_text())["benchmarks"]
    }
    stats = found["test_get[timed]"]["stats"]
    assert (stats["rounds"], stats["min"], stats["max"]) == (1200, 125e-6, 125e-6)
    assert "1.25 [1.25, 1.25]" in str(found["test_get[timed]"]["extra_info"])


def test_saved_benchmarks_are_compared(timed: Project) -> None:
    gated(timed, "p50 <= 1.5 x read")
    timed.run("--storage=timed", "--benchmark-save=one")
    result = timed.run("--storage=timed", "--benchmark-compare=0001")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["test_get[[]timed[]] (0001_one)*", "test_get[[]timed[]] (NOW)*"])


def test_a_slower_backend_fails_beside_its_baseline(timed: Project) -> None:
    timed.pytester.makepyfile(
        test_gates="""
        import plugin_timed as timed

        TestSlow = timed.contract(110_000).benchmarks(operations=["get"], baseline="other")
        TestEqual = timed.contract(102_000).benchmarks(operations=["get"], baseline="other")
        """
    )
    result = timed.run("--storage=timed")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["Notes.get on timed p50 <= 1.03 x other: 1.10*, fail"])


def test_another_implementation_is_a_baseline(timed: Project) -> None:
    timed.pytester.makepyfile(
        test_gates="""
        import plugin_timed as timed

        TestSlow = timed.contract(100_000).benchmarks(operations=["put"], baseline=timed.slower)
        """
    )
    result = timed.run("--storage=timed")
    result.stdout.fnmatch_lines(["Notes.put on timed p50 <= 1.03 x baseline: 2.00*, fail"])
    assert result.ret == 1


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--benchmark-disable", "benchmarks are disabled: leave out --benchmark-disable"),
        ("-n1", "workers of pytest-xdist disturb one another: run it without -n"),
        ("--benchmark-skip", "the gates of 1 latency benchmarks were not judged"),
    ],
)
def test_what_was_not_judged_is_not_green(timed: Project, option: str, why: str) -> None:
    gated(timed, "p50 <= 1.5 x read")
    result = timed.run("--storage=timed", option)
    result.stdout.fnmatch_lines([f"*{why}*"])
    assert result.ret == 1
    assert timed.run("--storage=timed", option, "--storage-partial").ret == 0


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("p50 <= 1.5 x insert", "*the backend timed has no calibration 'insert', only: read.*"),
        ("p50 <= baseline", "*has a gate beside a baseline, and there is none.*"),
        ("3 bytes", "*'3 bytes' can't be counted on timed: what is counted there: statement.*"),
        ("p95 <= 2 x read", "*p95 <= 2 x read: 1.00*blocks of 200 samples, pass"),
    ],
)
def test_what_a_gate_misses_is_said(timed: Project, rule: str, sentence: str) -> None:
    gated(timed, rule)
    result = timed.run("--storage=timed")
    result.stdout.fnmatch_lines([sentence])
    assert result.ret == (0 if rule.startswith("p95") else 1)


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ('gates={"timed": {"get": "fast"}}', "*'fast' is no rule of a gate. Write one such as*"),
        ('gates={"timed": {"fly": "1 statement"}}', "*'fly' is none of its operations.*"),
    ],
)
def test_bad_declarations_are_one_sentence(timed: Project, declared: str, sentence: str) -> None:
    timed.pytester.makepyfile(
        test_gates=f"import plugin_timed as t\nTestNotes = t.contract().benchmarks({declared})"
    )
    result = timed.run("--storage=timed")
    result.stdout.fnmatch_lines([sentence])
    assert result.ret == 2


def test_an_operation_that_never_succeeds_needs_a_call(timed: Project) -> None:
    timed.pytester.makepyfile(
        test_gates="""
        import plugin_timed as timed

        async def prepared(storage, number):
            await storage.put(f"k{number}", "x")
            return lambda: storage.get(f"k{number}")

        TestOne = timed.contract().benchmarks(operations=["break_all"])
        TestTwo = timed.contract().benchmarks(operations=["get"], calls={"get": prepared})
        """
    )
    result = timed.run("--storage=timed")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*no call of Notes.break_all was found that can be made again*"])


@pytest.mark.parametrize("policy", ["fail", "pass"])
def test_gates_and_what_undecided_means_are_configured(timed: Project, policy: str) -> None:
    (timed.path / "pyproject.toml").write_text(
        f"[tool.storeproof.latency]\nundecided = '{policy}'\nseconds = 0.1\n"
        "[tool.storeproof.latency.gates.Notes.timed]\nget = 'p50 <= 1.05 x baseline'\n"
    )
    timed.pytester.makepyfile(
        test_gates="""
        import itertools
        import plugin_timed as timed

        turns = itertools.count()
        uneven = lambda address: timed.Timed(100_000 if next(turns) % 2 else 200_000)
        TestNotes = timed.contract().benchmarks(operations=["get"], baseline=uneven)
        """
    )
    result = timed.run("--storage=timed", "-c", "tox.ini")
    result.stdout.fnmatch_lines(["Notes.get on timed p50 <= 1.05 x baseline: * undecided (equal*"])
    assert result.ret == (1 if policy == "fail" else 0)


def test_a_table_that_nobody_reads_is_refused(timed: Project) -> None:
    gated(timed, "1 statement")
    (timed.path / "pyproject.toml").write_text("[tool.storeproof.latency]\nbudget = 3\n")
    result = timed.run("--storage=timed")
    result.stderr.fnmatch_lines(["*[[]tool.storeproof.latency[]]: *unknown field `budget`*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_benchmarks_without_gates_are_said_to_judge_nothing(timed: Project) -> None:
    gated(timed)
    result = timed.run("--storage=timed")
    result.stdout.fnmatch_lines(["2 operations were measured without a gate: nothing*"])
    assert result.ret == 0


def test_rows_are_there_before(timed: Project) -> None:
    timed.pytester.makepyfile(
        test_gates="""
        import plugin_timed as timed

        class Grows(timed.Timed):
            def spend(self):
                timed.NOW[0] += 100_000 + 100_000 * (len(self.texts) >= 1000)

        contract = timed.Contract(
            timed.Notes, model=timed.Model, storages={"timed": lambda address: Grows()},
            errors=(timed.Missing,),
        )
        gates = {"timed": {"get": "p50 <= 1.5 x read"}}
        TestEmpty = contract.benchmarks(operations=["get"], gates=gates)
        TestFull = contract.benchmarks(operations=["get"], gates=gates, rows=1000, fill="put")
        """
    )
    result = timed.run("--storage=timed")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED *TestFull*"])


def test_another_plugin_in_the_place_of_pytest_benchmark_is_named(timed: Project) -> None:
    gated(timed, "p50 <= 1.5 x read")
    timed.extend_conftest(REPLACED)
    result = timed.run("--storage=timed", "-p", "no:benchmark")
    result.stdout.fnmatch_lines(["*not judged: pytest_codspeed is active in the place of*"])
    assert result.ret == 1


def test_without_pytest_benchmark_a_sentence_says_so(
    timed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(timed, "p50 <= 1.5 x read")
    monkeypatch.setattr(nodes, "find_spec", lambda name: None)
    result = timed.run("--storage=timed", "-p", "no:benchmark")
    result.stdout.fnmatch_lines(["pytest-benchmark is not installed. Run: pip install *"])
    assert result.ret == 1


def test_a_debugging_loop_is_refused(timed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    gated(timed, "p50 <= 1.5 x read")
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    result = timed.run("--storage=timed")
    result.stdout.fnmatch_lines(["latency can't be measured: the event loop is in debug mode*"])
    assert result.ret == 1
