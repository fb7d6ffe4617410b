"""`storeproof bench`: what is measured is told, judged by its gates, written and compared."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from storeproof.cli import app
from storeproof.harness.report import load

HERE = Path(__file__).parents[1] / "plugin"
MODULE = """
import plugin_timed as timed

contract = timed.Contract(
    timed.Notes, model=lambda: timed.Timed(), errors=(timed.Missing,), ignore={"break_all": "no"}
)
Ungated = contract.benchmarks()
Slow = contract.benchmarks(
    operations=["put"], baseline=timed.slower, gates={"memory": {"put": "p50 <= 9 x baseline"}}
)
Counted = contract.benchmarks(operations=["put"], gates={"memory": {"put": "1 statement"}})
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(HERE), str(tmp_path), *sys.path])
    for name in ("bench_module", "plugin_timed"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "bench_module.py").write_text(MODULE)

    def clock() -> int:
        return sys.modules["plugin_timed"].NOW[0]

    monkeypatch.setattr("storeproof.harness.latency.bench.perf_counter_ns", clock)
    return tmp_path


def bench(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["bench", *arguments])
    return result.exit_code, result.output


def test_gates_are_judged_and_everything_is_written(module: Path) -> None:
    files = ["--json", "r.json", "--svg", "r.svg", "--markdown", "r.md"]
    code, said = bench("bench_module:Slow", *files)
    assert code == 0, said
    assert "p50 <= 9 x baseline" in said
    assert "2.00 [2.00, 2.00]" in said
    [result] = load(module / "r.json").latency
    assert [each.decision for each in result.gates] == ["pass"]
    assert set(result.spreads) == {"put", "baseline"}
    drawn = ElementTree.fromstring((module / "r.svg").read_text())  # noqa: S314 - our own
    assert len(drawn.findall(".//{*}polyline")) == 2
    assert len(drawn.findall(".//{*}circle")) == 1
    assert "| Notes | put | memory |" in (module / "r.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["bench_module:Ungated"], 1, "no gate was declared, so nothing was judged"),
        (["bench_module:Counted"], 1, "'1 statement' can't be counted on memory"),
        (["bench_module:Slow", "--operation", "fly"], 3, "'fly' is none of its operations"),
        (["bench_module:missing"], 3, "the module bench_module has no 'missing'"),
        (["no_such_module:x"], 3, "there is no module 'no_such_module'"),
        (["bench_module"], 3, "it has no ':' between module and name"),
        (["bench_module:MODULE"], 3, "the module bench_module has no 'MODULE'"),
        (["bench_module:timed"], 3, "this is a module"),
        (["bench_module:Slow", "--storage", "redis"], 3, "no backend is called 'redis'"),
    ],
)
def test_what_is_not_judged_is_not_green(
    module: Path, arguments: list[str], code: int, sentence: str
) -> None:
    found, said = bench(*arguments)
    assert (found, sentence in said.replace("\n", " ")) == (code, True), said


def test_stored_times_are_shown_and_never_judged(module: Path) -> None:
    for name in ("a.json", "b.json"):
        bench("bench_module:Slow", "--json", name)
    code, said = bench("compare", "a.json", "b.json")
    assert code == 0
    assert "Notes.put on memory: p50 100.0 µs -> 100.0 µs" in said
    assert "never judged" in said


def test_load_is_shown_and_drawn(module: Path) -> None:
    code, said = bench(
        *("load", "bench_module:Slow", "--calls", "100", "--clients", "1,2", "--rates", "1e6"),
        *("--json", "l.json", "--svg", "l.svg"),
    )
    assert code == 0, said
    assert "Notes.put on memory, 2 clients: " in said
    [result] = load(module / "l.json").latency
    assert [each.clients for each in result.load] == [1, 2, 0]
    drawn = ElementTree.fromstring((module / "l.svg").read_text())  # noqa: S314 - our own
    assert len(drawn.findall(".//{*}circle")) == 9


def test_a_list_of_clients_is_numbers(module: Path) -> None:
    code, said = bench("load", "bench_module:Slow", "--clients", "few")
    assert (code, "'few' is no list of numbers" in said) == (2, True)
