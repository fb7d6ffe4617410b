"""The provider laws: each holds on the in-memory storage, and fails on storages broken for it."""

from storeproof.reference.providers.laws import LAWS, contract

from ..laws_and_mutants import LawsAndMutants, together
from . import mutants_of_counts, mutants_of_providers


class TestLaws(LawsAndMutants):
    prefix = "PROV"
    laws = LAWS
    contract = contract
    mutants = together(mutants_of_providers.MUTANTS, mutants_of_counts.MUTANTS)
