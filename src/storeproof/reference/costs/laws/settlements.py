"""For authors of a cost storage: the laws of settling a reservation together with its charge."""

from decimal import Decimal
from typing import Any

from storeproof.harness.backends.base import Capability
from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import (
    ChargeFilter,
    ChargeId,
    Dimension,
    Policy,
    ReservationId,
    ReservationState,
)
from storeproof.reference.costs.exceptions import BudgetOverflow, ReservationClosed
from storeproof.reference.costs.laws.given import (
    add_budget,
    amounts,
    charge,
    is_invalid,
    is_refused,
    query,
    reserve,
    rows,
    totals,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import Duplicate, NotFound, StorageError
from storeproof.reference.law_words import together

__all__: list[str] = []

TWO = frozenset({Capability.CONCURRENT_CLIENTS})
CROWD = 10
R = ReservationId("r")


async def charges(storage: CostStorage) -> list[str]:
    return [each.id for each in (await storage.list_charges(ChargeFilter())).items]


@law("COST-078", MUST)
async def settling_records_its_charge(storage: CostStorage) -> None:
    """Settling with a charge records that too, as given; repeating it counts nothing twice."""
    await add_budget(storage, "a")
    await reserve(storage, "r", a="5")
    for _ in range(2):
        ended = await storage.settle(R, amounts(a="2"), charge("c", "2", tags="x y"))
        assert ended.state is ReservationState.SETTLED
    assert await storage.get_by_id(ChargeId("c")) == charge("c", "2", tags="x y")
    assert await storage.report(query(Dimension.MODEL)) == rows(("USD", "small", "2", 1))
    assert await totals(storage, "a") == ("2", "0")


@law("COST-079", MUST)
async def charge_may_come_before_or_after(storage: CostStorage) -> None:
    """A charge that was recorded before, or comes with a repetition, counts once."""
    await add_budget(storage, "a")
    await storage.create(charge("c"))
    await reserve(storage, "r", a="5")
    await reserve(storage, "s", a="5")
    await storage.settle(R, amounts(a="1"), charge("c"))
    for _ in range(2):
        await storage.settle(ReservationId("s"), amounts(a="2"))
    await storage.settle(ReservationId("s"), amounts(a="2"), charge("d", "2"))
    assert await storage.report(query(Dimension.MODEL)) == rows(("USD", "small", "3", 2))
    assert await totals(storage, "a") == ("3", "0")


@law("COST-080", MUST)
async def settlement_is_whole(storage: CostStorage) -> None:
    """Where the reservation or the charge is refused, neither is settled nor recorded."""
    await add_budget(storage, "a", policy=Policy.WARN)
    await storage.create(charge("taken", "7"))
    for name in ("full", "shut", "r"):
        await reserve(storage, name, a="1")
    for number in range(4):
        await reserve(storage, f"x{number}", a="0")
        await storage.settle(ReservationId(f"x{number}"), amounts(a="1000000000"))
    await storage.release(ReservationId("shut"))
    refusals: list[tuple[str, str, str, StorageError]] = [
        ("r", "a", "taken", Duplicate("id")),
        ("no", "a", "c", NotFound("reservation", "no")),
        ("r", "b", "c", NotFound("budget", "b")),
        ("shut", "a", "c", ReservationClosed("shut", "released")),
        ("full", "a", "c", BudgetOverflow("a")),
    ]
    for name, budget, made, error in refusals:
        call = storage.settle(ReservationId(name), amounts(**{budget: "1"}), charge(made))
        await is_refused(call, error)
    assert await charges(storage) == ["taken"]
    assert await totals(storage, "a") == ("4000000000", "2")
    assert (await storage.get_reservation(R)).state is ReservationState.OPEN


@law("COST-081", MUST)
async def settlement_refuses_in_order(storage: CostStorage) -> None:
    """A bad charge is invalid after the amounts; a Duplicate comes before ReservationClosed."""
    await add_budget(storage, "a")
    await storage.create(charge("taken", "7"))
    await reserve(storage, "r", a="1")
    await storage.release(R)
    nothing: Any = ()
    await is_invalid(storage.settle(R, nothing, charge("c", "NaN")), "amounts")
    await is_invalid(storage.settle(ReservationId("no"), amounts(a="1"), charge("")), "id")
    await is_refused(storage.settle(R, amounts(a="1"), charge("taken")), Duplicate("id"))
    missing = storage.settle(R, amounts(no="1"), charge("taken"))
    await is_refused(missing, NotFound("budget", "no"))


@law("COST-082", MUST, needs=TWO)
async def one_settlement_has_its_charge(storage: CostStorage, second: CostStorage) -> None:
    """Of settlements at the same time with charges of their own one counts, with its charge."""
    await add_budget(storage, "a")
    await reserve(storage, "r", a="1")
    handles = (storage, second) * (CROWD // 2)
    calls = (
        handle.settle(R, amounts(a=f"{n}"), charge(f"{n}", f"{n}"))
        for n, handle in enumerate(handles)
    )
    results, errors = await together(*calls)
    assert errors == ["ReservationClosed"] * (CROWD - 1)
    spent = results[0].settled[0].amount
    assert await charges(second) == [str(spent)]
    [row] = await storage.report(query(Dimension.MODEL))
    assert (row.amount, row.charges) == (Decimal(spent), 1)
    assert await totals(storage, "a") == (str(spent), "0")
