"""For the tests of the cost laws: what those of reservations must not let pass."""

import asyncio
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from storeproof.reference.costs import (
    BudgetExceeded,
    BudgetOverflow,
    InMemoryCostStorage,
    Policy,
    ReservationClosed,
    ReservationState,
)
from storeproof.reference.exceptions import Duplicate, NotFound

from ..breaking import Mutant
from .mutants import (
    NANO,
    TICK,
    altering,
    answering,
    checking,
    erring,
    ignoring,
    racing,
    replacing,
)
from .mutants_of_budgets import changing


async def forgets_that_it_was_made(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    storage._reservations.pop(id, None)
    return await right()


def taking_equal(field: str) -> Mutant:
    """A reservation that differs in this only counts as the same."""

    async def made(storage: Any, right: Any, id: Any, **_: Any) -> Any:
        stored = storage._reservations.get(id)
        return await right(**({field: getattr(stored, field)} if stored else {}))

    return replacing("reserve", made)


async def budgets_first(storage: Any, amounts: Any, **_: Any) -> None:
    for each in amounts:
        if each.budget not in storage._budgets:
            raise NotFound("budget", each.budget)


async def exceeded_first(storage: Any, amounts: Any, **_: Any) -> None:
    for each in sorted(amounts, key=lambda each: each.budget):
        status = storage._budgets.get(each.budget)
        if status and each.amount > status.available:
            raise BudgetExceeded(each.budget, status.available)


async def one_after_the_other(storage: Any, right: Any, id: Any, amounts: Any, **_: Any) -> Any:
    """Reserves in each budget in turn, and leaves behind what it did when one refuses."""
    for number, each in enumerate(amounts):
        part = f"{id}/{number}"
        await right(id=part, amounts=(each,))
        del storage._reservations[part]
        for status in (storage._budgets[each.budget],):
            changing(storage, each.budget, reserved=status.reserved)
    for each in amounts:
        status = storage._budgets[each.budget]
        changing(storage, each.budget, reserved=status.reserved - each.amount)
    return await right()


async def ignores_limits(storage: Any, right: Any, amounts: Any, **_: Any) -> Any:
    for each in amounts:
        status = storage._budgets.get(each.budget)
        if status:
            changing(storage, each.budget, budget=replace(status.budget, policy=Policy.WARN))
    return await right()


async def allows_a_nano_more(storage: Any, right: Any, amounts: Any, **_: Any) -> Any:
    raised = {}
    for each in amounts:
        status = storage._budgets[each.budget]
        raised[each.budget] = status.budget
        more = replace(status.budget, limit=status.budget.limit + NANO)
        changing(storage, each.budget, budget=more)
    try:
        return await right()
    finally:
        for name, budget in raised.items():
            changing(storage, name, budget=budget)


async def saturates(storage: Any, right: Any, **_: Any) -> Any:
    try:
        return await right()
    except BudgetOverflow:
        return None


async def settles_at_most_what_is_held(
    storage: Any, right: Any, id: Any, amounts: Any, **_: Any
) -> Any:
    held = {each.budget: each.amount for each in storage._reservations[id].amounts}
    return await right(
        amounts=tuple(
            replace(each, amount=min(each.amount, held.get(each.budget, each.amount)))
            for each in amounts
        )
    )


async def settles_the_rest_as_held(
    storage: Any, right: Any, id: Any, amounts: Any, **_: Any
) -> Any:
    named = {each.budget for each in amounts}
    rest = (each for each in storage._reservations[id].amounts if each.budget not in named)
    return await right(amounts=(*amounts, *rest))


async def settles_again(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    stored = storage._reservations[id]
    if stored.state is ReservationState.SETTLED:
        storage._reservations[id] = replace(stored, state=ReservationState.EXPIRED)
    return await right()


async def skips_unknown(storage: Any, right: Any, id: Any, amounts: Any, **_: Any) -> Any:
    held = {each.budget for each in storage._reservations[id].amounts}
    return await right(amounts=tuple(each for each in amounts if each.budget in held))


async def frees_again(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    stored = storage._reservations[id]
    if stored.state is not ReservationState.SETTLED:
        storage._reservations[id] = replace(stored, state=ReservationState.OPEN)
    return await right()


async def expires_again(storage: Any, right: Any, **_: Any) -> Any:
    for name, stored in storage._reservations.items():
        if stored.state is ReservationState.EXPIRED:
            storage._reservations[name] = replace(stored, state=ReservationState.OPEN)
    return await right()


async def expires_by_id(storage: Any, right: Any, at: Any, limit: int) -> int:
    due = sorted(
        name
        for name, each in storage._reservations.items()
        if each.state is ReservationState.OPEN and each.expires_at <= at
    )
    kept = storage._reservations
    storage._reservations = {name: kept[name] for name in due[:limit]}
    count: int = await right()
    storage._reservations = kept | storage._reservations
    return count


async def refuses_expired(storage: Any, id: Any, **_: Any) -> None:
    if storage._reservations[id].state is ReservationState.EXPIRED:
        raise ReservationClosed(id, "expired")


async def counts_in_the_present(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    for name, status in storage._budgets.items():
        storage._windows[id, name] = status.window_start
    return await right()


async def knows_nothing(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    if id not in storage._reservations:
        raise NotFound("budget", "no")
    return await right()


async def clashes(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    known = id in storage._reservations
    await asyncio.sleep(0)
    if not known and id in storage._reservations:
        raise Duplicate("id")
    return await right()


async def frees_what_was_open(storage: Any, right: Any, id: Any) -> Any:
    before = storage._reservations[id]
    await asyncio.sleep(0)
    storage._reservations[id] = before
    return await right()


class Hasty(InMemoryCostStorage):
    """Expiry frees nothing."""

    async def expire_reservations(self, at: Any, limit: Any) -> int:
        before = dict(self._budgets)
        count = await super().expire_reservations(at, limit)
        self._budgets = before
        return count


MUTANTS: dict[str, list[Mutant]] = {
    "COST-035": [
        altering("reserve", expires_at=lambda at: at + TICK),
        answering("get_reservation", lambda r: replace(r, amounts=r.amounts[::-1])),
    ],
    "COST-036": [replacing("reserve", forgets_that_it_was_made)],
    "COST-037": [
        *(taking_equal(field) for field in ("amounts", "at", "expires_at")),
        checking("reserve", budgets_first),
        checking("reserve", exceeded_first),
    ],
    "COST-038": [
        replacing("reserve", ignores_limits),
        replacing("reserve", allows_a_nano_more),
        erring("reserve", lambda error: BudgetExceeded(error.budget, Decimal(0))),
    ],
    "COST-039": [replacing("reserve", one_after_the_other)],
    "COST-040": [checking("reserve", exceeded_first), ignoring("reserve", NotFound)],
    "COST-042": [replacing("reserve", saturates), replacing("settle", saturates)],
    "COST-043": [
        replacing("settle", settles_at_most_what_is_held),
        replacing("settle", settles_the_rest_as_held),
    ],
    "COST-044": [replacing("settle", settles_again), ignoring("release", ReservationClosed)],
    "COST-045": [replacing("settle", skips_unknown)],
    "COST-046": [replacing("release", frees_again), ignoring("settle", ReservationClosed)],
    "COST-047": [
        altering("expire_reservations", at=lambda at: at + TICK),
        altering("expire_reservations", at=lambda at: at - TICK),
        replacing("expire_reservations", expires_again),
        Hasty,
    ],
    "COST-048": [
        replacing("expire_reservations", expires_by_id),
        altering("expire_reservations", limit=lambda _limit: 1000),
    ],
    "COST-049": [checking("settle", refuses_expired), checking("release", refuses_expired)],
    "COST-050": [
        replacing("settle", counts_in_the_present),
        replacing("release", counts_in_the_present),
    ],
    "COST-051": [
        replacing("settle", knows_nothing),
        ignoring("get_reservation", NotFound),
        ignoring("release", NotFound),
    ],
    "COST-068": [racing("create")],
    "COST-069": [racing("create")],
    "COST-070": [racing("reserve")],
    "COST-071": [racing("reserve")],
    "COST-072": [replacing("reserve", clashes)],
    "COST-073": [racing("settle")],
    "COST-074": [replacing("release", frees_what_was_open)],
    "COST-075": [racing("reserve")],
}
