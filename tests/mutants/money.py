"""Mutants that count or add up wrongly: alone, twice, or when several do it at once."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs import DatabaseCostStorage, InMemoryCostStorage
from storeproof.reference.costs.entities import Policy, canonical, in_window, new_reservation
from storeproof.reference.costs.exceptions import BudgetExceeded
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.errors.laws import contract as errors
from storeproof.reference.exceptions import StorageError
from storeproof.reference.providers.laws import contract as providers

from .catalogue import Family, Seeds, turn

seeds = Seeds(Family.MONEY)


@seeds.operation(auth, "record_attempt", "bursts")
async def read_modify_write(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    """A failed attempt is added to what was read before: of several at once only one counts."""
    before = storage._users.get(id)
    await turn()
    if before is not None and id in storage._users:
        read = {"failures": before.failures, "locked_until": before.locked_until}
        storage._users[id] = replace(storage._users[id], **read)
    return await right()


@seeds.operation(errors, "create", "bursts")
async def count_of_a_group_is_lost(storage: Any, right: Any, entity: Any) -> Any:
    """The count of a group is read, then raised and written: events that come at once are lost."""
    group = storage._groups.get(storage._group_of(entity))
    await turn()
    if group is not None and group.id in storage._groups:
        storage._groups[group.id] = replace(storage._groups[group.id], count=group.count)
    return await right()


@seeds.operation(costs, "reserve", "bursts")
async def limit_checked_outside_the_lock(storage: Any, right: Any, **given: Any) -> Any:
    """The limit of a budget is compared before the lock is taken: two pass it together."""
    made = new_reservation(**given)
    if made.id not in storage._reservations and await _has_room(storage, made):
        await turn()
        budgets = {each.budget: storage._budgets[each.budget].budget for each in made.amounts}
        for each, budget in budgets.items():
            _put(storage, each, replace(budget, policy=Policy.WARN))
        try:
            return await right()
        finally:
            for each, budget in budgets.items():
                _put(storage, each, budget)
    return await right()


async def _has_room(storage: Any, made: Any) -> bool:
    try:
        tried = copy.deepcopy(storage)
        await InMemoryCostStorage.reserve(tried, made.id, made.amounts, made.at, made.expires_at)
    except StorageError:
        return False
    return True


def _put(storage: Any, id: Any, budget: Any) -> None:
    storage._budgets[id] = replace(storage._budgets[id], budget=budget)


@seeds.operation(auth, "record_attempt", "agreement")
async def greater_for_greater_or_equal(_storage: Any, right: Any, policy: Any, **_: Any) -> Any:
    """The lock-out begins when there are more failures than the threshold, not as many."""
    return await right(policy=replace(policy, threshold=policy.threshold + (policy.threshold > 0)))


@seeds.operation(costs, "reserve", "agreement")
async def full_budget_is_exceeded(storage: Any, right: Any, amounts: Any, at: Any, **_: Any) -> Any:
    """An amount that fills a budget exactly is refused as if it were too much."""
    before = dict(storage._budgets)
    made = await right()
    for each, status in storage._budgets.items():
        if status.available == 0 and status != before[each]:
            raise BudgetExceeded(each, in_window(before[each], at).available)
    return made


@seeds.operation(costs, "create", "agreement")
async def money_is_float(_storage: Any, right: Any, entity: Any) -> Any:
    """The amount of a charge goes through a float."""
    charge = canonical(entity)
    return await right(entity=replace(charge, amount=Decimal(repr(float(charge.amount) * 3)) / 3))


@seeds.operation(costs, "report", "agreement")
async def currencies_are_mixed(storage: Any, right: Any, **_: Any) -> Any:
    """A report adds euros to dollars."""
    charges = dict(storage._charges)
    for name, each in charges.items():
        storage._charges[name] = replace(each, currency="USD")
    try:
        return await right()
    finally:
        storage._charges = charges


@seeds.operation(costs, "settle", "agreement")
async def blind_retry_charges_twice(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    """A settlement that is tried again is counted again."""
    known = storage._reservations.get(id)
    settled = await right()
    if known == settled:
        for each in settled.settled:
            status = storage._budgets[each.budget]
            spent = min(status.spent + each.amount, Decimal(4 * 10**9))
            storage._budgets[each.budget] = replace(status, spent=spent)
    return settled


@seeds.operation(providers, "acquire", "agreement or bursts")
async def idempotency_key_is_ignored(storage: Any, right: Any, lease: Any, **_: Any) -> Any:
    """A lease that was given already is counted once more."""
    before = storage._leases.get(lease)
    given = await right()
    if before is not None:
        for key, usage in storage._usage.items():
            if key[1] == given.provider and key[0] <= given.at:
                storage._usage[key] = replace(usage, requests=usage.requests + 1)
    return given


@seeds.operation(costs, "release", "agreement")
async def release_gives_nothing_back(storage: Any, right: Any, **_: Any) -> Any:
    """What a released reservation held stays reserved."""
    budgets = dict(storage._budgets)
    released = await right()
    storage._budgets = budgets
    return released


@seeds.sqlite(costs, "agreement")
class ReportsAreRounded(DatabaseCostStorage):
    """Sums are added up as floats, so the last of their nano-units are lost."""

    async def report(self, query: Any) -> Any:
        rows = await super().report(query)
        return tuple(replace(row, amount=Decimal(f"{float(row.amount):.9g}")) for row in rows)


@seeds.operation(providers, "cool_down", "agreement")
async def last_cooling_wins(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    """A cool-down that ends earlier than the present one replaces it."""
    if id in storage._providers:
        storage._cooling.pop(id, None)
    return await right()
