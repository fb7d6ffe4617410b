"""`storeproof check` proves what a factory makes, and tells what is wrong with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from storeproof.cli.check import CONTRACTS
from storeproof.cli.errors import ExitCode
from storeproof.harness.report import Verdict, load
from storeproof.harness.targets import load_contract

Run = Callable[..., Result]
TOY = Path(__file__).parents[1] / "plugin"
SHOP = """
import contextlib
import json
from pathlib import Path

import plugin_toy as toy
from storeproof import Contract

contract = Contract(toy.Notes, model=toy.MemoryNotes, errors=(toy.Missing,))
Good, Stripping = toy.MemoryNotes, toy.Stripping
EVENTS = []


async def awaited():
    return toy.MemoryNotes()


@contextlib.contextmanager
def entered():
    yield toy.MemoryNotes()


@contextlib.asynccontextmanager
async def entered_async():
    yield toy.MemoryNotes()


class Closing(toy.MemoryNotes):
    def __init__(self):
        super().__init__()
        EVENTS.append("opened")

    def close(self):
        EVENTS.append("closed")


class ClosingAsync(Closing):
    async def aclose(self):
        self.close()


class Disk:
    def __init__(self, place):
        self.file = Path(place) / "notes.json"

    def load(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    async def get(self, key):
        texts = self.load()
        if key not in texts:
            raise toy.Missing
        return texts[key]

    async def put(self, key, text):
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({**self.load(), key: text}))
        new.rename(self.file)


class KeepsInMemory(toy.MemoryNotes):
    def __init__(self, place):
        super().__init__()


class WithoutPut:
    async def get(self, key):
        raise toy.Missing


def broken():
    raise OSError("no disk")


def number():
    return 7


def needs_two(host, port):
    pass


def needs_name(*, url):
    pass
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(TOY), *sys.path])
    for name in ("shop", "plugin_toy"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "shop.py").write_text(SHOP, "utf-8")
    (tmp_path / "unimportable.py").write_text("1 / 0\n", "utf-8")
    return tmp_path


def check(run: Run, factory: str, *options: str) -> Result:
    given = ("--contract", "shop:contract", "--profile", "light", "--seed", "1")
    return run("check", factory, *given, *options)


@pytest.mark.parametrize("factory", ["Good", "awaited", "entered", "entered_async"])
def test_a_correct_storage_is_conformant(run: Run, factory: str) -> None:
    told = check(run, f"shop:{factory}")

    assert told.exit_code == ExitCode.DONE, told.output
    assert "conformant     8/8" in told.output
    assert f"on shop:{factory}: cancellation" in told.output


@pytest.mark.parametrize("factory", ["Closing", "ClosingAsync"])
def test_what_was_opened_is_closed_once(run: Run, factory: str) -> None:
    assert check(run, f"shop:{factory}").exit_code == ExitCode.DONE

    events = sys.modules["shop"].EVENTS
    assert events.count("opened") == events.count("closed") > 25


def test_a_factory_that_takes_a_place_is_tried_by_clients_and_processes(run: Run) -> None:
    told = check(run, "shop:Disk", "--capability", "survives_restart")

    assert told.exit_code == ExitCode.DONE, told.output
    assert "conformant   10/10" in told.output


@pytest.mark.parametrize(
    ("factory", "sentence"),
    [
        ("Disk", "survives_restart is not declared, but a handle opened after all were closed"),
        ("KeepsInMemory", "concurrent_clients is declared, but a second handle does not see"),
        ("WithoutPut", "put is missing"),
    ],
)
def test_a_storage_that_can_do_more_or_less_is_not_conformant(
    run: Run, factory: str, sentence: str
) -> None:
    told = check(run, f"shop:{factory}")

    assert (told.exit_code, sentence in told.output) == (ExitCode.FOUND, True), told.output


def test_a_broken_storage_is_shown_by_a_test_that_runs(run: Run, shop: Path) -> None:
    told = check(run, "shop:Stripping")

    assert told.exit_code == ExitCode.FOUND
    lines = told.output.partition("as a test to paste:\n")[2].partition("The program is saved")[0]
    test = "\n".join(line.removeprefix("    ") for line in lines.splitlines())
    (shop / "test_pasted.py").write_text(test, "utf-8")
    (shop / "test_model.py").write_text(test.replace("shop:Stripping", "memory"), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", str(shop)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(  # noqa: S603 - the command is this test's own
        command, capture_output=True, text=True, check=False, env=environment
    )
    assert "FAILED test_pasted.py::test_program - AssertionError" in done.stdout, done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_a_broken_storage_s_program_is_run_again_by_the_command_that_is_told(run: Run) -> None:
    told = check(run, "shop:Stripping").output
    [command] = [line.split() for line in told.splitlines() if " --replay " in line]
    assert command[:2] == ["storeproof", "check"]

    again = run(*command[1:])
    assert (again.exit_code, "the program still fails" in again.output) == (ExitCode.FOUND, True)
    mended = [each.replace("Stripping", "Good") for each in command[1:-1]]
    fine = run(*mended, command[-1])
    assert (fine.exit_code, "the program passes" in fine.output) == (ExitCode.DONE, True)


def test_views_are_written_and_json_is_the_report(run: Run, shop: Path) -> None:
    files = ["--report", "r.json", "--html", "r.html", "--markdown", "r.md"]
    told = check(run, "shop:Good", "--json", *files)

    report = load(shop / "r.json")
    assert json.loads(told.stdout)["judgements"][0]["verdict"] == "conformant"
    assert [each.verdict for each in report.judgements] == [Verdict.CONFORMANT]
    assert report.command == "storeproof check shop:Good --contract shop:contract"
    assert (shop / "r.html").read_text("utf-8").startswith("<!doctype html>")
    assert (shop / "r.md").read_text("utf-8").startswith("## storeproof: 1 of 1 conformant")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["shop"], "shop: it has no ':' between module and name"),
        (["nowhere:x"], "nowhere:x: there is no module 'nowhere'"),
        (["unimportable:x"], "importing unimportable raises ZeroDivisionError: division by zero"),
        (["shop:x"], "shop:x: the module shop has no 'x'"),
        (["shop:Good.x"], "shop:Good.x: MemoryNotes has no 'x'"),
        (["shop:EVENTS"], "shop:EVENTS: a list can't be called"),
        (["shop:broken"], "its storage can't be opened and closed: OSError: no disk"),
        (["shop:number"], "it gives a int, which has none of the 2 operations of Notes"),
        (["shop:needs_two"], "shop:needs_two: it needs 2 arguments (host, port)"),
        (["shop:needs_name"], "shop:needs_name: it needs url by its name"),
        (["shop:Good", "--contract=nothing"], "nothing: it has no ':' between module and name"),
        (["shop:Good", "--contract=shop:Good"], "shop:Good: this is a type, not a contract"),
        (["shop:Good", "--capability=survives_restart"], "needs a factory that takes a place"),
        (["shop:Good", "--laws=1.0"], "no law was introduced in version '1.0'"),
        (["shop:Good", "--replay=lost.json"], "lost.json can't be replayed: No such file"),
        (["shop:Good", "--report=no.json/r"], "the report can't be written there: File exists"),
    ],
)
def test_what_can_not_be_used_is_told_in_a_sentence(
    run: Run, shop: Path, arguments: list[str], sentence: str
) -> None:
    (shop / "no.json").touch()
    told = check(run, *arguments)

    assert (told.exit_code, sentence in told.stderr) == (ExitCode.UNUSABLE, True), told.output
    assert told.stderr.count("\n") == 1
    assert "Traceback" not in told.output


@pytest.mark.parametrize("option", ["--profile=huge", "--capability=networked"])
def test_a_wrong_option_is_a_wrong_command_line(run: Run, option: str) -> None:
    assert check(run, "shop:Good", option).exit_code == ExitCode.USAGE


def test_the_contracts_of_the_components_have_names() -> None:
    assert {load_contract(each).name for each in CONTRACTS.values()} == set(CONTRACTS)
