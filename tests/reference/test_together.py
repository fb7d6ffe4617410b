"""Several operations on storages in one place happen as a whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from storeproof.reference.auth import (
    AuditEntry,
    AuditFilter,
    AuditId,
    AuthStorage,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.config import Config
from storeproof.reference.costs import BudgetId, ChargeFilter, ReservationId
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.providers import Outcome, OutcomeId, Provider, ProviderId
from storeproof.reference.selection import Storages, open_storages
from storeproof.reference.unit import UnitSuspended

from .auth.examples import ANN, BOB, EVE, user
from .costs.examples import NOW as COSTS_NOW
from .costs.examples import amounts, charge, put, reserve

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Stopped(Exception):
    """The application gives up."""


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def config(request: pytest.FixtureRequest) -> Config:
    if request.param == "memory":
        return Config()
    url = request.getfixturevalue(f"{request.param}_url")
    return Config(database_url=url, create_schema=True)


def use(config: Config, work: Callable[[Storages], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_storages(config) as storages:
            await work(storages)

    asyncio.run(run())


def entry(id: str) -> AuditEntry:
    return AuditEntry(id=AuditId(id), at=NOW, actor=None, action="a", subject="s")


async def people(storage: AuthStorage) -> list[UserId]:
    page = await storage.list_users(UserFilter())
    return [each.id for each in page.items]


def test_what_is_done_together_is_there_afterwards(config: Config) -> None:
    async def sign_up(unit: Storages) -> str:
        await unit.auth.create(user(ANN))
        await unit.auth.append_audit(entry("1"))
        return (await unit.auth.get_by_id(ANN)).email

    async def work(storages: Storages) -> None:
        assert await storages.together(sign_up) == user(ANN).email
        assert await people(storages.auth) == [ANN]
        assert len((await storages.auth.list_audit(AuditFilter())).items) == 1

    use(config, work)


def test_an_error_that_leaves_the_unit_undoes_all_of_it(config: Config) -> None:
    async def half(unit: Storages) -> None:
        await unit.auth.create(user(BOB))
        await unit.auth.update(ANN, UserPatch(display_name="Ann"), 1)
        raise Stopped

    async def work(storages: Storages) -> None:
        await storages.auth.create(user(ANN))
        with pytest.raises(Stopped):
            await storages.together(half)
        assert await people(storages.auth) == [ANN]
        assert await storages.auth.get_by_id(ANN) == user(ANN)

    use(config, work)


def test_an_operation_that_raises_in_the_unit_is_undone_alone(config: Config) -> None:
    async def sign_up(unit: Storages) -> None:
        await unit.auth.create(user(BOB))
        with pytest.raises(Duplicate, match="email"):
            await unit.auth.create(user(EVE, email=user(ANN).email))
        with pytest.raises(NotFound):
            await unit.auth.delete(EVE, NOW)
        await unit.auth.append_audit(entry("1"))

    async def work(storages: Storages) -> None:
        await storages.auth.create(user(ANN))
        await storages.together(sign_up)
        assert await people(storages.auth) == [ANN, BOB]
        assert len((await storages.auth.list_audit(AuditFilter())).items) == 1

    use(config, work)


def test_nobody_sees_half_of_a_unit(config: Config) -> None:
    async def both(unit: Storages) -> None:
        await unit.auth.create(user(ANN))
        await unit.auth.create(user(BOB))

    async def work(storages: Storages) -> None:
        seen: list[list[UserId]] = []

        async def watch() -> None:
            seen.extend([await people(storages.auth) for _ in range(20)])

        await people(storages.auth)
        await asyncio.gather(storages.together(both), watch(), watch())
        assert {tuple(each) for each in seen} <= {(), (ANN, BOB)}
        assert await people(storages.auth) == [ANN, BOB]

    use(config, work)


def test_units_at_the_same_time_count_each_once(config: Config) -> None:
    async def rename(unit: Storages) -> None:
        known = await unit.auth.get_by_id(ANN)
        patch = UserPatch(display_name=known.display_name + "x")
        await unit.auth.update(ANN, patch, known.version)

    async def work(storages: Storages) -> None:
        await storages.auth.create(user(ANN))
        done = await asyncio.gather(
            *(storages.together(rename) for _ in range(5)), return_exceptions=True
        )
        changed = sum(each is None for each in done)
        ann = await storages.auth.get_by_id(ANN)
        assert (len(ann.display_name), ann.version) == (changed, changed + 1)
        assert changed >= 1

    use(config, work)


def test_tables_are_made_where_a_unit_is_the_first_to_need_them(config: Config) -> None:
    async def first(unit: Storages) -> None:
        await unit.auth.create(user(ANN))

    async def work(storages: Storages) -> None:
        await storages.together(first)
        assert await people(storages.auth) == [ANN]

    use(config, work)


def test_calls_at_the_same_time_in_one_unit_take_turns(config: Config) -> None:
    async def all_at_once(unit: Storages) -> None:
        await asyncio.gather(*(unit.auth.create(user(each)) for each in (ANN, BOB, EVE)))

    async def work(storages: Storages) -> None:
        if storages.database is None:
            with pytest.raises(UnitSuspended):
                await storages.together(all_at_once)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert await people(storages.auth) == []
            return
        await storages.together(all_at_once)
        assert sorted(await people(storages.auth)) == [ANN, BOB, EVE]

    use(config, work)


def test_a_request_is_paid_recorded_and_settled_as_a_whole(config: Config) -> None:
    outcome = Outcome(
        id=OutcomeId("1"),
        provider=ProviderId("east"),
        at=NOW,
        ok=True,
        cost=Decimal("0.000000002"),
        latency=100,
    )

    async def finish(unit: Storages) -> None:
        await unit.costs.create(charge("1", "0.000000002"))
        await unit.providers.record_outcome(outcome)
        await unit.costs.settle(ReservationId("r"), amounts(b="0.000000002"))

    async def finish_for_nobody(unit: Storages) -> None:
        await finish(unit)
        await unit.costs.settle(ReservationId("nobody"), amounts(b="1"))

    async def spent(storages: Storages) -> tuple[Decimal, Decimal, int]:
        status = await storages.costs.budget_status(BudgetId("b"), COSTS_NOW)
        charges = await storages.costs.list_charges(ChargeFilter())
        return status.spent, status.reserved, len(charges.items)

    async def work(storages: Storages) -> None:
        await put(storages.costs, "b")
        await reserve(storages.costs, "r", b="5")
        await storages.providers.create(
            Provider(id=ProviderId("east"), kind="open", endpoint="https://east.example.org")
        )
        with pytest.raises(NotFound):
            await storages.together(finish_for_nobody)
        assert await spent(storages) == (Decimal(0), Decimal(5), 0)
        await storages.together(finish)
        assert await spent(storages) == (Decimal("0.000000002"), Decimal(0), 1)

    use(config, work)


def test_a_unit_in_memory_that_waits_for_anything_else_is_undone() -> None:
    async def slow(unit: Storages) -> None:
        await unit.auth.create(user(ANN))
        await asyncio.sleep(0)

    async def work(storages: Storages) -> None:
        with pytest.raises(UnitSuspended, match="may await nothing but its storages"):
            await storages.together(slow)
        assert await people(storages.auth) == []

    use(Config(), work)
