"""For whoever measures a contract's operations from a terminal, or looks at what was measured."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from storeproof.cli.errors import ExitCode
from storeproof.cli.output import say

if TYPE_CHECKING:
    from storeproof.harness.latency.bench import Bench
    from storeproof.harness.latency.configuration import LatencyConfiguration
    from storeproof.harness.latency.results import LatencyResult
    from storeproof.harness.report import Report

__all__ = ["app"]

Number = TypeVar("Number", int, float)


class _RunUnlessNamed(TyperGroup):
    """`storeproof bench TARGET` is `storeproof bench run TARGET`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        named = args[0] in self.commands
        return super().resolve_command(ctx, args if named else ["run", *args])


app = typer.Typer(
    cls=_RunUnlessNamed,
    no_args_is_help=True,
    help="Measure how long operations take, beside a driver's calibrations or a baseline.",
)

_BASELINE = "git:REF or pypi:VERSION of the contract's package, or another backend's name."
_TARGET = "Contract or benchmarks, such as shop.contracts:orders or benchmarks/test_x.py:TestX."


@app.command(epilog="Example: storeproof bench shop.contracts:orders --storage=sqlite")
def run(
    target: Annotated[str, typer.Argument(metavar="TARGET", help=_TARGET)],
    *,
    storage: Annotated[str, typer.Option(help="Backends, such as memory,sqlite.")] = "memory",
    operation: Annotated[list[str] | None, typer.Option(help="Measure these only.")] = None,
    baseline: Annotated[str | None, typer.Option(help=_BASELINE)] = None,
    rows: Annotated[int | None, typer.Option(help="Calls that make data before.")] = None,
    seconds: Annotated[float | None, typer.Option(help="At most, of a comparison.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a report.")] = None,
    svg: Annotated[Path | None, typer.Option(metavar="PATH", help="Draw it.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="PATH", help="Write Markdown.")] = None,
) -> None:
    """Measure, and judge by the gates that were declared.

    Exits with 1 where a gate fails, is undecided (unless that may pass) or was not judged, and
    where there is no gate.
    """
    from storeproof.harness.latency.bench import Bench
    from storeproof.harness.latency.targets import load_target
    from storeproof.harness.report import probe

    for path in (json, svg, markdown):
        if path is not None:
            probe(path)
    sys.path.insert(0, str(Path.cwd()))
    planned = load_target(target)
    if rows is not None:
        planned = replace(planned, rows=rows)
    bench = Bench(planned, storage, operation or (), _configuration(seconds), _command())
    report = _measured(bench, target, baseline)
    _write(report, json, {"latency": svg, "markdown": markdown})
    for problem in report.problems:
        say(problem)
    if not report.passed:
        raise typer.Exit(ExitCode.FOUND)


@app.command(epilog="Example: storeproof bench load shop.contracts:orders --clients=1,8,64")
def load(
    target: Annotated[str, typer.Argument(metavar="TARGET", help=_TARGET)],
    *,
    storage: Annotated[str, typer.Option(help="Backends, such as memory,sqlite.")] = "memory",
    operation: Annotated[list[str] | None, typer.Option(help="Measure these only.")] = None,
    calls: Annotated[int, typer.Option(help="Calls at each level.", min=100)] = 2000,
    clients: Annotated[str, typer.Option(help="At once, each level.")] = "1,2,4,8,16,32,64",
    rates: Annotated[str, typer.Option(help="Calls a second that come by themselves.")] = "",
    json: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a report.")] = None,
    svg: Annotated[Path | None, typer.Option(metavar="PATH", help="Draw it.")] = None,
) -> None:
    """Show throughput and latencies under load: by clients, and at rates; nothing is judged."""
    from storeproof.harness.latency.bench import Bench, load_measure
    from storeproof.harness.latency.targets import load_target

    sys.path.insert(0, str(Path.cwd()))
    measure = load_measure(calls, _numbers(clients, int), _numbers(rates, float))
    bench = Bench(load_target(target), storage, operation or (), _configuration(None), _command())
    report = bench.run(_tell_load, measure)
    _write(report, json, {"latency": svg})
    if not report.passed:
        raise typer.Exit(ExitCode.FOUND)


@app.command(epilog="Example: storeproof bench compare old.json new.json")
def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A report of latencies.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="A later one.")],
) -> None:
    """Show the times of two runs side by side; stored times are never judged."""
    from storeproof.harness.latency.stored import lines
    from storeproof.harness.report import load

    for line in lines(load(old), load(new)):
        say(line)


def _measured(bench: Bench, target: str, baseline: str | None) -> Report:
    from storeproof.harness.latency.baselines import version
    from storeproof.harness.latency.versions import Versions

    if baseline is None or ":" not in baseline:
        given = bench.planned.baseline if baseline is None else baseline
        return replace(bench, planned=replace(bench.planned, baseline=given)).run(_tell)
    with version(baseline, bench.planned.contract) as place:
        versions = Versions(target, baseline, place, bench.configuration)
        return bench.run(_tell, versions.measure)


def _configuration(seconds: float | None) -> LatencyConfiguration:
    import msgspec

    from storeproof.harness.latency.configuration import read_configuration

    found = read_configuration(Path.cwd())
    return found if seconds is None else msgspec.structs.replace(found, seconds=seconds)


def _numbers(text: str, kind: Callable[[str], Number]) -> list[Number]:
    try:
        return [kind(each) for each in text.split(",") if each.strip()]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no list of numbers") from None


def _write(report: Report, json: Path | None, views: Mapping[str, Path | None]) -> None:
    from storeproof.harness.report import save
    from storeproof.harness.views import write_view

    if json is not None:
        save(report, json)
    for view, path in views.items():
        if path is not None:
            write_view(view, report, path)


def _tell_load(result: LatencyResult) -> None:
    from storeproof.harness.views.latency import load_line

    where = f"{result.contract}.{result.operation} on {result.backend}"
    for level in result.load:
        say(f"{where}, {load_line(level)}")
    if result.problem:
        say(f"{where}: {result.problem}")


def _command() -> str:
    return shlex.join(["storeproof", *sys.argv[1:]])


def _tell(result: LatencyResult) -> None:
    from storeproof.harness.views.latency import table

    for row in table([result])[1:]:
        say("  ".join(row))
