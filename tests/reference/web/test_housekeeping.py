"""Beside requests, what is due is done again and again, whatever fails."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from storeproof.reference.costs.entities import Actor, Budget, BudgetId, Currency, OwnerPath
from storeproof.reference.costs.service import Offer
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.web.housekeeping import keep_house

from .sites import Site, visit

EUR, TEN = Currency("EUR"), Decimal(10)
OFFER = Offer(provider="p", model="m", amount=TEN)  # type: ignore[arg-type]  # names


async def rounds(site: Site, count: int) -> None:
    left = iter(range(count))

    async def pause() -> None:
        if next(left, None) is None:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await keep_house(site.services, pause)


async def reserved(site: Site) -> Decimal:
    return (await site.services.costs.budget_status(BudgetId("b"))).reserved


async def admit(site: Site) -> None:
    costs = site.services.costs
    await costs.put_budget(Actor("ann"), Budget(id=BudgetId("b"), limit=TEN, currency=EUR))
    await costs.admit(OwnerPath("acme"), EUR, [OFFER])


def test_what_was_reserved_and_forgotten_is_freed() -> None:
    async def work(site: Site) -> None:
        await admit(site)
        await rounds(site, 1)
        assert await reserved(site) == TEN
        site.time.pass_by(timedelta(hours=1))
        await rounds(site, 1)
        assert await reserved(site) == 0

    visit(work)


def test_it_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def work(site: Site) -> None:
        await admit(site)
        site.time.pass_by(timedelta(hours=1))
        costs: Any = site.services.costs
        expire, failures = costs.expire, iter([Unavailable("gone")])

        async def fail_once() -> int:
            for error in failures:
                raise error
            return int(await expire())

        costs.expire = fail_once
        await rounds(site, 2)
        assert await reserved(site) == 0

    with caplog.at_level(logging.ERROR, "storeproof.web"):
        visit(work)
    assert len(caplog.records) == 1
