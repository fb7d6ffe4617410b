"""For authors of a cost storage: the laws of charges and their corrections."""

from decimal import Decimal

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import ChargeFilter, ChargeId, Dimension
from storeproof.reference.costs.laws.given import (
    NOW,
    TICK,
    charge,
    correction,
    is_refused,
    query,
    rows,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import Duplicate, NotFound

__all__: list[str] = []

FULL = charge(
    "a",
    "-999999999.000000001",
    currency="XXX",
    owner="o/t/u/k",
    quantity=2**63 - 1,
    unit="tokens",
    tags="x y é",
    occurred_at=NOW + TICK,
)


@law("COST-001", MUST)
async def unknown_charge_is_not_found(storage: CostStorage) -> None:
    """A charge that was never created is NotFound."""
    await storage.create(charge("a"))
    await is_refused(storage.get_by_id(ChargeId("b")), NotFound("charge", "b"))


@law("COST-002", MUST)
async def charge_is_stored_as_given(storage: CostStorage) -> None:
    """A charge comes back with every field as it was given."""
    assert await storage.create(FULL) == FULL
    assert await storage.get_by_id(FULL.id) == FULL


@law("COST-003", MUST)
async def charge_is_recorded_once(storage: CostStorage) -> None:
    """Creating an equal charge again returns it, and it counts once."""
    for _ in range(2):
        assert await storage.create(charge("a")) == charge("a")
    assert await storage.report(query(Dimension.MODEL)) == rows(("USD", "small", "1", 1))
    assert (await storage.list_charges(ChargeFilter())).items == (charge("a"),)


@law("COST-004", MUST)
async def another_payload_is_a_duplicate(storage: CostStorage) -> None:
    """A charge that differs in any field from the one with its id is a Duplicate, not stored."""
    await storage.create(FULL)
    changes = {
        "amount": Decimal("-999999999.000000002"),
        "currency": "XXY",
        "owner": "o/t/u",
        "provider": "other",
        "model": "large",
        "quantity": 0,
        "unit": "",
        "tags": frozenset({"x"}),
        "occurred_at": NOW,
    }
    for field, value in changes.items():
        other = replace(FULL, **{field: value})
        await is_refused(storage.create(other), Duplicate("id"))
    assert await storage.get_by_id(FULL.id) == FULL
    assert len(await storage.report(query(Dimension.TAG))) == 3


@law("COST-005", MUST)
async def correction_leaves_its_charge(storage: CostStorage) -> None:
    """A correction is recorded as given, beside its charge, which stays as it was."""
    await storage.create(charge("a"))
    made = correction("c", "a", "-0.25", reason="rebate", at=NOW + TICK)
    assert await storage.correct(made) == made
    assert await storage.get_by_id(ChargeId("a")) == charge("a")
    assert (await storage.list_corrections(ChargeId("a"))).items == (made,)
    assert await storage.report(query(Dimension.MODEL)) == rows(("USD", "small", "0.75", 1))


@law("COST-006", MUST)
async def correction_is_recorded_once(storage: CostStorage) -> None:
    """An equal correction counts once; another with its id is a Duplicate, not stored."""
    await storage.create(charge("a"))
    await storage.create(charge("b"))
    for _ in range(2):
        assert await storage.correct(correction("c", "a")) == correction("c", "a")
    for other in (
        correction("c", "a", "-2"),
        correction("c", "b"),
        correction("c", "a", reason="other"),
        correction("c", "a", at=NOW + TICK),
    ):
        await is_refused(storage.correct(other), Duplicate("id"))
    assert await storage.report(query(Dimension.MODEL)) == rows(("USD", "small", "1", 2))


@law("COST-007", MUST)
async def correction_needs_its_charge(storage: CostStorage) -> None:
    """A correction of an unknown charge is NotFound, before a Duplicate."""
    await storage.create(charge("a"))
    await storage.correct(correction("c", "a"))
    for each in (correction("c", "no"), correction("d", "no")):
        await is_refused(storage.correct(each), NotFound("charge", "no"))
    assert (await storage.list_corrections(ChargeId("no"))).items == ()
