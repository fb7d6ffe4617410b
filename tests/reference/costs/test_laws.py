"""The cost laws: each holds on the in-memory storage, and each fails on storages broken for it."""

from storeproof.reference.costs.laws import LAWS, contract

from ..laws_and_mutants import LawsAndMutants, together
from . import (
    mutants_of_budgets,
    mutants_of_deliveries,
    mutants_of_ledger,
    mutants_of_reservations,
    mutants_of_scopes,
    mutants_of_settlements,
    mutants_of_values,
)


class TestLaws(LawsAndMutants):
    prefix = "COST"
    laws = LAWS
    contract = contract
    mutants = together(
        mutants_of_ledger.MUTANTS,
        mutants_of_budgets.MUTANTS,
        mutants_of_reservations.MUTANTS,
        mutants_of_values.MUTANTS,
        mutants_of_settlements.MUTANTS,
        mutants_of_deliveries.MUTANTS,
        mutants_of_scopes.MUTANTS,
    )
