"""For clients of the API: providers, how they do, and which one is chosen for a request."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from litestar import Response, Router
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from storeproof.reference.providers.entities import (
    Lease,
    ModelName,
    Outcome,
    Provider,
    ProviderFilter,
    ProviderId,
    SecretName,
    Stats,
)
from storeproof.reference.providers.explaining import Explanation
from storeproof.reference.providers.service import ProviderService, SecretText
from storeproof.reference.storage import Page
from storeproof.reference.web.needs import PROVIDERS_READ, PROVIDERS_USE, PROVIDERS_WRITE
from storeproof.reference.web.problems import Refusal
from storeproof.reference.web.repeats import IdempotencyKey, id_of
from storeproof.reference.web.routes import After, By, Limit, creates, reads, removes, replaces
from storeproof.reference.web.versions import IfMatch, expected_version, tagged

__all__ = ["Choice", "Ended", "SecretBody", "router"]


class SecretBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credential in the clear. It is encrypted before it is stored, and never shown again."""

    secret: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The provider to use, and the lease to tell about afterwards."""

    provider: Provider
    lease: Lease


class Ended(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the request of a lease ended. `latency` in microseconds."""

    lease: Lease
    ok: bool
    latency: int
    tokens: int = 0
    cost: Decimal = Decimal(0)


@reads("/", PROVIDERS_READ, summary="List providers")
async def list_providers(
    providers: NamedDependency[ProviderService],
    kind: FromQuery[str | None] = None,
    model: FromQuery[ModelName | None] = None,
    enabled: FromQuery[bool | None] = None,
    cursor: After = None,
    limit: Limit = 100,
) -> Page[Provider]:
    """By priority."""
    return await providers.providers(
        ProviderFilter(kind=kind, model=model, enabled=enabled), cursor, limit
    )


@creates("/", PROVIDERS_WRITE, summary="Add a provider")
async def add(
    data: JSONBody[Provider], providers: NamedDependency[ProviderService]
) -> Response[Provider]:
    """An id that was ever used can't be used again."""
    made = await providers.add(data)
    return tagged(made, made.version)


@reads("/{id:str}", PROVIDERS_READ, summary="Read a provider")
async def get_provider(
    id: FromPath[ProviderId], providers: NamedDependency[ProviderService]
) -> Response[Provider]:
    """Without its secrets."""
    found = await providers.get(id)
    return tagged(found, found.version)


@replaces("/{id:str}", PROVIDERS_WRITE, summary="Replace a provider")
async def change(
    id: FromPath[ProviderId],
    data: JSONBody[Provider],
    providers: NamedDependency[ProviderService],
    if_match: IfMatch = None,
) -> Response[Provider]:
    """Needs the ETag that was read."""
    if data.id != id:
        raise Refusal(422, "invalid-value", "The provider's id must be that of the path.")
    wanted = msgspec.structs.replace(data, version=expected_version(if_match))
    made = await providers.change(wanted)
    return tagged(made, made.version)


@removes("/{id:str}", PROVIDERS_WRITE, summary="Delete a provider")
async def remove(id: FromPath[ProviderId], providers: NamedDependency[ProviderService]) -> None:
    """With its secrets."""
    await providers.remove(id)


@replaces("/{id:str}/secrets/{name:str}", PROVIDERS_WRITE, summary="Put a secret", status_code=204)
async def put_secret(
    id: FromPath[ProviderId],
    name: FromPath[SecretName],
    data: JSONBody[SecretBody],
    providers: NamedDependency[ProviderService],
) -> None:
    """Replaces the one of this name. No route gives it back."""
    await providers.put_secret(id, name, SecretText(data.secret))


@reads("/{id:str}/stats", PROVIDERS_READ, summary="How a provider does")
async def stats(
    id: FromPath[ProviderId],
    start: FromQuery[datetime],
    end: FromQuery[datetime],
    providers: NamedDependency[ProviderService],
) -> Stats:
    """Requests from `start` to before `end`; latencies in microseconds."""
    return await providers.stats(id, start, end)


@creates("/{id:str}/end-of-cooling", PROVIDERS_WRITE, summary="End a cool-down", status_code=204)
async def end_cooling(
    id: FromPath[ProviderId], providers: NamedDependency[ProviderService]
) -> None:
    """It is chosen again from now on."""
    await providers.end_cooling(id)


@reads("/choices/preview", PROVIDERS_READ, summary="Who would be chosen, and why")
async def preview(
    model: FromQuery[ModelName],
    providers: NamedDependency[ProviderService],
    tokens: FromQuery[int] = 0,
) -> tuple[Explanation, ...]:
    """Every provider of the model, in the order in which they would be tried; takes nothing."""
    return await providers.explain(model, tokens)


@creates("/choices", PROVIDERS_USE, summary="Choose a provider")
async def choose(
    model: FromQuery[ModelName],
    by: By,
    providers: NamedDependency[ProviderService],
    tokens: FromQuery[int] = 0,
    idempotency_key: IdempotencyKey = None,
) -> Choice:
    """Counts one request, and its tokens, in the provider's limits."""
    lease_id = id_of(idempotency_key, by, "choice")
    provider, lease = await providers.choose(model, tokens, id=lease_id)
    return Choice(provider=provider, lease=lease)


@creates("/outcomes", PROVIDERS_USE, summary="Tell how a request ended", status_code=200)
async def record(data: JSONBody[Ended], providers: NamedDependency[ProviderService]) -> Outcome:
    """May be repeated: it is counted once."""
    if not 0 <= data.latency < 2**53:
        raise Refusal(422, "invalid-value", "The latency must be microseconds: 0 or more.")
    took = timedelta(microseconds=data.latency)
    return await providers.record(
        data.lease, ok=data.ok, latency=took, tokens=data.tokens, cost=data.cost
    )


def router() -> Router:
    """The routes of providers."""
    configuration = [list_providers, add, get_provider, change, remove, put_secret]
    handlers = [*configuration, stats, end_cooling, preview, choose, record]
    return Router("/providers", route_handlers=handlers, tags=["providers"])
