"""Whoever wants to know that nothing correct is accused runs `tox -e soak`, which takes an hour.

A round is the whole conformance suite (every contract, check and law) on memory, SQLite and
PostgreSQL with a seed of its own, in the profile `light`: all that the quick one tries, with fewer
programs, of which fifty rounds make many. Rounds are repeated until there were enough of them, or
until the time is over; failures are counted, and each is told with what repeats it. No round is
tried again.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
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
    started = time.monotonic()
    rounds: list[Round] = []
    for seed in given.seeds or _fresh_seeds():
        spent = time.monotonic() - started
        if len(rounds) == given.rounds or (rounds and spent > 60 * given.minutes):
            break
        rounds.append(_round(seed, given))
        _tell(rounds[-1], len(rounds), given)
    failed = sum(len(each.failures) for each in rounds)
    minutes = (time.monotonic() - started) / 60
    checks = sum(each.checks for each in rounds)
    print(
        f"{len(rounds)} rounds with profile {given.profile}, each with a seed of its own, "
        f"{checks} checks and laws, {minutes:.1f} min, {60 * minutes / max(1, len(rounds)):.0f} s "
        f"a round: {failed} failures"
    )
    wanted = len(given.seeds) or given.rounds
    if len(rounds) < wanted:
        print(f"only {len(rounds)} of {wanted} rounds in {given.minutes:g} minutes")
    return int(failed > 0 or len(rounds) < wanted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="begin no round after these")
    parser.add_argument("--rounds", type=int, default=50, help="rounds to run, at most")
    parser.add_argument("--storage", default="memory,sqlite,postgres")
    parser.add_argument("--profile", default="light")
    parser.add_argument("--workers", type=int, default=2, help="processes of each round")
    parser.add_argument("--tests", default="conformance", help="the suites to run")
    parser.add_argument("--seeds", type=int, nargs="*", default=(), help="these, not random ones")
    return parser


def _fresh_seeds() -> Iterator[int]:
    while True:
        yield secrets.randbelow(2**31)


def _command(seed: int, given: argparse.Namespace) -> list[str]:
    options = [f"--storage={given.storage}", f"--storage-profile={given.profile}"]
    # A contract's programs are drawn once by the worker that runs all of its backends.
    workers = ["-n", str(given.workers), "--dist=loadfile"] if given.workers > 1 else []
    return ["-m", "pytest", given.tests, *options, f"--storage-seed={seed}", *workers]


def _round(seed: int, given: argparse.Namespace) -> Round:
    started, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="soak-"))
    report = folder / "report.json"
    options = ["-q", "-p", "no:cacheprovider", f"--storage-report={report}"]
    command = [sys.executable, *_command(seed, given), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
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
