"""The error laws: each holds on the in-memory storage, and each fails on storages broken for it."""

from storeproof.reference.errors.laws import LAWS, contract

from ..laws_and_mutants import LawsAndMutants, together
from . import mutants_of_archives, mutants_of_counts, mutants_of_groups, mutants_of_values


class TestLaws(LawsAndMutants):
    prefix = "ERR"
    laws = LAWS
    contract = contract
    mutants = together(
        mutants_of_groups.MUTANTS,
        mutants_of_counts.MUTANTS,
        mutants_of_values.MUTANTS,
        mutants_of_archives.MUTANTS,
    )
