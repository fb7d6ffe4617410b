"""For tests of the pages in a browser: the application on a port of its own, with content."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from reference.web.sites import EMAIL, PASSWORD, Time, services_over

from storeproof.reference.config import Config
from storeproof.reference.costs.entities import (
    Actor,
    Budget,
    BudgetId,
    Charge,
    ChargeId,
    Currency,
    ModelName,
    OwnerPath,
    Policy,
    ProviderName,
)
from storeproof.reference.costs.service import Offer
from storeproof.reference.errors.entities import Level
from storeproof.reference.providers.entities import ModelName as ProviderModel
from storeproof.reference.providers.entities import Provider, ProviderId
from storeproof.reference.selection import Storages
from storeproof.reference.web import ROLES, Services, WebSettings, create_app

__all__ = ["Served", "served"]

Result = TypeVar("Result")
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
NUMBERS = itertools.count(1)
KINDS = (
    ("psycopg.OperationalError", "the connection to the server was closed", Level.ERROR),
    ("app.billing.PriceMissing", "there is no price for the model 'sonnet-5'", Level.WARNING),
    ("TimeoutError", "no answer within 30 seconds", Level.ERROR),
    ("app.queue.Poisoned", "a message failed five times and was put aside", Level.FATAL),
)
STACK = 'Traceback (most recent call last):\n  File "app/work.py", line 12, in work\n    step()\n'


class Served:
    """The services behind a server, called from the test's own thread, and where it listens."""

    def __init__(self, services: Services, time: Time, loop: asyncio.AbstractEventLoop) -> None:
        self.services = services
        self.time = time
        self.address = ""
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def spend(self, amount: str, owner: str = "acme/search/ann") -> None:
        """A request that was admitted, and cost this much."""
        costs = self.services.costs
        made = charge(amount, owner, self.time.now)
        offer = Offer(provider=made.provider, model=made.model, amount=Decimal(0))
        admission = await costs.admit(made.owner, made.currency, (offer,))
        await costs.finish(admission, made)


@contextmanager
def served(report: Path | None) -> Iterator[Served]:
    """A server with an administrator and three weeks of events, until the block ends."""
    ready: Future[tuple[Served, uvicorn.Server]] = Future()

    def work() -> None:
        try:
            asyncio.run(_serve(report, ready))
        except BaseException as error:
            ready.set_exception(error)
            raise

    thread = threading.Thread(target=work)
    thread.start()
    made, server = ready.result(60)
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(30)


async def _serve(report: Path | None, ready: Future[tuple[Served, uvicorn.Server]]) -> None:
    time = Time()
    services = services_over(Storages(Config()), time)
    made = Served(services, time, asyncio.get_running_loop())
    await _fill(made)
    settings = WebSettings(secure_cookies=False, log_ins=1000, report=report)
    config = uvicorn.Config(create_app(services, settings), port=0, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    made.address = f"http://127.0.0.1:{port}"
    ready.set_result((made, server))
    await serving


async def _fill(made: Served) -> None:
    services, draw = made.services, random.Random(7)
    await services.auth.bootstrap(EMAIL, PASSWORD)
    await services.auth.install_roles(ROLES)
    made.time.now = NOW - timedelta(days=21)
    await _budgets(services)
    for name, priority in (("east", 0), ("west", 1)):
        await _provider(services, name, priority)
    for hours in range(21 * 24, 0, -4):
        made.time.now = NOW - timedelta(hours=hours)
        await _four_hours(made, draw)
    made.time.now = NOW
    await services.providers.choose(ProviderModel("sonnet-5"), 600)


async def _four_hours(made: Served, draw: random.Random) -> None:
    services = made.services
    for _ in range(draw.randrange(1, 7)):
        kind, message, level = draw.choices(KINDS, (6, 3, 4, 1))[0]
        await services.errors.report(
            kind, message, stack=STACK, level=level, tags={"release": "1.4"}
        )
    for owner in ("acme/search/ann", "acme/search/bob", "acme/chat/eve"):
        await made.spend(str(draw.randrange(50, 400) / 100), owner)
    for _ in range(3):
        made.time.pass_by(timedelta(minutes=1))  # who failed has cooled down by then
        provider, lease = await services.providers.choose(ProviderModel("sonnet-5"), 200)
        slow = 400 if provider.id == "west" else 180
        took = timedelta(milliseconds=draw.lognormvariate(0, 0.5) * slow)
        ok = draw.random() > 0.08
        await services.providers.record(lease, ok=ok, latency=took, tokens=200, cost=Decimal("0.1"))


async def _budgets(services: Services) -> None:
    for name, scope, limit in (("search", "acme/search", 700), ("chat", "acme/chat", 4000)):
        budget = Budget(
            id=BudgetId(name),
            scope=OwnerPath(scope),
            limit=Decimal(limit),
            currency=Currency("EUR"),
            thresholds=frozenset({50, 80, 100}),
            policy=Policy.WARN,
        )
        await services.costs.put_budget(Actor("seed"), budget)


async def _provider(services: Services, name: str, priority: int) -> None:
    await services.providers.add(
        Provider(
            id=ProviderId(name),
            kind="openai",
            endpoint=f"https://{name}.example.org",
            models=frozenset({ProviderModel("sonnet-5")}),
            priority=priority,
            rpm=20,
            tpm=1000 if name == "east" else None,
        )
    )


def charge(amount: str, owner: str, at: Any) -> Charge:
    number = next(NUMBERS)
    return Charge(
        id=ChargeId(f"charge-{number}"),
        amount=Decimal(amount),
        currency=Currency("EUR"),
        owner=OwnerPath(owner),
        provider=ProviderName("east" if number % 3 else "west"),
        model=ModelName("sonnet-5"),
        occurred_at=at,
    )
