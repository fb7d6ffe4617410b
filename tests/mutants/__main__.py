"""Whoever wants the kill matrix, or a part of it, runs `python -m mutants [NAME …]` in `tests`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .catalogue import Mutant
from .families import CATALOGUE
from .matrix import HEADER, Row, correct_candidates, figures, kill, spare
from .proving import Bench
from .table import page

PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 where something is not as it should be."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants to run; all, unless given")
    parser.add_argument("--seed", type=int, default=0, help="draws other programs")
    parser.add_argument("--verbose", action="store_true", help="prints what each check says")
    parser.add_argument("--write", action="store_true", help=f"writes {PAGE.name} and ends")
    given = parser.parse_args(arguments)
    if given.write:
        PAGE.write_text(page(CATALOGUE))
        return 0
    chosen = [each for each in CATALOGUE if not given.names or each.name in given.names]
    if not chosen:
        parser.error("there is no mutant of that name")
    return _run(chosen, given.seed, given.verbose, spared=not given.names)


def _run(mutants: Sequence[Mutant], seed: int, verbose: bool, *, spared: bool) -> int:
    started, rows = time.monotonic(), list[Row]()
    print(HEADER)
    with Bench(seed=seed) as bench:
        for mutant in mutants:
            rows.append(kill(bench, mutant))
            _print(rows[-1], verbose)
        kills = list(rows)
        for candidate in correct_candidates(CATALOGUE) if spared else ():
            rows.append(spare(bench, candidate))
            _print(rows[-1], verbose)
    problems = [row for row in rows if row.problem]
    print(
        f"\n{len(kills)} mutants, {len(rows) - len(kills)} correct storages, seed {seed}, "
        f"{time.monotonic() - started:.0f} s"
    )
    print("\n".join(figures(kills)))
    print(
        f"{len(problems)} not as they should be: {', '.join(each.name for each in problems)}"
        if problems
        else "every mutant was killed by its check, and nothing correct was accused"
    )
    return bool(problems)


def _print(row: Row, verbose: bool) -> None:
    print(row, flush=True)
    if verbose and row.proof.failed is not None:
        print(row.proof.failed.message)


if __name__ == "__main__":
    sys.exit(main())
