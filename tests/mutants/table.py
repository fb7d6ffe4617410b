"""`docs/mutants.md` is written by `python -m mutants --write` with this module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from .catalogue import Mutant

__all__ = ["page"]

HEAD = """\
# The mutants

For users who want to know what the checks find: {count} broken storages, each with one defect, and
the check that kills it. `tox -e mutants` runs them all, beside the correct storages that they are
made of, and fails on a mutant that survives, on one that is killed by another check than the one
named here or by an error of its own code, and on an accusation of what is correct.

The checks run in the order of their stages, without the contract's laws: what dies here dies in a
contract for which nobody wrote a single example. Where *only* is said, the later checks are run as
well, and find nothing. A mutant that names a law (AUTH-013, say) is one that the derived checks
miss in a quick run. Each component's laws have mutants of their own, in `tests/reference`.

This page is written by `python -m mutants --write`; a test compares it with the catalogue.
"""


def page(mutants: Sequence[Mutant]) -> str:
    """Give the whole page."""
    return "\n".join([HEAD.format(count=len(mutants)), *_families(mutants)])


def _families(mutants: Sequence[Mutant]) -> Iterator[str]:
    for family, group in groupby(mutants, lambda each: each.family):
        members = list(group)
        yield f"## {family.value[0].upper()}{family.value[1:]} ({len(members)})\n"
        yield "| mutant | its defect | on | killed by |\n|---|---|---|---|"
        yield from map(_row, members)
        yield ""


def _row(mutant: Mutant) -> str:
    name = mutant.name.replace("_", " ")
    where = f"{mutant.candidate.contract.name} on {mutant.candidate.backend}"
    check = f"only {mutant.check}" if mutant.only else mutant.check
    return f"| {name} | {mutant.defect} | {where} | {check} |"
