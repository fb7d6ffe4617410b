"""`tox -e mutants` prints the kill matrix with this module: `python -m mutants`."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .catalogue import MEMORY, POSTGRES, SQLITE, Candidate, Mutant
from .proving import Bench, Proof

__all__ = ["Row", "correct_candidates", "figures", "kill", "spare"]

MEDIAN_SECONDS, POSTGRES_SECONDS = 2.0, 30.0
"""What is promised: the median on memory and SQLite, each one on PostgreSQL. Printed, no gate."""


@dataclass(frozen=True)
class Row:
    """A line of the matrix; `problem` is empty where it is as it should be."""

    name: str
    backend: str
    proof: Proof
    problem: str = ""

    def __str__(self) -> str:
        proof = self.proof
        calls = str(proof.calls) if proof.calls else "-"
        told = f"  <- {self.problem}" if self.problem else ""
        return (
            f"{self.name:38} {self.backend:8} {proof.check or '-':16} {proof.programs:6} "
            f"{proof.seconds:7.1f} {calls:>5}{told}"
        )


HEADER = f"{'mutant':38} {'backend':8} {'killed by':16} {'progr.':>6} {'seconds':>7} {'calls':>5}"


def kill(bench: Bench, mutant: Mutant) -> Row:
    """Run the derived checks on a mutant, or the law that it names."""
    laws = [each.id for each in mutant.candidate.contract.laws if each.id in mutant.checks]
    try:
        proof = bench.prove(mutant.candidate, laws, all_checks=mutant.only)
    except Exception as error:
        proof = Proof()
        problem = f"an accident: {type(error).__name__}: {error}"
    else:
        problem = _problem(mutant, proof)
    return Row(mutant.name, mutant.candidate.backend, proof, problem)


def spare(bench: Bench, candidate: Candidate) -> Row:
    """Run the same checks on what is correct."""
    try:
        proof = bench.prove(candidate)
    except Exception as error:
        proof = Proof()
        problem = f"not carried out: {type(error).__name__}: {error}"
    else:
        problem = f"accused: {proof.failed.message}" if proof.failed is not None else ""
    return Row(f"{candidate.contract.name}, correct", candidate.backend, proof, problem)


def _problem(mutant: Mutant, proof: Proof) -> str:
    if proof.failed is None:
        return f"it survived; {mutant.check} should have killed it"
    if proof.check not in mutant.checks:
        return f"killed by accident: {mutant.check} should have killed it"
    if proof.others:
        return f"killed by {', '.join(proof.others)} as well"
    own = [each for each in proof.leaked if not isinstance(each, mutant.leaks)]
    return f"killed by an error of its own: {own[0]!r}" if own else ""


def correct_candidates(mutants: Iterable[Mutant]) -> Iterator[Candidate]:
    """Give the correct storages of the contracts and backends that mutants have."""
    known = dict.fromkeys((each.contract, each.candidate.backend) for each in mutants)
    for contract, backend in known:
        opener = contract.storages.get(backend, lambda _, contract=contract: contract.model())
        yield Candidate(contract, backend, opener)


def figures(rows: Sequence[Row]) -> Iterator[str]:
    """Tell how long the kills took beside what is promised."""
    near = [row.proof.seconds for row in rows if row.backend in (MEMORY, SQLITE)]
    far = [row.proof.seconds for row in rows if row.backend == POSTGRES]
    if near:
        median = statistics.median(near)
        yield f"median on memory and SQLite: {median:.2f} s, {_holds(median, MEDIAN_SECONDS)}"
    if far:
        yield f"longest on PostgreSQL: {max(far):.1f} s, {_holds(max(far), POSTGRES_SECONDS)}"


def _holds(found: float, promised: float) -> str:
    return f"{'within' if found < promised else 'NOT within'} {promised:g} s"
