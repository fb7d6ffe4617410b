"""For the demonstration only: providers, requests to them, what these cost, and budgets."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

import msgspec

from storeproof.reference.costs.entities import (
    Budget,
    BudgetId,
    Charge,
    ChargeId,
    Currency,
    OwnerPath,
    Policy,
    ProviderName,
    Tag,
    Window,
)
from storeproof.reference.costs.entities import ModelName as CostModel
from storeproof.reference.demo.times import instants
from storeproof.reference.providers.entities import ModelName, Price, Provider, ProviderId

__all__ = ["COOLING", "CURRENCY", "PROVIDERS", "Request", "budgets", "requests"]

CURRENCY: Final = Currency("USD")
LARGE, SMALL, OPEN = ModelName("large-2"), ModelName("small-2"), ModelName("open-70b")


def _price(model: ModelName, input: str, output: str) -> Price:
    return Price(model=model, input=Decimal(input), output=Decimal(output))


PROVIDERS: Final[tuple[Provider, ...]] = (
    Provider(id=ProviderId("aurora-eu"), kind="aurora", endpoint="https://eu.aurora.example/v1",
             models=frozenset({LARGE, SMALL}), weight=3, rpm=600, tpm=400_000,
             prices=(_price(LARGE, "3", "15"), _price(SMALL, "0.4", "1.6"))),
    Provider(id=ProviderId("aurora-us"), kind="aurora", endpoint="https://us.aurora.example/v1",
             models=frozenset({LARGE, SMALL}), weight=2, priority=1, rpm=600, tpm=400_000,
             prices=(_price(LARGE, "2.8", "14"), _price(SMALL, "0.35", "1.5"))),
    Provider(id=ProviderId("borealis"), kind="borealis", endpoint="https://api.borealis.example",
             models=frozenset({SMALL, OPEN}), priority=2, rpm=120, tpm=100_000,
             prices=(_price(SMALL, "0.5", "1.9"), _price(OPEN, "0.6", "0.8"))),
    Provider(id=ProviderId("cellar"), kind="self-hosted", endpoint="https://models.cellar.example",
             models=frozenset({OPEN}), priority=3, rpm=60,
             prices=(_price(OPEN, "0.1", "0.1"),)),
    Provider(id=ProviderId("dawn"), kind="dawn", endpoint="https://dawn.example/api",
             models=frozenset({LARGE}), priority=9, enabled=False),
)  # fmt: skip

COOLING: Final = ProviderId("borealis")
"""The provider that failed a moment ago."""

_ROUTES: Final = (
    (PROVIDERS[0], LARGE, 24), (PROVIDERS[0], SMALL, 30), (PROVIDERS[1], LARGE, 12),
    (PROVIDERS[1], SMALL, 14), (PROVIDERS[2], SMALL, 6), (PROVIDERS[2], OPEN, 8),
    (PROVIDERS[3], OPEN, 10),
)  # fmt: skip
_LATENCY: Final = {"aurora-eu": 800, "aurora-us": 1100, "borealis": 650, "cellar": 2400}
"""The usual milliseconds of an answer."""
_FAILING: Final = {"aurora-eu": 0.01, "aurora-us": 0.02, "borealis": 0.07, "cellar": 0.03}
_OWNERS: Final = (
    ("acme/search/ann", 20), ("acme/search/cem", 14), ("acme/support/emil", 18),
    ("globex/research/dora", 16), ("globex/research/flo", 6), ("globex/sales/bob", 8),
    ("initech/batch", 12), ("initech", 6),
)  # fmt: skip
_TAGS: Final = (("production", 6), ("evaluation", 2), ("training", 1))
_MILLION: Final = Decimal(10**6)
_LIKE_IT: Final = 20
"""Each request stands for so many like it."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a provider; `charge` is None where it failed. `latency` in microseconds."""

    id: str
    at: datetime
    provider: ProviderId
    latency: int
    tokens: int
    charge: Charge | None


def requests(random: Random, now: datetime, days: int, count: int) -> list[Request]:
    """So many requests of the days before `now`, in order; ever more of them."""
    times = instants(random, now, days, count, lambda when: 0.4 + when)
    return [_request(random, number, at) for number, at in enumerate(times)]


def budgets(made: list[Request], now: datetime) -> tuple[Budget, ...]:
    """Budgets that these requests nearly keep, or do not."""
    month = [each.charge for each in made if each.charge and each.at >= now - timedelta(days=30)]

    def limit(scope: str, share: str) -> Decimal:
        spent = sum((each.amount for each in month if each.owner.startswith(scope)), Decimal(0))
        return max(round(spent * Decimal(share)), 1) * Decimal(1)

    return (
        _budget("acme", limit("acme", "1.1"), Policy.WARN, {50, 80, 100}),
        _budget("acme/search", limit("acme/search", "0.9"), Policy.WARN, {80, 100}),
        _budget("globex", limit("globex", "0.95"), Policy.BLOCK, {50, 75, 90}),
        _budget("initech", limit("initech", "3"), Policy.BLOCK, {80}),
        _budget("", limit("", "0.06"), Policy.WARN, {100}, Window.DAY),
    )


def _budget(
    scope: str, limit: Decimal, policy: Policy, thresholds: set[int], window: Window = Window.MONTH
) -> Budget:
    return Budget(
        id=BudgetId(f"{scope.replace('/', '-') or 'everybody'}-{window.value}"),
        scope=OwnerPath(scope),
        limit=limit,
        currency=CURRENCY,
        window=window,
        thresholds=frozenset(thresholds),
        policy=policy,
    )


def _request(random: Random, number: int, at: datetime) -> Request:
    provider, model, _ = random.choices(_ROUTES, [each[-1] for each in _ROUTES])[0]
    ok = random.random() >= _FAILING[provider.id]
    read, written = random.randrange(200, 6000), random.randrange(50, 2500)
    usual = _LATENCY[provider.id] * (1.0 if ok else 4.0)
    price = next(each for each in provider.prices if each.model == model)
    charge = Charge(
        id=ChargeId(f"demo-{number}"),
        amount=(read * price.input + written * price.output) * _LIKE_IT / _MILLION,
        currency=CURRENCY,
        owner=OwnerPath(_one(random, _OWNERS)),
        provider=ProviderName(provider.id),
        model=CostModel(model),
        quantity=read + written,
        unit="tokens",
        tags=frozenset(_tags(random)),
        occurred_at=at,
    )
    return Request(
        id=f"demo-{number}",
        at=at,
        provider=provider.id,
        latency=int(usual * 1000 * random.lognormvariate(0, 0.5)),
        tokens=read + written,
        charge=charge if ok else None,
    )


def _tags(random: Random) -> Iterator[Tag]:
    yield Tag(_one(random, _TAGS))
    if random.random() < 0.3:
        yield Tag("shared")


def _one(random: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return random.choices([name for name, _ in weighted], [much for _, much in weighted])[0]
