"""The matrix, the table for users and the tests have all mutants from here."""

from __future__ import annotations

from . import cancellation, crashes, deletes, money, reads, uniqueness, values
from .catalogue import Mutant

__all__ = ["CATALOGUE"]

CATALOGUE: tuple[Mutant, ...] = tuple(
    mutant
    for module in (uniqueness, money, reads, values, deletes, cancellation, crashes)
    for mutant in module.seeds.mutants
)
"""All mutants, by family."""
