"""The plugin keeps one `Run` per process: what it was asked for, what came of it, the report."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING

import msgspec

from storeproof.harness.backends.base import Backend, RunOptions
from storeproof.harness.collected import Collected
from storeproof.harness.exceptions import HarnessError
from storeproof.harness.known_failures import KnownFailure, read_known_failures, unmatched
from storeproof.harness.profiles import PROFILES
from storeproof.harness.proving import Prover
from storeproof.harness.report import (
    BackendInfo,
    CheckResult,
    Judgement,
    Report,
    Status,
)
from storeproof.harness.requirements import version
from storeproof.harness.saved import SavedProgram, read_saved
from storeproof.harness.servers import Servers
from storeproof.harness.session import Session, current_session
from storeproof.harness.settings import Settings
from storeproof.harness.verdict import accepted

if TYPE_CHECKING:
    from storeproof.harness.latency.nodes import LatencyRun

__all__ = ["Run", "versions"]

_BROKEN_OFF = (2, 3, 4)
"""pytest's exit codes for interrupted, internal error, usage error."""
_LIBRARIES = ("storeproof", "pytest", "hypothesis", "sqlalchemy", "msgspec", "aiosqlite", "asyncpg")


class Run:
    """What a pytest process was asked for and what came of it.

    Raises HarnessError where something that was asked for can't be: an unknown backend, a damaged
    file of known failures or program, a report that can't be written.
    """

    def __init__(self, settings: Settings, hooked: Iterable[object], *, worker: bool) -> None:
        from storeproof.harness.backends.registry import choose, registered_backends

        if settings.laws:
            version(settings.laws)
        self.settings, self.worker = settings, worker
        registered = registered_backends(_backends(hooked))
        self.replay: SavedProgram | None = read_saved(settings.replay) if settings.replay else None
        chosen = {each.name: each for each in choose(self._storage(), registered)}
        self.registered: Mapping[str, Backend] = {**registered, **chosen}
        self.backends = list(chosen)
        self.known: Sequence[KnownFailure] = [
            entry for path in settings.known_failures for entry in read_known_failures(path)
        ]
        if not worker:
            settings.outputs.probe()
        self.collected = Collected(laws=settings.laws)
        self.servers = Servers(self.registered, self._run_options())
        self.problems: list[str] = []
        self._started_at, self._started = datetime.now(UTC), time.perf_counter()
        self._session: Session | None = None
        self._prover: Prover | None = None
        self._current = ExitStack()
        self.latency: LatencyRun | None = None

    @property
    def header(self) -> str:
        """Say in one line what the run was asked for and what it has."""
        backends = "; ".join(map(self._told, self.backends))
        return (
            f"storeproof {metadata.version('storeproof')}: {backends}; "
            f"profile {self.settings.profile}; seed {self.settings.seed}"
        )

    def start_servers(self) -> None:
        """Start the servers that the selected nodes need."""
        needed = {each.backend for each in self.collected.selected.values()}
        needed |= self.latency.backends if self.latency else set()
        self.servers.start(each for each in self.backends if each in needed)

    def prover(self) -> Prover:
        """Give what carries out the nodes of this process."""
        self._prover = self._prover or self._make_prover()
        return self._prover

    def session(self) -> Session:
        """Give what the nodes of this process share."""
        self.prover()
        assert self._session is not None, "a prover has one"
        return self._session

    def close(self) -> None:
        """Close this process's stores and stop the servers that it started."""
        self._current.close()
        if self._session is not None:
            self.problems += self._session.close()
            self._session = None
        self.problems += self.servers.stop()

    def has_something_to_say(self, exit_status: int) -> bool:
        """Whether suites ran, or were asked for and are missing; not where the run broke off."""
        if exit_status in _BROKEN_OFF and not self.collected.results:
            return False
        return bool(self.collected.suites or self.collected.benchmarks or self.settings.asked)

    def finish(self) -> Report:
        """Judge what was collected; write what was asked for, unless a program was replayed."""
        report = self._report()
        unwritten = [] if self.replay else self.settings.outputs.write(report)
        if not unwritten:
            return report
        return msgspec.structs.replace(
            report, problems=(*report.problems, *unwritten), passed=False
        )

    def _report(self) -> Report:
        judgements = [] if self.replay else self.collected.judgements(self.backends)
        problems = (*self.problems, *self.collected.clashes(), *self._complaints(judgements))
        partial = self.settings.partial
        profile = PROFILES[self.settings.profile]
        quick = self.latency is None or self.latency.passed
        proved = all(accepted(each, partial=partial) for each in judgements)
        return Report(
            started_at=self._started_at,
            seconds=round(time.perf_counter() - self._started, 3),
            passed=not problems and quick and proved,
            partial=partial,
            profile=profile.name,
            programs=profile.programs,
            steps=profile.steps,
            seed=self.settings.seed,
            versions=versions(),
            backends={name: self._backend_info(name) for name in self.backends},
            problems=problems,
            judgements=tuple(judgements),
            laws=self.settings.laws,
            command=self.settings.command,
            latency=tuple(self.latency.results.values()) if self.latency else (),
        )

    def replayed(self) -> list[str]:
        """Say what came of the program that was replayed."""
        if self.replay is None:
            return []
        results = [pair for found in self.collected.results.values() for pair in found]
        return [
            f"{self.replay.path} on {backend}: {_REPLAYED[result.status]}{_runs(result)}"
            for backend, result in results
            if result.status in _REPLAYED
        ]

    def _make_prover(self) -> Prover:
        if self.worker:
            self.servers.read()
        self._session = Session(self.registered, self.servers, self.backends)
        self._current.enter_context(current_session(self._session))
        return Prover(
            session=self._session,
            profile=PROFILES[self.settings.profile],
            seed=self.settings.seed,
            root=self.settings.root,
            programs=self.settings.programs,
            known=self.known,
            replay=self.replay,
            laws=self.settings.laws,
            replay_command=self.settings.replay_command,
        )

    def _storage(self) -> str:
        replayed = self.replay.backend if self.replay else None
        return self.settings.storage or replayed or self.settings.usual_storage or "memory"

    def _run_options(self) -> RunOptions:
        return RunOptions(
            directory=self.settings.directory,
            postgres_url=self.settings.postgres_url,
            postgres_image=self.settings.postgres_image,
        )

    def _complaints(self, judgements: Sequence[Judgement]) -> list[str]:
        if self.replay is not None:
            return self._replay_complaints(self.replay)
        latency = self.latency.complaints() if self.latency else []
        if not self.collected.suites and self.collected.benchmarks:
            return latency
        if not self.collected.suites:
            return [f"{self.settings.asked} was given, but no suite was collected. {_NO_SUITE}"]
        partial = self.settings.partial
        unknown = self.collected.unknown_laws()
        if unknown is not None:
            return [str(unknown)]
        return [*latency, *unmatched(self.known, judgements, self.registered, partial=partial)]

    def _replay_complaints(self, replay: SavedProgram) -> list[str]:
        results = [pair for found in self.collected.results.values() for pair in found]
        if not results:
            return [
                f"{replay.path} was not replayed: no suite that was collected has a contract "
                f"{replay.contract!r} with a check {replay.check!r}. Name the suite's module"
            ]
        return [
            f"{replay.path} was not replayed on {backend}: {result.detail}"
            for backend, result in results
            if result.status not in _REPLAYED
        ]

    def _told(self, name: str) -> str:
        if self.servers.problem(name):
            return f"{name} = not available"
        description = self.servers.told(name).description
        return name if description in ("", name) else f"{name} = {description}"

    def _backend_info(self, name: str) -> BackendInfo:
        return BackendInfo(
            description=self.servers.told(name).description,
            version=self.servers.told(name).version,
            capabilities=tuple(sorted(self.registered[name].capabilities)),
            problem=self.servers.problem(name),
        )


def _runs(result: CheckResult) -> str:
    """Say how often a program of several clients was run."""
    return f", in each of {result.programs} runs" if result.programs > 1 and _passed(result) else ""


def _passed(result: CheckResult) -> bool:
    return result.status is Status.PASSED


_REPLAYED = {Status.PASSED: "the program passes", Status.FAILED: "the program still fails"}
_NO_SUITE = "Name a module with a class that is made by contract.suite(), or leave the option out"


def _backends(hooked: Iterable[object]) -> list[Backend]:
    found: list[Backend] = []
    for given in hooked:
        if not isinstance(given, Sequence) or not all(isinstance(each, Backend) for each in given):
            raise HarnessError(
                f"pytest_storeproof_backends gave {given!r}. The hook gives a list of backends"
            )
        found += given
    return found


def versions() -> dict[str, str]:
    """Give the versions of Python and of the libraries that a run's outcome may depend on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
