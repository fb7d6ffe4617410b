"""pytest loads this module; nobody imports it by hand.

It holds hooks only and imports the harness when the first suite is collected, or an option asks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from storeproof.harness.latency.nodes import LatencyRun
    from storeproof.harness.report import Report
    from storeproof.harness.run import Run
    from storeproof.harness.settings import Settings

__all__: list[str] = []

_REFERENCE = Path(__file__).parent / "reference"
_SHIPPED = "conformance.py"
_OVERRULED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)

_settings: pytest.StashKey[Settings] = pytest.StashKey()
_run: pytest.StashKey[Run] = pytest.StashKey()
_report: pytest.StashKey[Report] = pytest.StashKey()
_looped: pytest.StashKey[bool] = pytest.StashKey()
_free_to_schedule: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from storeproof import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("storage", "backends that suites run on, as --storage takes them", default="")
    parser.addini("storage_laws", "version of the laws that a run is pinned to", default="")
    parser.addini("storage_known_failures", "files of known failures", type="paths", default=[])
    group = parser.getgroup("storeproof", "storeproof: conformance suites of storages")
    add = group.addoption
    add("--storage", metavar="NAMES", help="backends, such as memory,sqlite or all (memory)")
    add(
        "--storage-profile",
        choices=("light", "quick", "full", "soak"),
        default="quick",
        help="how many programs a check tries, and how long they are (quick)",
    )
    add("--storage-report", metavar="PATH", help="write the result as JSON")
    add("--storage-html", metavar="PATH", help="write the result as a page")
    add("--storage-markdown", metavar="PATH", help="write the result as Markdown (a job's summary)")
    add("--storage-badge", metavar="PATH", help="write the worst verdict as an SVG badge")
    add("--storage-replay", metavar="FILE", help="run one saved program, nothing else")
    add(
        "--storage-known-failures",
        metavar="FILE",
        action="append",
        default=[],
        help="TOML file of what is known to fail; may be repeated",
    )
    add("--storage-seed", metavar="INT", type=int, help="repeat a run's programs (random)")
    add("--storage-laws", metavar="VERSION", help="later laws run without scoring (all count)")
    add("--storage-postgres-url", metavar="URL", help="server for the backend postgres")
    add("--storage-postgres-image", metavar="IMAGE", help="image for a container of postgres")
    add("--storage-command", help=argparse.SUPPRESS)  # what repeats the run, where not pytest does
    add(
        "--storage-partial",
        action="store_true",
        help="accept a verdict that is incomplete only because checks were deselected",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    option = config.option
    if option.storage_replay and hasattr(option, "numprocesses"):
        option.numprocesses = 0  # one program needs no workers
    config.stash[_free_to_schedule] = getattr(option, "dist", "") == "no"
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> Generator[None, Any, Any]:
    if _asks_for_a_run(session.config):
        _get_run(session.config)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, Any, Any]:
    """Take the suites of the reference components for tests, as `--pyargs` names them."""
    found = yield
    if found or file_path.name != _SHIPPED or file_path.parents[1] != _REFERENCE:
        return found
    return [parent.ihook.pytest_pycollect_makemodule(module_path=file_path, parent=parent)]


def pytest_exception_interact(call: Any, report: Any) -> None:
    """Show the sentence of a contract that can't be derived, and none of our frames."""
    exceptions = sys.modules.get("storeproof.harness.exceptions")
    if exceptions is None or not isinstance(report, pytest.CollectReport):
        return
    if isinstance(call.excinfo.value, exceptions.HarnessError):
        from storeproof.harness.frames import without_our_frames

        report.longrepr = call.excinfo.getrepr(style="short", tbfilter=without_our_frames)


@pytest.hookimpl(tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> None:
    if isinstance(collector, pytest.Class) and _is_suite(collector.obj):
        _get_run(collector.config).collected.add_suite(collector.nodeid, collector.obj)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    ours = _is_suite(metafunc.cls) or _is_benchmarks(metafunc.cls)
    if ours and "storage_backend" in metafunc.fixturenames:
        metafunc.parametrize("storage_backend", _get_run(metafunc.config).backends)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    run = config.stash.get(_run, None)
    if run is None:
        return
    from storeproof.harness.exceptions import ReplayError
    from storeproof.harness.selection import deselected_by_replay, put_in_order

    put_in_order(items, run.backends)
    try:
        gone = deselected_by_replay(items, run.replay)
    except ReplayError as error:
        raise pytest.UsageError(str(error)) from None
    if gone:
        items[:] = [each for each in items if each not in gone]
        config.hook.pytest_deselected(items=gone)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    run = session.config.stash.get(_run, None)
    if run is None:
        return
    from storeproof.harness.selection import keys_of

    unknown = run.collected.unknown_laws()
    if unknown is not None and not run.worker:
        raise pytest.UsageError(str(unknown))
    run.collected.selected = keys_of(session.items)
    benchmarks = [each for each in session.items if _is_benchmarks(getattr(each, "cls", None))]
    run.collected.benchmarks = len(benchmarks)
    if benchmarks:
        _start_latency(session.config, run).select(benchmarks)
    if run.worker:
        worker = session.config.workerinput["workerid"]  # type: ignore[attr-defined]  # xdist's
        run.collected.save(run.settings.directory / f"collected-{worker}.json")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    config = session.config
    if config.option.collectonly or config.option.setuponly:
        return
    config.stash[_looped] = True
    run = config.stash.get(_run, None)
    if run is not None and not run.worker and not session.testsfailed:
        _start_servers(config, run)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if _is_benchmarks(getattr(item, "cls", None)):
        from storeproof.harness.latency.replaying import prepare_item

        prepare_item(item)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    settings = _get_settings(node.config)
    node.workerinput["storeproof"] = {
        "seed": settings.seed,
        "directory": str(settings.directory),
    }


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if not (_asks_for_storage(config) and config.stash[_free_to_schedule]):
        return None
    from storeproof.harness.scheduling import SuiteScheduling

    return SuiteScheduling(config, log, _get_run(config).collected.group_of)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    paths = sorted(_get_settings(node.config).directory.glob("collected-*.json"))
    if paths and not (_run in node.config.stash and _get_run(node.config).collected.suites):
        run = _get_run(node.config)
        run.collected.read(paths)
        _start_servers(node.config, run)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    problems = getattr(node, "workeroutput", {}).get("storeproof", [])
    if problems:
        _get_run(node.config).problems += problems


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    report = yield
    if _run in item.config.stash:
        from storeproof.harness.selection import result_of

        vars(report)["storeproof"] = result_of(item, report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config, run = session.config, session.config.stash.get(_run, None)
    if run is None:
        return
    run.close()
    if run.worker:
        config.workeroutput["storeproof"] = run.problems  # type: ignore[attr-defined]  # xdist's
    elif _looped in config.stash and run.has_something_to_say(session.exitstatus):
        report = config.stash[_report] = run.finish()
        if not report.passed and session.exitstatus in _OVERRULED:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    report = config.stash.get(_report, None)
    if report is not None:
        from storeproof.harness.summary import lines, title

        terminalreporter.write_sep("=", title(report))
        for line in [*lines(report), *_get_run(config).replayed()]:
            terminalreporter.write_line(line)


def _get_run(config: pytest.Config) -> Run:
    if _run not in config.stash:
        config.stash[_run] = _make_run(config)
    return config.stash[_run]


def _make_run(config: pytest.Config) -> Run:
    """Raises UsageError where something that was asked for can't be."""
    from storeproof.harness.exceptions import HarnessError
    from storeproof.harness.run import Run
    from storeproof.harness.suite import PROVER

    settings = _get_settings(config)
    hooked = config.hook.pytest_storeproof_backends(config=config)
    try:
        run = Run(settings, hooked, worker=hasattr(config, "workerinput"))
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None
    config.add_cleanup(run.close)
    config.stash[PROVER] = run.prover
    if not run.worker:
        config.pluginmanager.register(_Results(run))
    return run


class _Results:
    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = getattr(report, "storeproof", None)
        if result is not None:
            self._run.collected.add_serialized(result)


def _get_settings(config: pytest.Config) -> Settings:
    from storeproof.harness.settings import read_settings

    if _settings not in config.stash:
        config.stash[_settings] = read_settings(config)
    return config.stash[_settings]


def _start_servers(config: pytest.Config, run: Run) -> None:
    run.start_servers()
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and (run.collected.suites or run.latency):
        terminal.ensure_newline()
        terminal.write_line(run.header)


def _start_latency(config: pytest.Config, run: Run) -> LatencyRun:
    """Raises UsageError where the project's file can't be used."""
    from storeproof.harness.exceptions import HarnessError
    from storeproof.harness.latency.configuration import read_configuration
    from storeproof.harness.latency.nodes import LATENCY, LatencyRun

    try:
        configuration = read_configuration(run.settings.root)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None
    run.latency = LatencyRun(run.session, configuration, run.settings.partial)
    config.stash[LATENCY] = run.latency
    return run.latency


def _asks_for_storage(config: pytest.Config) -> bool:
    return bool(config.option.storage or config.getini("storage"))


def _asks_for_a_run(config: pytest.Config) -> bool:
    from storeproof.harness.settings import OUTPUTS

    option = config.option
    known = option.storage_known_failures or config.getini("storage_known_failures")
    outputs = any(getattr(option, each) for each in OUTPUTS)
    return bool(_asks_for_storage(config) or option.storage_replay or known or outputs)


def _is_benchmarks(cls: Any) -> bool:
    return hasattr(cls, "storeproof_benchmarks")


def _is_suite(cls: Any) -> bool:
    return isinstance(getattr(cls, "storeproof_plan", None), dict)
