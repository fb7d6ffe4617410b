"""The kill check: what was acknowledged outlives the process or the server that is killed."""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from storeproof.harness.backends.base import Capability, KillableServer, Store
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.outliving import fail
from storeproof.harness.contention import ProgramDrawer
from storeproof.harness.disturbing import rehearsed
from storeproof.harness.exceptions import BackendUnavailable, Unkillable
from storeproof.harness.program import Branch, Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.succeeding import succeeding
from storeproof.harness.surviving import Survival, Trial, conclusive, server_killed, writer_killed
from storeproof.harness.values import Draw, Rejected

__all__ = ["KillCheck"]

_MOST = 40
"""Processes of one program that are killed."""
_FEWEST, _OF_SEVERAL = 3, 4
"""Of a call of one client; of a random program."""
_TRIES = 10
"""How often a program of several clients is drawn until they contend."""
_MOST_KILLS = 6
"""Of a server, for a program that is replayed."""


@dataclass
class _Drawn:
    """What is tried on every backend alike."""

    single: dict[str, list[Program]] = field(default_factory=dict)
    """By operation: programs whose only branch is a call of it that succeeds."""
    several: Sequence[Program] = ()
    """Programs of several clients."""


class KillCheck(Check):
    """Kills the process that writes and, where there is one, the server, with SIGKILL.

    The writing process is killed at moments that are counted, so nothing is left to the clock; the
    server is killed once so many writes were acknowledged. In either case clients that come later
    see what some order explains in which every acknowledged call happened, and each call that was
    under way wholly or not at all.
    """

    id = "kill"
    stage = Stage.KILL
    sentence = (
        "When the writing process or the server is killed, every acknowledged call has happened "
        "and no call has happened by halves; then everything works again."
    )
    needs = frozenset({Capability.SURVIVES_RESTART})

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], _Drawn] = {}

    def run(self, context: CheckContext) -> None:
        if context.replay is not None:
            self._replay(context, context.replay)
            return
        drawn = self._drawn(context)
        chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
        context.tally.untried = tuple(name for name, each in drawn.single.items() if not each)
        single = [program for programs in drawn.single.values() for program in programs]
        chosen = chance.sample(single, min(len(single), context.profile.kills // _FEWEST))
        for program in chosen:
            self._kill_writer(context, program, chance, context.profile.kills // len(chosen))
        shared = Capability.CONCURRENT_CLIENTS not in context.backend.capabilities
        several = [replace(each, shared=shared) for each in drawn.several]
        for program in several[: context.profile.killed_programs]:
            self._kill_writer(context, program, chance, _OF_SEVERAL)
        if Capability.NETWORKED in context.backend.capabilities:
            loads = (several or single)[: context.profile.server_kills]
            self._kill_servers(context, loads, chance)

    def _replay(self, context: CheckContext, program: Program) -> None:
        self._kill_writer(context, program, random.Random(0), _MOST)  # noqa: S311
        if Capability.NETWORKED in context.backend.capabilities:
            times = min(_MOST_KILLS, _writes(context, program))
            self._kill_servers(context, [program] * times, None)

    def _drawn(self, context: CheckContext) -> _Drawn:
        """Draw on the model, once for all backends."""
        count = max(context.profile.killed_programs, context.profile.server_kills)
        key = context.seed, count
        if key not in self._known:
            several = list(_several(context, count)) if context.contract.is_async else []
            self._known[key] = _Drawn(_single(context), several)
        return self._known[key]

    def _kill_writer(
        self, context: CheckContext, program: Program, chance: random.Random, times: int
    ) -> None:
        """Kill so many processes of a program: one at its end, the others at drawn moments."""
        context.tally.programs += 1
        found = _first_broken(context, program, chance, times)
        if not found.is_broken:
            return

        def trial(shorter: Program) -> Survival:
            return _first_broken(context, shorter, chance, _MOST)

        fail(context, self.id, found, trial)

    def _kill_servers(
        self, context: CheckContext, programs: Sequence[Program], chance: random.Random | None
    ) -> None:
        """Kill a server of the check's own once for each program."""
        with _OwnServer(context) as own:
            for number, program in enumerate(programs, 1):
                answers = chance.randint(1, _writes(context, program)) if chance else number
                trial = own.trial(answers)
                context.tally.programs += 1
                found = conclusive(trial, program)
                if found.is_broken:
                    fail(context, self.id, found, trial)


def _first_broken(
    context: CheckContext, program: Program, chance: random.Random, times: int
) -> Survival:
    """Kill the process at the end, then at some of the moments before, until something breaks."""
    found = conclusive(functools.partial(writer_killed, context, moment=None), program)
    moments = range(1, found.moments)  # the last one is the end
    for moment in chance.sample(moments, min(len(moments), min(times, _MOST) - 1)):
        if found.is_broken:
            break
        found = conclusive(functools.partial(writer_killed, context, moment=moment), program)
    return found


def _writes(context: CheckContext, program: Program) -> int:
    reads = context.contract.reads
    calls = (call for branch in program.branches for call in branch.calls)
    return max(1, sum(call.operation not in reads for call in calls))


class _OwnServer:
    """A server of one check's own, with a store on it."""

    def __init__(self, context: CheckContext) -> None:
        self._context = context

    def __enter__(self) -> _OwnServer:
        context = self._context
        if context.options is None:
            raise Unkillable(context.backend.name, "this run has none", "Run the suite by pytest")
        self._server: KillableServer = context.backend.start_killable(context.options)
        try:
            store = context.backend.create_store(context.contract, self._server.server)
            self._store: Store = context.run(store)
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._context.run(self._store.release())
        finally:
            self._server.stop()

    def trial(self, answers: int) -> Trial:
        """Give what tries a program, and kills the server after so many writes."""
        context = self._context

        def trial(program: Program) -> Survival:
            at = min(answers, _writes(context, program))
            try:
                return server_killed(context, self._server, self._store, program, at)
            except BackendUnavailable as error:
                raise Unkillable(context.backend.name, error.reason, error.remedy) from error

        return trial


def _single(context: CheckContext) -> dict[str, list[Program]]:
    found = succeeding(context, 1)
    reads = context.contract.reads
    return {
        name: [context.run(_with_reads(context, each)) for each in programs]
        for name, programs in found.items()
        if name not in reads
    }


async def _with_reads(context: CheckContext, program: Program) -> Program:
    """Make the last call a branch, with the reads that show what it changed."""
    known = await rehearsed(context.contract, program)
    if known is None:
        raise AssertionError("its last call succeeds")
    last = Branch(known.calls[-1:], known.reads)
    return Program(known.calls[:-1], branches=(last,))


def _several(context: CheckContext, count: int) -> Iterator[Program]:
    """Draw programs whose clients get in each other's way: of the others many write nothing."""
    drawer = ProgramDrawer(context.contract, experienced_drawer(context))
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    for _ in range(count):
        for left in reversed(range(_TRIES)):
            with suppress(Rejected):
                program, contended = context.run(drawer.program(Draw(chance.getrandbits(64))))
                if contended or not left:
                    yield program
                    break
