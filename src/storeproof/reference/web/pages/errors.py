"""For people: which errors occur, how often, and what was decided about them."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from storeproof.reference.errors.buckets import Bucket, TimeZone, Trend
from storeproof.reference.errors.entities import (
    Dimension,
    ErrorGroup,
    GroupFilter,
    GroupId,
    GroupSort,
    Level,
    Ranked,
    Status,
)
from storeproof.reference.errors.service import ErrorService
from storeproof.reference.exceptions import InvalidValue, NotFound, VersionConflict
from storeproof.reference.web.forms import form_of
from storeproof.reference.web.needs import ERRORS_READ, ERRORS_WRITE
from storeproof.reference.web.pages.asking import after, member, number, text
from storeproof.reference.web.pages.charts import MOST, chart_of_trend, ranked
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.routes import does, shows
from storeproof.reference.web.pages.spans import RANGES, Span, span_of, zones
from storeproof.reference.web.services import Services

__all__ = ["decide", "group", "groups", "overview"]

LOOKED_AT = 200
"""How many groups, the last seen ones, are looked through for regressions."""

BUCKETS: Final[Mapping[str, Bucket]] = {"1d": Bucket.HOUR, "7d": Bucket.HOUR, "365d": Bucket.WEEK}
"""How wide the buckets of a range are, where nobody asks for others; else a day."""

PAUSES: Final[Mapping[str, timedelta | None]] = {
    "ever": None,
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
"""How long a group may be ignored."""

CHANGED = (
    "Somebody decided about this group while you looked at it. Nothing of yours was stored: "
    "this is how it is now. Decide again if you still want to."
)


@shows("/errors", ERRORS_READ)
async def overview(
    frame: NamedDependency[Frame],
    errors: NamedDependency[ErrorService],
    services: NamedDependency[Services],
) -> Response[str]:
    """The trend, what occurs most, and what came back."""
    span = span_of(frame.query, services.now(), "7d")
    bucket = member(frame.query, "bucket", Bucket) or BUCKETS.get(span.range, Bucket.DAY)
    group_by = member(frame.query, "group_by", Dimension)
    zone = TimeZone(span.timezone)
    trend = await errors.trend(span.begin, span.end, bucket, zone, group_by)
    top = await errors.top(10, Dimension.GROUP, span.begin, span.end)
    known = await _messages(errors, {each.key for each in top} | _shown(trend, group_by))
    names = {key: each.message for key, each in known.items()}
    return frame.page(
        "errors/overview.html",
        span=span,
        bucket=bucket,
        group_by=group_by or "",
        chart=chart_of_trend(f"Errors by {bucket}", trend, span.timezone, names),
        total=sum(sum(each.counts) for each in trend.series),
        top=_ranked(top, known),
        regressions=await _regressions(errors, span),
        looked_at=LOOKED_AT,
        **_choices(),
    )


@shows("/errors/groups", ERRORS_READ)
async def groups(
    frame: NamedDependency[Frame], errors: NamedDependency[ErrorService]
) -> Response[str]:
    """All groups that match, a page of them."""
    wanted = GroupFilter(
        status=member(frame.query, "status", Status),
        level=member(frame.query, "level", Level),
        message_contains=text(frame.query, "contains"),
    )
    sort = member(frame.query, "sort", GroupSort) or GroupSort.LAST_SEEN
    found = await errors.list_groups(wanted, sort, after(frame.query), 50)
    return frame.page(
        "errors/groups.html",
        found=found,
        wanted=wanted,
        sort=sort,
        statuses=list(Status),
        levels=list(Level),
        sorts={each.value: each.replace("_", " ") for each in GroupSort},
    )


@shows("/errors/groups/{id:str}", ERRORS_READ)
async def group(
    id: FromPath[GroupId],
    frame: NamedDependency[Frame],
    errors: NamedDependency[ErrorService],
) -> Response[str]:
    """One group with its events, and what can be decided about it."""
    return await _group(frame, errors, id)


@does("/errors/groups/{id:str}/state", ERRORS_WRITE)
async def decide(
    id: FromPath[GroupId],
    request: Request[Any, Any, Any],
    frame: NamedDependency[Frame],
    errors: NamedDependency[ErrorService],
    services: NamedDependency[Services],
) -> Response[Any]:
    """Resolves a group, ignores or reopens it, if it is as it was when somebody decided that."""
    form = await form_of(request)
    status = member(form, "status", Status)
    version = number(form, "version") or 0
    try:
        match status:
            case Status.RESOLVED:
                await errors.resolve(id, version)
            case Status.IGNORED:
                pause = _pause(form)
                until = None if pause is None else services.now() + pause
                await errors.ignore(id, version, until)
            case Status.UNRESOLVED:
                await errors.reopen(id, version)
            case None:
                raise InvalidValue("status", "must be given")
    except VersionConflict:
        return await _group(frame, errors, id, 412, CHANGED)
    return frame.go(frame.path("/errors/groups", id), f"group-{status.value}")


async def _group(
    frame: Frame, errors: ErrorService, id: GroupId, status: int = 200, problem: str = ""
) -> Response[str]:
    found = await errors.get_group(id)
    events = await errors.list_events(found.id, after(frame.query), 25)
    return frame.page(
        "errors/group.html",
        status,
        group=found,
        events=events,
        may_decide=frame.may(ERRORS_WRITE),
        problem=problem,
    )


def _pause(form: Mapping[str, Any]) -> timedelta | None:
    asked = text(form, "pause") or "ever"
    if asked not in PAUSES:
        raise InvalidValue("pause", f"must be one of {', '.join(PAUSES)}")
    return PAUSES[asked]


def _shown(trend: Trend, group_by: Dimension | None) -> set[str]:
    """The groups whose series a chart shows by themselves."""
    if group_by is not Dimension.GROUP:
        return set()
    return {each.key for each in ranked(trend)[:MOST]}


async def _messages(errors: ErrorService, keys: Iterable[str]) -> dict[str, ErrorGroup]:
    async def find(key: str) -> ErrorGroup | None:
        try:
            return await errors.get_group(GroupId(key))
        except NotFound:
            return None  # it was merged meanwhile

    wanted = sorted(keys)
    found = await asyncio.gather(*map(find, wanted))
    return {key: each for key, each in zip(wanted, found, strict=True) if each is not None}


def _ranked(
    top: tuple[Ranked, ...], known: dict[str, ErrorGroup]
) -> list[tuple[ErrorGroup, int, float]]:
    """Each group with its events, and their share, in percent, of those of the first one."""
    most = max((each.count for each in top), default=0) or 1
    return [
        (known[each.key], each.count, 100 * each.count / most) for each in top if each.key in known
    ]


async def _regressions(errors: ErrorService, span: Span) -> list[ErrorGroup]:
    wanted = GroupFilter(status=Status.UNRESOLVED)
    page = await errors.list_groups(wanted, GroupSort.LAST_SEEN, None, LOOKED_AT)
    return [each for each in page.items if each.regressed_by and each.last_seen >= span.begin]


def _choices() -> dict[str, Any]:
    return {
        "ranges": RANGES,
        "zones": zones(),
        "buckets": list(Bucket),
        "dimensions": {"": "nothing", **{each.value: each.value for each in Dimension}},
    }
