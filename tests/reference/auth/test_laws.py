"""The auth laws: each holds on the in-memory storage, and each fails on storages broken for it."""

from storeproof.reference.auth.laws import LAWS, contract

from ..laws_and_mutants import LawsAndMutants, together
from . import mutants_of_roles, mutants_of_tokens, mutants_of_users, mutants_of_values


class TestLaws(LawsAndMutants):
    prefix = "AUTH"
    laws = LAWS
    contract = contract
    mutants = together(
        mutants_of_users.MUTANTS,
        mutants_of_roles.MUTANTS,
        mutants_of_tokens.MUTANTS,
        mutants_of_values.MUTANTS,
    )
