"""`storeproof check` runs a contract's suite on somebody's factory through `Checking`."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from storeproof.harness.backends.base import Capability
from storeproof.harness.backends.factory import BadFactory, FactoryBackend, load_factory
from storeproof.harness.operations import is_missing
from storeproof.harness.report import Report, load, probe
from storeproof.harness.requirements import UnknownLaws
from storeproof.harness.saved import read_saved
from storeproof.harness.targets import load_contract

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Checking", "Replayed"]

_MODULE = """\
from storeproof.harness.targets import load_contract

TestContract = load_contract({contract!r}).suite()
"""
_HERMETIC = (
    *("-p", "storeproof.plugin", "-p", "no:cacheprovider", "--noconftest"),
    *("--capture=no", "--import-mode=importlib"),
)

Tell = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Replayed:
    """What came of one program that was run again."""

    text: str
    passes: bool


@dataclass(frozen=True, kw_only=True)
class Checking:
    """What is checked, and how.

    factory, contract: their names, such as `shop.storages:make_storage`. command: what repeats the
    run. outputs: pytest option -> where a view of the report is written.
    """

    factory: str
    contract: str
    command: str
    profile: str
    seed: int
    laws: str = ""
    capabilities: tuple[Capability, ...] = ()
    outputs: Mapping[str, Path] = field(default_factory=dict)

    def backend(self) -> FactoryBackend:
        """Find the factory, and see that it gives what has operations of the contract.

        Raises BadTarget, BadFactory, ContractError, UnknownLaws.
        """
        contract, make = load_contract(self.contract), load_factory(self.factory)
        known = {each.since for each in contract.laws}
        if self.laws and self.laws not in known:
            raise UnknownLaws(self.laws, known)
        backend = FactoryBackend(self.factory, make, capabilities=self.capabilities)
        with tempfile.TemporaryDirectory(prefix="storeproof-") as place:
            asyncio.run(_try_out(backend.opener(contract), self.factory, contract, place))
        return backend

    def run(self, tell: Tell) -> Report:
        """Run every check and law; `tell` is told how many are done.

        Raises HarnessError for what can't be used, RuntimeError where pytest breaks off.
        """
        for written in self.outputs.values():
            probe(written)
        with tempfile.TemporaryDirectory(prefix="storeproof-") as folder:
            path = Path(folder) / "report.json"
            outputs = {"--storage-report": path, **self.outputs}
            arguments = [f"{option}={where}" for option, where in outputs.items()]
            self._pytest(Path(folder), arguments, _Progress(tell))
            return load(outputs["--storage-report"])

    def replay(self, program: Path) -> Replayed:
        """Run one saved program again.

        Raises HarnessError for what can't be used, RuntimeError where pytest breaks off.
        """
        read_saved(program)
        with tempfile.TemporaryDirectory(prefix="storeproof-") as folder:
            arguments = [f"--storage-replay={program}", "--no-header"]
            code, text = self._pytest(Path(folder), arguments, _Progress(_nothing))
        return Replayed(text, code == pytest.ExitCode.OK)

    def _pytest(
        self, folder: Path, arguments: list[str], progress: _Progress
    ) -> tuple[pytest.ExitCode, str]:
        backend = self.backend()
        module, settings = folder / "test_contract.py", folder / "pytest.ini"
        module.write_text(_MODULE.format(contract=self.contract), "utf-8")
        settings.write_text("[pytest]\n", "utf-8")
        given = [
            *(str(module), "-c", str(settings), f"--rootdir={Path.cwd()}", *_HERMETIC),
            *(f"--storage={self.factory}", f"--storage-profile={self.profile}"),
            *(f"--storage-seed={self.seed}", f"--storage-command={self.command}"),
            *([f"--storage-laws={self.laws}"] if self.laws else []),
        ]
        written = io.StringIO()
        with _alone(), contextlib.redirect_stdout(written):
            code = pytest.main([*given, *arguments], plugins=[_Given(backend), progress])
        if progress.interrupted:
            raise KeyboardInterrupt
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            raise RuntimeError(f"pytest ended with {code}:\n{written.getvalue()}")
        return pytest.ExitCode(code), written.getvalue()


class _Given:
    """Gives the run its backend."""

    def __init__(self, backend: FactoryBackend) -> None:
        self._backend = backend

    def pytest_storeproof_backends(self) -> list[FactoryBackend]:
        return [self._backend]


class _Progress:
    """Tells how many nodes are done."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._done, self._total = tell, 0, 0
        self.interrupted = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._total = len(session.items)

    def pytest_runtest_logfinish(self) -> None:
        self._done += 1
        self._tell("checks and laws", self._done, self._total)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.interrupted = excinfo.type is KeyboardInterrupt


async def _try_out(opener: Any, name: str, contract: Contract, place: str) -> None:
    try:
        async with opener(place) as storage:
            operations = contract.operations.values()
            strange = all(is_missing(storage, each) for each in operations)
    except Exception as error:  # a factory raises what it likes
        told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        problem, remedy = f"its storage can't be opened and closed: {told}", "Mend it, then retry"
        raise BadFactory(name, problem, remedy) from None
    if strange:
        raise BadFactory(
            name,
            f"it gives a {type(storage).__name__}, which has none of the {len(operations)} "
            f"operations of {contract.protocol.__name__}",
            "Name what makes a storage of this contract, or another contract",
        )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep other plugins and options out of pytest."""
    kept = dict(os.environ)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ.pop("PYTEST_PLUGINS", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def _nothing(part: str, done: int, total: int | None) -> None:
    return
