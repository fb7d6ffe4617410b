"""For people: the first page, which shows where they may go, and how it goes there."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from storeproof.reference.costs.entities import Dimension, ReportQuery
from storeproof.reference.errors.buckets import Bucket, TimeZone
from storeproof.reference.providers.entities import ProviderFilter
from storeproof.reference.storage import MAX_LIMIT
from storeproof.reference.web.pages.environment import count, money
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.routes import shows
from storeproof.reference.web.pages.spans import span_of
from storeproof.reference.web.routes import SIGNED_IN
from storeproof.reference.web.services import Services

__all__ = ["overview"]


class Figure(msgspec.Struct, frozen=True):
    """A number, or a few, and what it is."""

    text: str
    meaning: str


@shows("/", SIGNED_IN)
async def overview(
    frame: NamedDependency[Frame], services: NamedDependency[Services]
) -> Response[str]:
    """Whoever may go nowhere is told what to do about it."""
    figures = await asyncio.gather(*(_figure(each.path, services) for each in frame.places))
    return frame.page("overview.html", tiles=list(zip(frame.places, figures, strict=True)))


async def _figure(path: str, services: Services) -> Figure | None:
    known: dict[str, Callable[[Services], Awaitable[Figure]]] = {
        "/errors": _errors,
        "/costs": _costs,
        "/providers": _providers,
    }
    return await known[path](services) if path in known else None


async def _errors(services: Services) -> Figure:
    span = span_of({}, services.now(), "1d")
    zone = TimeZone(span.timezone)
    trend = await services.errors.trend(span.begin, span.end, Bucket.DAY, zone)
    total = sum(sum(each.counts) for each in trend.series)
    return Figure(count(total), f"event{'' if total == 1 else 's'} in the last 24 hours")


async def _costs(services: Services) -> Figure:
    today: date = services.now().date()
    first, end = today.replace(day=1), today + timedelta(days=1)
    query = ReportQuery(group_by=Dimension.PROVIDER, start=first, end=end)
    sums: dict[str, Decimal] = {}
    for row in await services.costs.report(query):
        sums[row.currency] = sums.get(row.currency, Decimal(0)) + row.amount
    shown = (f"{money(amount)} {currency}" for currency, amount in sums.items())
    return Figure(", ".join(shown) or "0", "spent this month (UTC)")


async def _providers(services: Services) -> Figure:
    page = await services.providers.providers(ProviderFilter(enabled=True), None, MAX_LIMIT)
    states, now = await services.providers.condition(page.items), services.now()
    cooling = sum(each.cooling_until is not None and each.cooling_until > now for each in states)
    return Figure(f"{len(states) - cooling} of {len(states)}", "enabled providers are available")
