"""For authors of a cost storage: the laws of reservations."""

from decimal import Decimal

from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import (
    Policy,
    Reservation,
    ReservationId,
    ReservationState,
)
from storeproof.reference.costs.exceptions import (
    BudgetExceeded,
    BudgetOverflow,
    ReservationClosed,
)
from storeproof.reference.costs.laws.given import (
    DAY,
    HOUR,
    LATER,
    NOW,
    TICK,
    add_budget,
    amounts,
    is_refused,
    reserve,
    totals,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import Duplicate, NotFound

__all__: list[str] = []

R = ReservationId("r")
LAST_NANO = "9.999999999"


@law("COST-035", MUST)
async def reservation_is_stored_as_given(storage: CostStorage) -> None:
    """A reservation is open, comes back as it was made, by budget, and counts as reserved."""
    await add_budget(storage, "a")
    await add_budget(storage, "b")
    made = await storage.reserve(R, amounts(b="2.5", a="1"), NOW, LATER)
    expected = Reservation(id=R, amounts=amounts(a="1", b="2.5"), at=NOW, expires_at=LATER)
    assert made == await storage.get_reservation(R) == expected
    assert await totals(storage, "a") == ("0", "1")
    assert await totals(storage, "b") == ("0", "2.5")


@law("COST-036", MUST)
async def reservation_is_made_once(storage: CostStorage) -> None:
    """Reserving again with the same arguments returns the reservation as it is by now."""
    await add_budget(storage, "a", "1")
    for _ in range(2):
        await reserve(storage, "r", a="1")
    assert await totals(storage, "a") == ("0", "1")
    released = await storage.release(R)
    assert await reserve(storage, "r", a="1") == released
    assert await totals(storage, "a") == ("0", "0")


@law("COST-037", MUST)
async def another_reservation_is_a_duplicate(storage: CostStorage) -> None:
    """Another reservation with a taken id is a Duplicate, before anything else, and not made."""
    await add_budget(storage, "a")
    await reserve(storage, "r", a="1")
    for asked, at, end in (
        (amounts(a="2"), NOW, LATER),
        (amounts(no="1"), NOW, LATER),
        (amounts(a="99"), NOW, LATER),
        (amounts(a="1"), NOW + TICK, LATER),
        (amounts(a="1"), NOW, LATER + TICK),
    ):
        await is_refused(storage.reserve(R, asked, at, end), Duplicate("id"))
    assert await totals(storage, "a") == ("0", "1")


@law("COST-038", MUST)
async def limit_is_never_passed(storage: CostStorage) -> None:
    """A reservation fits to the last nano-unit of the limit, and not one more."""
    await add_budget(storage, "a")
    await reserve(storage, "r", a=LAST_NANO)
    over = reserve(storage, "s", a="0.000000002")
    await is_refused(over, BudgetExceeded("a", Decimal("0.000000001")))
    await reserve(storage, "t", a="0.000000001")
    await is_refused(reserve(storage, "u", a="0.000000001"), BudgetExceeded("a", Decimal(0)))
    await storage.settle(R, amounts(a="4"))
    assert (await storage.budget_status((amounts(a="0"))[0].budget, NOW)).available == Decimal(
        "5.999999999"
    )
    await is_refused(reserve(storage, "s", a="6"), BudgetExceeded("a", Decimal("5.999999999")))


@law("COST-039", MUST)
async def all_or_nothing_is_reserved(storage: CostStorage) -> None:
    """When one budget can't hold its amount nothing is reserved in any, and the id is free."""
    for name, limit in (("a", "10"), ("b", "1"), ("c", "1")):
        await add_budget(storage, name, limit)
    refused = storage.reserve(R, amounts(c="2", a="1", b="2"), NOW, LATER)
    await is_refused(refused, BudgetExceeded("b", Decimal(1)))
    await is_refused(storage.get_reservation(R), NotFound("reservation", "r"))
    assert await totals(storage, "a") == ("0", "0")
    await reserve(storage, "r", a="1", b="1")


@law("COST-040", MUST)
async def every_budget_must_exist(storage: CostStorage) -> None:
    """An unknown budget, the first by id, is NotFound, before one that is exceeded."""
    await add_budget(storage, "a", "1")
    refused = storage.reserve(R, amounts(y="1", x="1", a="2"), NOW, LATER)
    await is_refused(refused, NotFound("budget", "x"))
    assert await totals(storage, "a") == ("0", "0")


@law("COST-041", MUST)
async def warning_budget_refuses_nothing(storage: CostStorage) -> None:
    """A budget that only warns reserves beyond its limit; one that routes does not."""
    await add_budget(storage, "a", "1", policy=Policy.WARN)
    await add_budget(storage, "b", "1", policy=Policy.ROUTE)
    await reserve(storage, "r", a="5")
    assert await totals(storage, "a") == ("0", "5")
    await is_refused(reserve(storage, "s", a="1", b="5"), BudgetExceeded("b", Decimal(1)))


@law("COST-042", MUST)
async def overflow_is_an_error(storage: CostStorage) -> None:
    """What is reserved, or spent, in a budget stops at 4·10^9 with an error; it never wraps."""
    await add_budget(storage, "a", "1", policy=Policy.WARN)
    for number in range(4):
        await reserve(storage, f"r{number}", a="1000000000")
    await is_refused(reserve(storage, "r", a="0.000000001"), BudgetOverflow("a"))
    for number in range(4):
        await storage.settle(ReservationId(f"r{number}"), amounts(a="1000000000"))
    await reserve(storage, "r", a="1")
    await is_refused(storage.settle(R, amounts(a="0.000000001")), BudgetOverflow("a"))
    assert await totals(storage, "a") == ("4000000000", "1")


@law("COST-043", MUST)
async def settling_counts_what_was_spent(storage: CostStorage) -> None:
    """Settling frees what is reserved and counts what was spent, less or more, or 0."""
    for name in "abc":
        await add_budget(storage, name)
    await reserve(storage, "r", a="5", b="5", c="5")
    ended = await storage.settle(R, amounts(b="70", a="2"))
    assert (ended.state, ended.settled) == (
        ReservationState.SETTLED,
        amounts(a="2", b="70", c="0"),
    )
    assert await storage.get_reservation(R) == ended
    found = [await totals(storage, name) for name in "abc"]
    assert found == [("2", "0"), ("70", "0"), ("0", "0")]


@law("COST-044", MUST)
async def settling_counts_once(storage: CostStorage) -> None:
    """Settling again with the same amounts changes nothing; with others it is refused."""
    await add_budget(storage, "a")
    await add_budget(storage, "b")
    await reserve(storage, "r", a="5", b="1")
    ended = await storage.settle(R, amounts(a="2"))
    assert await storage.settle(R, amounts(b="0", a="2")) == ended
    closed = ReservationClosed("r", "settled")
    await is_refused(storage.settle(R, amounts(a="3")), closed)
    await is_refused(storage.release(R), closed)
    assert await totals(storage, "a") == ("2", "0")


@law("COST-045", MUST)
async def settling_names_its_budgets(storage: CostStorage) -> None:
    """A budget that the reservation has no amount in is NotFound, also where it exists."""
    await add_budget(storage, "a")
    await add_budget(storage, "b")
    await reserve(storage, "r", a="5")
    await is_refused(storage.settle(R, amounts(c="1", b="1", a="1")), NotFound("budget", "b"))
    await storage.release(R)
    await is_refused(storage.settle(R, amounts(b="1")), NotFound("budget", "b"))
    assert await totals(storage, "a") == ("0", "0")


@law("COST-046", MUST)
async def releasing_frees_once(storage: CostStorage) -> None:
    """Releasing frees what is reserved, once; what is released can't be settled."""
    await add_budget(storage, "a")
    await reserve(storage, "r", a="5")
    await reserve(storage, "s", a="2")
    for _ in range(2):
        assert (await storage.release(R)).state is ReservationState.RELEASED
    await is_refused(storage.settle(R, amounts(a="5")), ReservationClosed("r", "released"))
    assert await totals(storage, "a") == ("0", "2")


@law("COST-047", MUST)
async def expiry_frees_once(storage: CostStorage) -> None:
    """From its `expires_at` on an open reservation can be expired, which frees it, once."""
    await add_budget(storage, "a")
    await reserve(storage, "r", a="5")
    await reserve(storage, "s", NOW, LATER + TICK, a="2")
    assert await storage.expire_reservations(LATER - TICK, 10) == 0
    assert await totals(storage, "a") == ("0", "7")
    assert [await storage.expire_reservations(LATER, 10) for _ in range(2)] == [1, 0]
    assert (await storage.get_reservation(R)).state is ReservationState.EXPIRED
    assert await totals(storage, "a") == ("0", "2")


@law("COST-048", MUST)
async def expiry_goes_by_time_then_id(storage: CostStorage) -> None:
    """The first of those due are expired, by `expires_at`, then by id; others stay open."""
    await add_budget(storage, "a")
    for name, end in (("z", HOUR), ("y", 2 * HOUR), ("x", 2 * HOUR), ("w", 3 * HOUR)):
        await reserve(storage, name, NOW, NOW + end, a="1")
    await storage.release(ReservationId("w"))
    assert await storage.expire_reservations(NOW + DAY, 2) == 2
    states = [(await storage.get_reservation(ReservationId(x))).state.value for x in "zyxw"]
    assert states == ["expired", "open", "expired", "released"]


@law("COST-049", MUST)
async def expired_can_be_settled(storage: CostStorage) -> None:
    """An expired reservation stays so when it is released, and counts when it is settled."""
    await add_budget(storage, "a")
    await reserve(storage, "r", a="5")
    await reserve(storage, "s", NOW, NOW + DAY, a="1")
    await storage.expire_reservations(LATER, 10)
    assert (await storage.release(R)).state is ReservationState.EXPIRED
    assert (await storage.settle(R, amounts(a="4"))).state is ReservationState.SETTLED
    assert await totals(storage, "a") == ("4", "1")


@law("COST-050", MUST)
async def ending_counts_in_its_window(storage: CostStorage) -> None:
    """What was reserved in an earlier window changes nothing in the present one when it ends."""
    await add_budget(storage, "a")
    for name in "rst":
        await reserve(storage, name, a="1")
    await reserve(storage, "u", NOW + DAY, a="4")
    await storage.settle(R, amounts(a="1"))
    await storage.release(ReservationId("s"))
    await storage.expire_reservations(LATER, 10)
    assert await totals(storage, "a", NOW + DAY) == ("0", "4")


@law("COST-051", MUST)
async def unknown_reservation_is_not_found(storage: CostStorage) -> None:
    """A reservation that was never made is NotFound, before an unknown budget."""
    missing = NotFound("reservation", "r")
    await is_refused(storage.get_reservation(R), missing)
    await is_refused(storage.settle(R, amounts(no="1")), missing)
    await is_refused(storage.release(R), missing)
