"""Nodes of suites hand their checks to `Prover`, which carries them out and tells what came."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Profile, Stage, Tally
from storeproof.harness.exceptions import (
    BackendUnavailable,
    CheckFailed,
    ForeignData,
    HarnessError,
    NotApplicable,
    ReplayError,
    Unkillable,
)
from storeproof.harness.known_failures import KnownFailure
from storeproof.harness.report import CheckResult, Failure, KnownResult, Status
from storeproof.harness.requirements import scored
from storeproof.harness.saved import NAMES, SavedProgram, save_program
from storeproof.harness.session import Session

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract
    from storeproof.harness.program import Program

__all__ = ["Node", "Outcome", "Prover", "blank"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One check or law of a suite on one backend."""

    suite: str
    """The node id of the suite's class."""
    id: str
    """The node id, as pytest's command line takes it."""
    contract: Contract
    check: Check
    backend: str
    replaced: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a check."""

    status: Status
    detail: str = ""
    failure: Failure | None = None
    error: Exception | None = None
    """What nobody expected; to be raised as it is."""
    known: tuple[KnownResult, ...] = ()
    lost: bool = False
    """Whether the backend itself can't be had any more."""


@dataclass
class Prover:
    """Carries out the nodes of one process; knows which stages are broken."""

    session: Session
    profile: Profile
    seed: int
    root: Path
    programs: Path
    """Where the programs of failures are saved."""
    known: Sequence[KnownFailure] = ()
    replay: SavedProgram | None = None
    laws: str = ""
    """The version of the laws that the run is pinned to; empty where all of them count."""
    replay_command: str = ""
    """What runs a saved program, whose path follows; empty where pytest does, on the node."""
    _broken: dict[tuple[str, str], list[Check]] = field(default_factory=dict)

    def prove(self, node: Node) -> tuple[CheckResult, Outcome]:
        """Carry out a node's check, unless there is a reason not to."""
        started, tally = time.perf_counter(), Tally()
        outcome = self._outcome(node, tally)
        result = _result(node, outcome, tally, time.perf_counter() - started)
        result = scored(result, self.laws)
        if outcome.status is Status.FAILED and result.is_binding:
            self._broken.setdefault((node.contract.name, node.backend), []).append(node.check)
        return result, outcome

    def _outcome(self, node: Node, tally: Tally) -> Outcome:
        reason = self._reason_not_to(node)
        if reason is not None:
            return reason
        try:
            self.session.store(node.contract, node.backend)
        except HarnessError as error:
            return Outcome(Status.SKIPPED, str(error))
        except Exception as error:
            detail = self.session.unopened(node.contract, node.backend)
            return self._unless_died(node, Outcome(Status.ERROR, detail, error=error))
        try:
            context = self._context(node, tally)
            outcome = self._known(node, context) or self._explore(node, context)
        except ReplayError as error:
            return Outcome(Status.ERROR, str(error))
        return self._unless_died(node, outcome)

    def _reason_not_to(self, node: Node) -> Outcome | None:
        missing = _needs(node.check) - self.session.backends[node.backend].capabilities
        if missing:
            lacks = f"{node.backend} does not declare {', '.join(sorted(missing))}"
            return Outcome(Status.NOT_APPLICABLE, lacks)
        problem = self.session.servers.problem(node.backend)
        if problem:
            return Outcome(Status.SKIPPED, problem)
        unopened = self.session.unopened(node.contract, node.backend)
        if unopened:
            return Outcome(Status.SKIPPED, unopened)
        broken = self._broken_before(node)
        return Outcome(Status.NOT_RUN, f"not run: {broken}") if broken else None

    def _broken_before(self, node: Node) -> str:
        found = self._broken.get((node.contract.name, node.backend), [])
        earlier = [each for each in found if each.stage < node.check.stage]
        if not earlier:
            return ""
        first = Stage(min(each.stage for each in earlier))
        return f"{first.name} is broken ({', '.join(c.id for c in earlier if c.stage == first)})"

    def _context(self, node: Node, tally: Tally) -> CheckContext:
        return self.session.context(
            node.contract,
            node.backend,
            profile=self.profile,
            seed=self.seed,
            tally=tally,
            replay=self.replay.program(node.contract) if self.replay else None,
        )

    def _explore(self, node: Node, context: CheckContext) -> Outcome:
        failed = _attempt(node.check, context)
        if isinstance(failed, Outcome):
            return failed
        return self._failed(node, failed) if failed else Outcome(Status.PASSED)

    def _known(self, node: Node, context: CheckContext) -> Outcome | None:
        entries = [each for each in self.known if _is_about(each, node)]
        if not entries or self.replay is not None:
            return None
        known = []
        for entry in entries:
            again = self._again(node, entry, context)
            if isinstance(again, Outcome):
                return again
            known.append(KnownResult(reason=entry.reason, failure=again))
        reasons = "; ".join(each.reason for each in entries)
        return Outcome(Status.KNOWN_FAILURE, reasons, known=tuple(known))

    def _again(self, node: Node, entry: KnownFailure, context: CheckContext) -> Outcome | Failure:
        """Give how what an entry records failed again, or why the entry does not hold."""
        program = entry.program.program(node.contract) if entry.program else None
        failed = _attempt(node.check, replace(context, replay=program))
        if isinstance(failed, Outcome):
            return failed
        if failed is None:
            return Outcome(Status.ERROR, f"stale entry in {entry}: it passes now. Remove the entry")
        if program is None and failed.program is not None:
            saved = self._failed(node, failed).failure
            wanted = f"{entry} needs program = …, the path of a saved program that fails"
            return Outcome(Status.ERROR, f"{wanted}. One is {saved.saved if saved else ''}")
        path = entry.program.path if entry.program else None
        return _failure(failed, replay=self._replaying(node, path) if path else "")

    def _failed(self, node: Node, failed: CheckFailed) -> Outcome:
        failure = _failure(failed)
        if failed.program is not None and self.replay is None:
            names = (node.contract.name, node.backend, node.check.id)
            data = dict(zip(NAMES, names, strict=True))
            failure = self._saved(node, failure, data, failed.program)
        return Outcome(Status.FAILED, failure=failure)

    def _saved(
        self, node: Node, failure: Failure, names: dict[str, Any], program: Program
    ) -> Failure:
        """Save the program of a failure, and say how it is run again."""
        data: dict[str, Any] | None = None
        try:
            data = {**names, **program.to_json()}
            path = save_program(self.programs, data)
        except (TypeError, OSError) as error:
            message = f"{failure.message}\n\nThe program was not saved: {error}"
            return msgspec.structs.replace(failure, message=message, program=data)
        command = self._replaying(node, path)
        return msgspec.structs.replace(
            failure,
            message=f"{failure.message}\n\n{_SAVED}\n    {command}",
            program=data,
            saved=path.relative_to(self.root).as_posix(),
            replay=command,
        )

    def _replaying(self, node: Node, path: Path) -> str:
        """Write the command that runs a saved program again."""
        shown = shlex.quote(os.path.relpath(path))
        if self.replay_command:
            return f"{self.replay_command} {shown}"
        return f"pytest {shlex.quote(node.id)} --storage={node.backend} --storage-replay {shown}"

    def _unless_died(self, node: Node, outcome: Outcome) -> Outcome:
        if outcome.lost:
            self.session.servers.lost(node.backend, outcome.detail)
        if outcome.status not in (Status.FAILED, Status.ERROR):
            return outcome
        died = self.session.died(node.backend)
        return Outcome(Status.SKIPPED, died) if died else outcome


def _attempt(check: Check, context: CheckContext) -> CheckFailed | Outcome | None:
    """Run a check: None where it holds, how it failed, or why it could not be carried out."""
    try:
        check.run(context)
    except CheckFailed as failed:
        return failed
    except (BackendUnavailable, ForeignData) as error:
        return Outcome(Status.SKIPPED, str(error), lost=True)
    except Unkillable as error:
        return Outcome(Status.SKIPPED, str(error))
    except NotApplicable as error:
        return Outcome(Status.NOT_APPLICABLE, str(error))
    except HarnessError as error:
        return Outcome(Status.ERROR, str(error))
    except Exception as error:
        return Outcome(Status.ERROR, f"{type(error).__name__}: {error}", error=error)
    return None


def blank(suite: str, check: Check, dropped: str = "", replaced: str = "") -> CheckResult:
    """Give the result of a check whose node has not run."""
    return CheckResult(
        suite=suite,
        check=check.id,
        kind="law" if check.stage is Stage.LAWS else "check",
        stage=check.stage.name,
        level=str(check.level),
        sentence=check.sentence,
        status=Status.DROPPED if dropped else Status.DESELECTED,
        detail=dropped,
        replaced=replaced,
        since=check.since,
    )


def _result(node: Node, outcome: Outcome, tally: Tally, seconds: float) -> CheckResult:
    return msgspec.structs.replace(
        blank(node.suite, node.check, replaced=node.replaced),
        status=outcome.status,
        detail=outcome.detail,
        programs=tally.programs,
        operations=tally.operations,
        contended=tally.contended,
        untried=tally.untried,
        seconds=round(seconds, 6),
        calls=tally.calls,
        failure=outcome.failure,
        known=outcome.known,
    )


def _needs(check: Check) -> frozenset[Capability]:
    needs: frozenset[Capability] = getattr(check, "needs", frozenset())
    return needs


def _is_about(entry: KnownFailure, node: Node) -> bool:
    return (entry.contract, entry.backend, entry.check) == (
        node.contract.name,
        node.backend,
        node.check.id,
    )


def _failure(failed: CheckFailed, replay: str = "") -> Failure:
    return Failure(
        message=failed.message.encode("utf-8", "backslashreplace").decode(),
        account=failed.account,
        replay=replay,
        history=failed.history.to_json() if failed.history is not None else None,
    )


_SAVED = "The program is saved. To run it again:"
