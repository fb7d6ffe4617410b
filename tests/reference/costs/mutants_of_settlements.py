"""For the tests of the cost laws: what those of settlements with charges must not let pass."""

import asyncio
from typing import Any

from storeproof.reference.costs import ReservationState
from storeproof.reference.exceptions import Duplicate, NotFound

from ..breaking import Mutant
from .mutants import accepting, checking, racing, replacing


async def forgets_the_charge(_storage: Any, right: Any, **_: Any) -> Any:
    return await right(charge=None)


async def charges_again(storage: Any, right: Any, charge: Any, **_: Any) -> Any:
    if charge is not None and charge.id in storage._charges:
        storage._charges[f"{charge.id}'"] = charge
    return await right()


async def ignores_a_late_charge(storage: Any, right: Any, id: Any, charge: Any, **_: Any) -> Any:
    stored = storage._reservations.get(id)
    ended = stored is not None and stored.state is ReservationState.SETTLED
    return await right(charge=None if ended else charge)


async def charge_first(storage: Any, right: Any, charge: Any, **_: Any) -> Any:
    if charge is not None:
        await storage.create(charge)
    return await right(charge=None)


async def charge_last(storage: Any, right: Any, charge: Any, **_: Any) -> Any:
    ended = await right(charge=None)
    if charge is not None:
        await storage.create(charge)
    return ended


async def duplicate_first(storage: Any, charge: Any, **_: Any) -> None:
    if charge is not None and storage._charges.get(charge.id, charge) != charge:
        raise Duplicate("id")


async def reservation_before_a_bad_charge(storage: Any, id: Any, charge: Any, **_: Any) -> None:
    if charge is not None and id not in storage._reservations:
        raise NotFound("reservation", id)


async def charge_in_the_meantime(storage: Any, right: Any, charge: Any, **_: Any) -> Any:
    await storage.create(charge)
    await asyncio.sleep(0)
    return await right()


MUTANTS: dict[str, list[Mutant]] = {
    "COST-078": [replacing("settle", forgets_the_charge), replacing("settle", charges_again)],
    "COST-079": [replacing("settle", ignores_a_late_charge), replacing("settle", charges_again)],
    "COST-080": [replacing("settle", charge_first), replacing("settle", charge_last)],
    "COST-081": [
        checking("settle", duplicate_first),
        checking("settle", reservation_before_a_bad_charge),
        accepting("settle", "id"),
        replacing("settle", charge_last),
    ],
    "COST-082": [racing("settle"), replacing("settle", charge_in_the_meantime)],
}
