"""Whoever wants to know that nothing correct is accused runs `tox -e soak`, which takes an hour.

A round is the whole conformance suite (every contract, check and law) on memory, SQLite and
PostgreSQL with a seed of its own, in the profile `light`: all that the quick one tries, with fewer
programs, of which fifty rounds make many. Rounds are repeated until there were enough of them, or
until the time is over; failures are counted, and each is told with what repeats it. No round is
tried again. A round is one process, and several run at once: two workers of one round would
import everything twice, and the one that is ready first would wait for the other.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from storeproof.harness.report import CheckResult, Judgement, Status, load

ROOT = Path(__file__).parents[1]
TAIL = 30
GOOD = frozenset({Status.PASSED, Status.NOT_APPLICABLE})


@dataclass(frozen=True)
class Round:
    """One run of the suite: what failed in it, by the names of what broke, and what it said."""

    seed: int
    seconds: float
    checks: int
    failures: Sequence[str]
    said: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 where anything failed, or there were too few rounds."""
    given = _parser().parse_args(arguments)
    soak = _Soak(given)
    with tempfile.TemporaryDirectory(prefix="soak-") as bytecode:
        soak.run(_environment(bytecode))
    rounds, minutes = soak.rounds, soak.minutes
    failed = sum(len(each.failures) for each in rounds)
    checks = sum(each.checks for each in rounds)
    print(
        f"{len(rounds)} rounds with profile {given.profile}, each with a seed of its own, "
        f"{checks} checks and laws, {minutes:.1f} min, {60 * minutes / max(1, len(rounds)):.0f} s "
        f"for each round, {given.workers} at once: {failed} failures"
    )
    wanted = len(given.seeds) or given.rounds
    if len(rounds) < wanted:
        print(f"only {len(rounds)} of {wanted} rounds in {given.minutes:g} minutes")
    return int(failed > 0 or len(rounds) < wanted)


class _Soak:
    """Rounds, as many at once as there are workers."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._seeds = iter(given.seeds or _fresh_seeds())
        self._begun, self._started = 0, time.monotonic()
        self._lock = threading.Lock()
        self.rounds: list[Round] = []

    @property
    def minutes(self) -> float:
        return (time.monotonic() - self._started) / 60

    def run(self, environment: Mapping[str, str]) -> None:
        """Begin rounds while there is time, and wait for those that were begun."""
        with ThreadPoolExecutor(self._given.workers) as pool:
            workers = [pool.submit(self._work, environment) for _ in range(self._given.workers)]
        for each in workers:
            each.result()

    def _work(self, environment: Mapping[str, str]) -> None:
        while (seed := self._next()) is not None:
            made = _round(seed, self._given, environment)
            with self._lock:
                self.rounds.append(made)
                _tell(made, len(self.rounds), self._given)

    def _next(self) -> int | None:
        """Give the seed of the next round; None where none is to begin. One always is."""
        with self._lock:
            late = self._begun > 0 and self.minutes > self._given.minutes
            if late or self._begun == self._given.rounds:
                return None
            self._begun += 1
            return next(self._seeds, None)


def _environment(bytecode: str) -> Mapping[str, str]:
    """Have rounds use what earlier ones compiled, also where Python is to leave nothing behind."""
    if not sys.dont_write_bytecode:
        return os.environ
    kept = {name: each for name, each in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": bytecode}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="begin no round after these")
    parser.add_argument("--rounds", type=int, default=50, help="rounds to run, at most")
    parser.add_argument("--storage", default="memory,sqlite,postgres")
    parser.add_argument("--profile", default="light")
    parser.add_argument("--workers", type=int, default=3, help="rounds at once")
    parser.add_argument("--tests", default="conformance", help="the suites to run")
    parser.add_argument("--seeds", type=int, nargs="*", default=(), help="these, not random ones")
    return parser


def _fresh_seeds() -> Iterator[int]:
    while True:
        yield secrets.randbelow(2**31)


def _command(seed: int, given: argparse.Namespace) -> list[str]:
    options = [f"--storage={given.storage}", f"--storage-profile={given.profile}"]
    return ["-m", "pytest", given.tests, *options, f"--storage-seed={seed}"]


def _round(seed: int, given: argparse.Namespace, environment: Mapping[str, str]) -> Round:
    started, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="soak-"))
    report = folder / "report.json"
    options = ["-q", "-p", "no:cacheprovider", f"--storage-report={report}"]
    command = [sys.executable, *_command(seed, given), *options]
    done = subprocess.run(  # noqa: S603 - this interpreter, no shell
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    judged = load(report).judgements if report.exists() else ()
    shutil.rmtree(folder)
    results = [(each, result) for each in judged for result in each.checks]
    broken = [_name(each, result) for each, result in results if result.status not in GOOD]
    if done.returncode and not broken:
        broken = [f"pytest ended with {done.returncode}"]
    seconds = time.monotonic() - started
    return Round(seed, seconds, len(results), broken, done.stdout + done.stderr)


def _name(judged: Judgement, result: CheckResult) -> str:
    return f"{result.check} of {judged.contract} on {judged.backend}: {result.status}"


def _tell(made: Round, number: int, given: argparse.Namespace) -> None:
    told = f"{len(made.failures)} failures" if made.failures else "green"
    print(f"round {number}: seed {made.seed}, {made.seconds:.0f} s, {told}", flush=True)
    if made.failures:
        print("\n".join(f"  {each}" for each in made.failures))
        print(f"  to repeat it: python {' '.join(_command(made.seed, given))}")
        print("\n".join(made.said.splitlines()[-TAIL:]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
