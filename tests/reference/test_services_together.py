"""Services work in a unit as they do alone: what they do there happens as a whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from storeproof.reference.auth import AuditFilter, AuthService
from storeproof.reference.config import Config
from storeproof.reference.costs import (
    Actor,
    BudgetId,
    ChargeFilter,
    CostService,
    Currency,
    ModelName,
    OwnerPath,
    ProviderName,
)
from storeproof.reference.costs.service import Admission, Offer
from storeproof.reference.errors import ErrorService, GroupFilter
from storeproof.reference.exceptions import Duplicate
from storeproof.reference.providers import KeyId, Lease, Provider, ProviderId, ProviderService
from storeproof.reference.providers import ModelName as ProvidedModel
from storeproof.reference.providers.service import KeyRing
from storeproof.reference.selection import Storages, open_storages

from .costs.examples import budget, charge

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
A, EAST = BudgetId("a"), ProviderId("east")
COST = Decimal("2.000000001")
ROLES = 3


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def config(request: pytest.FixtureRequest) -> Config:
    if request.param == "memory":
        return Config()
    url = request.getfixturevalue(f"{request.param}_url")
    return Config(database_url=url, create_schema=True)


class Application:
    """A service of each component, and a request that one of them admitted."""

    admission: Admission
    lease: Lease

    def __init__(self, storages: Storages) -> None:
        numbers = count(1)
        given: dict[str, Any] = {"clock": lambda: NOW, "new_id": lambda: f"{next(numbers):04}"}
        keys = KeyRing({KeyId("k"): b"1" * 32}, KeyId("k"))
        self.storages = storages
        self.auth = AuthService(storages.auth, **given)
        self.costs = CostService(storages.costs, sinks=(), **given)
        self.errors = ErrorService(storages.errors, **given)
        self.providers = ProviderService(storages.providers, cipher=keys, **given)

    async def begin(self) -> None:
        await self.costs.put_budget(Actor("ann"), budget("a"))
        offer = Offer(provider=ProviderName("acme"), model=ModelName("small"), amount=Decimal(5))
        self.admission = await self.costs.admit(OwnerPath("org"), Currency("USD"), [offer])
        east = Provider(
            id=EAST, kind="open", endpoint="https://e.org", models=frozenset({ProvidedModel("m")})
        )
        await self.providers.add(east)
        _, self.lease = await self.providers.choose(ProvidedModel("m"))

    async def end(self, unit: Storages, id: str = "c") -> None:
        """What each component has to say of the request; the last one may refuse."""
        await self.auth.on(unit.auth).install_roles()
        await self.errors.on(unit.errors).report("Slow", "it took long")
        await self.providers.on(unit.providers).record(
            self.lease, ok=False, latency=timedelta(seconds=1), cost=COST
        )
        await self.costs.on(unit.costs).finish(self.admission, charge(id, str(COST)))

    async def found(self) -> tuple[Decimal, Decimal, int, int, int, int, int]:
        """Spent, reserved, charges, outcomes, providers that rest, groups of errors, entries."""
        status = await self.costs.budget_status(A)
        charges = await self.costs.charges(ChargeFilter())
        stats = await self.providers.stats(EAST, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
        resting = await self.storages.providers.list_cooling(NOW)
        groups = await self.errors.list_groups(GroupFilter())
        entries = await self.storages.auth.list_audit(AuditFilter())
        return (
            status.spent,
            status.reserved,
            len(charges.items),
            stats.count,
            len(resting.items),
            len(groups.items),
            len(entries.items),
        )


def use(config: Config, work: Callable[[Application], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_storages(config) as storages:
            application = Application(storages)
            await application.begin()
            await work(application)

    asyncio.run(run())


def test_what_services_do_of_one_request_happens_as_a_whole(config: Config) -> None:
    async def work(application: Application) -> None:
        await application.storages.together(application.end)
        assert await application.found() == (COST, 0, 1, 1, 1, 1, ROLES)

    use(config, work)


def test_an_error_in_the_last_service_undoes_what_all_have_done(config: Config) -> None:
    async def work(application: Application) -> None:
        await application.costs.record(charge("taken", "7"))
        before = await application.found()
        with pytest.raises(Duplicate):
            await application.storages.together(lambda unit: application.end(unit, "taken"))
        assert await application.found() == before == (0, 5, 1, 0, 0, 0, 0)
        await application.storages.together(application.end)
        assert await application.found() == (COST, 0, 2, 1, 1, 1, ROLES)

    use(config, work)


def test_a_service_itself_stays_on_its_own_storage(config: Config) -> None:
    async def work(application: Application) -> None:
        service = application.costs

        async def fail(unit: Storages) -> None:
            assert service.on(unit.costs) is not service
            await service.on(unit.costs).record(charge("c"))
            raise Duplicate("test")

        with pytest.raises(Duplicate, match="test"):
            await application.storages.together(fail)
        assert await service.record(charge("c", "3")) == charge("c", "3")

    use(config, work)
