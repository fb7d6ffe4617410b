"""For authors of a cost storage: the laws, and the contract that they and the checks make up."""

from typing import Final

from storeproof.harness.contract import Contract
from storeproof.harness.law import Law, laws_of
from storeproof.reference.costs.database import open_cost_storage
from storeproof.reference.costs.laws import (
    budgets,
    charges,
    deliveries,
    lists,
    races,
    reports,
    reservations,
    scopes,
    settlements,
    values,
)
from storeproof.reference.costs.laws.arguments import ARGUMENTS
from storeproof.reference.costs.memory import InMemoryCostStorage
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import OutcomeUnknown, StorageError, Unavailable

__all__ = ["LAWS", "contract"]

LAWS: Final[tuple[Law, ...]] = (
    *laws_of(charges),
    *laws_of(reports),
    *laws_of(budgets),
    *laws_of(reservations),
    *laws_of(lists),
    *laws_of(values),
    *laws_of(races),
    *laws_of(settlements),
    *laws_of(deliveries),
    *laws_of(scopes),
)

contract = Contract(
    CostStorage,
    name="costs",
    model=InMemoryCostStorage,
    storages={"sqlite": open_cost_storage, "postgres": open_cost_storage},
    errors=(StorageError,),
    uncertain=(OutcomeUnknown,),
    unavailable=(Unavailable,),
    ends_within=10,
    arguments=ARGUMENTS,
    laws=LAWS,
)
