"""Another version of a package: got from its repository, and measured in turns with this one."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storeproof.harness.backends.base import Server
from storeproof.harness.contract import Contract
from storeproof.harness.latency.baselines import NoBaseline, version
from storeproof.harness.latency.measuring import CONTROL, Plan
from storeproof.harness.latency.processes import Processes, WorkerFailed, opened
from storeproof.harness.latency.targets import load_target
from storeproof.harness.latency.worker import Begin, Chunk, End, Job

MODULE = '''
"""A package of versions."""
from typing import Protocol
from storeproof.harness.contract import Contract

class Bells(Protocol):
    async def ring(self, name: str) -> str:
        """Ring."""
        ...

class Model:
    async def ring(self, name: str) -> str:
        return name

async def prepared(storage, number):
    {first}
    return lambda: storage.ring(str(number))

contract = Contract(Bells, model=Model)
Ringing = contract.benchmarks(calls={{"ring": prepared}})
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Contract]:
    """A package `bells` in a repository, whose only commit is one that can't be measured."""
    source = tmp_path / "src" / "bells"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text(MODULE.format(first='raise OSError("old")'))
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "-C", tmp_path, *who, *command], check=True)  # noqa: S603, S607
    (source / "__init__.py").write_text(MODULE.format(first="pass"))
    monkeypatch.syspath_prepend(str(source.parent))
    monkeypatch.setenv("PYTHONPATH", f"{source.parent}:{':'.join(sys.path)}")
    yield load_target("bells:contract").contract
    del sys.modules["bells"]


def job() -> Job:
    return Job("bells:Ringing", "ring", "memory", Server(), 0, None)


async def one_block(measured: list[Path], reference: list[Path]) -> dict[str, list[int]]:
    paths = {"measured": measured, "reference": reference, CONTROL: reference}
    async with opened(job(), paths) as processes:
        plan = Plan(samples=7, window=1)
        return dict(await processes.block(plan, random.Random(0), lambda: 0))


def test_two_processes_time_a_block(package: Contract) -> None:
    taken = asyncio.run(one_block([], []))
    assert {role: len(each) for role, each in taken.items()} == {
        "measured": 7,
        "reference": 7,
        CONTROL: 7,
    }


def test_a_commit_is_measured_as_it_was(package: Contract) -> None:
    with version("git:HEAD", package) as place:
        assert 'OSError("old")' in (place / "bells" / "__init__.py").read_text()
        with pytest.raises(WorkerFailed, match="OSError: old"):
            asyncio.run(one_block([], [place]))
    assert not place.exists()


RECORDED = {"METADATA": "Metadata-Version: 2.1\nName: big-bells\nVersion: {number}\n"} | {
    "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "RECORD": "bells/__init__.py,,\n",
    "top_level.txt": "bells\n",
}
"""What tells an installer, and Python, of a distribution that holds the package."""


def released(folder: Path, number: str) -> None:
    """Make a wheel of the package, of code that can't be measured."""
    with zipfile.ZipFile(folder / f"big_bells-{number}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("bells/__init__.py", MODULE.format(first='raise OSError("released")'))
        for name, text in RECORDED.items():
            wheel.writestr(f"big_bells-{number}.dist-info/{name}", text.format(number=number))


def install(place: Path, number: str) -> None:
    """Have Python believe that the package beside it came from its distribution."""
    told = place / f"big_bells-{number}.dist-info"
    told.mkdir()
    for name, text in RECORDED.items():
        (told / name).write_text(text.format(number=number))


def test_a_release_is_measured_as_it_was(
    package: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "src", "2.0")
    released(tmp_path, "1.0")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)

    with version("pypi:1.0", package) as place:
        assert 'OSError("released")' in (place / "bells" / "__init__.py").read_text()
        with pytest.raises(WorkerFailed, match="OSError: released"):
            asyncio.run(one_block([], [place]))
    assert not place.exists()
    nothing = "No matching distribution found for big-bells==1"
    with pytest.raises(NoBaseline, match=nothing), version("pypi:1.5", package):
        pass


@pytest.mark.parametrize(
    ("baseline", "sentence"),
    [
        ("git:gone", "not a valid object name: gone"),
        ("pypi:1.0", "no distribution is known to hold the package bells"),
        ("svn:1", "it is neither a version nor a backend"),
    ],
)
def test_a_version_that_cannot_be_had(package: Contract, baseline: str, sentence: str) -> None:
    with pytest.raises(NoBaseline, match=sentence), version(baseline, package):
        pass


def test_a_process_that_cannot_begin_is_told(package: Contract) -> None:
    async def begin() -> None:
        wrong = Job("bells:Nothing", "ring", "memory", Server(), 0, None)
        paths: dict[str, list[Path]] = {"measured": [], "reference": [], CONTROL: []}
        async with opened(wrong, paths):
            pass

    with pytest.raises(WorkerFailed, match="the module bells has no 'Nothing'"):
        asyncio.run(begin())


class Scripted:
    """A worker whose calls all take as long, and that notes when it worked."""

    def __init__(self, role: str, nanoseconds: int, turns: list[tuple[str, int]]) -> None:
        self.role, self._nanoseconds, self._turns = role, nanoseconds, turns

    async def ask(self, asked: Begin | Chunk | End) -> list[int]:
        if not isinstance(asked, Chunk):
            return []
        self._turns.append((self.role, asked.count))
        return [self._nanoseconds] * asked.count


def test_processes_take_short_turns_in_changing_order() -> None:
    turns: list[tuple[str, int]] = []
    workers = [Scripted(role, 1_000_000, turns) for role in ("measured", "reference", CONTROL)]
    processes = Processes(workers)  # type: ignore[arg-type]  # it asks nothing else of them
    taken = asyncio.run(processes.block(Plan(samples=205), random.Random(0), lambda: 0))
    assert {len(each) for each in taken.values()} == {205}
    assert [count for _, count in turns[::3]] == [5, *[20] * 10]  # 20 ms, but the first
    orders = {tuple(role for role, _ in turns[at : at + 3]) for at in range(0, len(turns), 3)}
    assert len(orders) > 2
