"""For people: how providers do, how much of their limits is used, and how they are weighed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from storeproof.reference.errors.buckets import Bucket, TimeZone, bucket_starts
from storeproof.reference.exceptions import StorageError, VersionConflict
from storeproof.reference.providers.entities import Provider, ProviderFilter, ProviderId, Stats
from storeproof.reference.providers.selection import Candidate
from storeproof.reference.providers.service import ProviderService
from storeproof.reference.web.forms import form_of
from storeproof.reference.web.needs import PROVIDERS_READ, PROVIDERS_WRITE
from storeproof.reference.web.pages.asking import after, member, number, text
from storeproof.reference.web.pages.charts import Chart, Line, seconds
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.routes import does, shows
from storeproof.reference.web.pages.spans import RANGES, Span, span_of, zones
from storeproof.reference.web.problems import problem_of
from storeproof.reference.web.services import Services

__all__ = ["change", "end_cooling", "overview", "show"]

BUCKETS: Final[Mapping[str, Bucket]] = {
    "1d": Bucket.HOUR,
    "90d": Bucket.WEEK,
    "365d": Bucket.MONTH,
}
"""How wide the buckets of a range are; else a day."""

CHANGED = (
    "Somebody changed this provider while you looked at it. Nothing of yours was stored: this is "
    "how it is now."
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as it is now, and how it did; shares of its limits in percent."""

    now: Candidate
    stats: Stats
    requests_share: float | None
    tokens_share: float | None


@shows("/providers", PROVIDERS_READ)
async def overview(
    frame: NamedDependency[Frame],
    providers: NamedDependency[ProviderService],
    services: NamedDependency[Services],
) -> Response[str]:
    """All of them, a page of the list, by priority."""
    now = services.now()
    span = span_of(frame.query, now, "1d")
    found = await providers.providers(ProviderFilter(), after(frame.query), 50)
    return frame.page(
        "providers/overview.html",
        span=span,
        found=found,
        rows=await _rows(providers, found.items, span),
        now=now,
        ranges=RANGES,
        zones=zones(),
    )


@shows("/providers/{id:str}", PROVIDERS_READ)
async def show(
    id: FromPath[ProviderId],
    frame: NamedDependency[Frame],
    providers: NamedDependency[ProviderService],
    services: NamedDependency[Services],
) -> Response[str]:
    """One of them over time, and what of it can be changed."""
    return await _show(frame, providers, services.now(), id)


@does("/providers/{id:str}", PROVIDERS_WRITE)
async def change(
    id: FromPath[ProviderId],
    request: Request[Any, Any, Any],
    frame: NamedDependency[Frame],
    providers: NamedDependency[ProviderService],
    services: NamedDependency[Services],
) -> Response[Any]:
    """Changes what the form has, if the provider is as it was when somebody decided that."""
    form = await form_of(request)
    before = await providers.get(id)
    try:
        await providers.change(_changed(before, form))
    except VersionConflict:
        return await _show(frame, providers, services.now(), id, 412, CHANGED)
    except StorageError as error:
        status = problem_of(error).status
        return await _show(frame, providers, services.now(), id, status, str(error))
    return frame.go(frame.path("/providers", id), "provider-changed")


@does("/providers/{id:str}/end-of-cooling", PROVIDERS_WRITE)
async def end_cooling(
    id: FromPath[ProviderId],
    frame: NamedDependency[Frame],
    providers: NamedDependency[ProviderService],
) -> Response[Any]:
    """Has it be chosen again from now on."""
    await providers.end_cooling(id)
    return frame.go(frame.path("/providers", id), "cooling-ended")


async def _show(
    frame: Frame,
    providers: ProviderService,
    now: datetime,
    id: ProviderId,
    status: int = 200,
    problem: str = "",
) -> Response[str]:
    provider = await providers.get(id)
    span = span_of(frame.query, now, "1d")
    bucket = member(frame.query, "bucket", Bucket) or BUCKETS.get(span.range, Bucket.DAY)
    starts = bucket_starts(span.begin, span.end, bucket, TimeZone(span.timezone))[-MOST_BUCKETS:]
    parts = await _parts(providers, id, starts, span.end)
    (row,) = await _rows(providers, [provider], span)
    return frame.page(
        "providers/provider.html",
        status,
        provider=provider,
        row=row,
        span=span,
        charts=[_latencies(parts, starts, span), _error_rate(parts, starts, span)],
        now=now,
        ranges=RANGES,
        zones=zones(),
        may_write=frame.may(PROVIDERS_WRITE),
        problem=problem,
    )


MOST_BUCKETS: Final = 100
"""How many buckets are shown, the last ones: each is asked for by itself."""


async def _rows(
    providers: ProviderService, found: Iterable[Provider], span: Span
) -> tuple[Row, ...]:
    async def row(each: Candidate) -> Row:
        provider = each.provider
        return Row(
            now=each,
            stats=await providers.stats(provider.id, span.begin, span.end),
            requests_share=_share(each.requests, provider.rpm),
            tokens_share=_share(each.tokens, provider.tpm),
        )

    return tuple(await asyncio.gather(*map(row, await providers.condition(found))))


def _share(used: int, limit: int | None) -> float | None:
    return None if limit is None else 100 * used / limit


async def _parts(
    providers: ProviderService, id: ProviderId, starts: Sequence[datetime], end: datetime
) -> list[Stats]:
    ends = [*starts[1:], end]
    asked = (providers.stats(id, *each) for each in zip(starts, ends, strict=True))
    return await asyncio.gather(*asked)


def _latencies(parts: list[Stats], starts: Sequence[datetime], span: Span) -> Chart:
    lines = (
        Line(name=name, values=tuple(map(_milliseconds, values)))
        for name, values in {
            "median": [each.p50 for each in parts],
            "95 %": [each.p95 for each in parts],
            "99 %": [each.p99 for each in parts],
        }.items()
    )
    return _lines("Latency", " ms", tuple(lines), starts, span)


def _error_rate(parts: list[Stats], starts: Sequence[datetime], span: Span) -> Chart:
    values = tuple(round(100 * each.error_rate, 2) if each.count else None for each in parts)
    return _lines("Error rate", " %", (Line(name="errors", values=values),), starts, span)


def _lines(
    title: str, unit: str, series: tuple[Line, ...], starts: Sequence[datetime], span: Span
) -> Chart:
    return Chart(
        kind="lines",
        title=title,
        starts=seconds(starts),
        series=series,
        timezone=span.timezone,
        unit=unit,
    )


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


def _changed(before: Provider, form: Mapping[str, Any]) -> Provider:
    """The provider with what the form has; an empty limit is none."""
    given: dict[str, Any] = {"version": number(form, "version") or 0}
    if "enabled" in form:
        given["enabled"] = text(form, "enabled") == "yes"
    for name in ("weight", "priority"):
        if name in form:
            given[name] = number(form, name) or 0
    for name in ("rpm", "tpm"):
        if name in form:
            given[name] = number(form, name)
    return msgspec.structs.replace(before, **given)
