"""For users and authors of a cost storage: what was charged, and what reports say of it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from storeproof.reference.costs.entities.money import money
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.values import EARLIEST, LATEST, canonical_name

__all__ = [
    "EVERYTHING",
    "Allocation",
    "Charge",
    "ChargeFilter",
    "ChargeId",
    "Correction",
    "CorrectionId",
    "Currency",
    "Dimension",
    "ModelName",
    "OwnerPath",
    "ProviderName",
    "ReportQuery",
    "ReportRow",
    "Tag",
    "allocate",
    "canonical_zone",
    "covers",
    "grouped_field",
    "midnight",
    "owner_chain",
    "period",
]

ChargeId = NewType("ChargeId", str)
CorrectionId = NewType("CorrectionId", str)
Currency = NewType("Currency", str)
"""Three capital letters, as in ISO 4217."""
OwnerPath = NewType("OwnerPath", str)
"""Up to four levels, organisation/team/user/key, joined by "/"; "" is nobody in particular."""
ProviderName = NewType("ProviderName", str)
ModelName = NewType("ModelName", str)
Tag = NewType("Tag", str)
"""A name, or a key and a value joined by "="."""

EVERYTHING: Final = OwnerPath("")
"""The scope that covers every owner."""


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What one request cost whom. `amount` below zero is a credit.

    `quantity` counts what was used, in `unit` ("tokens", "images", ...).
    """

    id: ChargeId
    amount: Decimal
    currency: Currency
    owner: OwnerPath
    provider: ProviderName
    model: ModelName
    quantity: int = 0
    unit: str = ""
    tags: frozenset[Tag] = frozenset()
    occurred_at: datetime


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` is added to what `charge` cost, in its currency, as of `at`."""

    id: CorrectionId
    charge: ChargeId
    amount: Decimal
    reason: str = ""
    at: datetime


class ChargeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Charges that match all that is given; `since` is included, `until` is not.

    `owner` is a path that covers the charge's: itself or one above it.
    """

    owner: OwnerPath | None = None
    provider: ProviderName | None = None
    model: ModelName | None = None
    tag: Tag | None = None
    currency: Currency | None = None
    since: datetime | None = None
    until: datetime | None = None


class Dimension(StrEnum):
    """By what a report groups. The first four are the levels of an owner path."""

    ORGANISATION = "organisation"
    TEAM = "team"
    USER = "user"
    KEY = "key"
    PROVIDER = "provider"
    MODEL = "model"
    TAG = "tag"


class Allocation(StrEnum):
    """How a report by tag counts charges of several tags: fully for each, or in equal shares."""

    FULL = "full"
    SPLIT = "split"


class ReportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The days from `start` to `end` (excluded), as they are in `timezone` (an IANA name)."""

    group_by: Dimension
    start: date
    end: date
    timezone: str = "UTC"
    allocation: Allocation = Allocation.FULL


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a group cost in one currency, corrections included, and how many charges it has.

    `key` is the path of the owner to the level asked for, the name of the provider or
    model, or the tag. It is None for what has none: the unallocated.
    """

    currency: Currency
    key: str | None
    amount: Decimal
    charges: int


LEVELS: Final = (Dimension.ORGANISATION, Dimension.TEAM, Dimension.USER, Dimension.KEY)
Group = TypeVar("Group")
Value: TypeAlias = str | frozenset[str]
Total: TypeAlias = tuple[str, Value, int, int]
"""Currency; owner path, provider, model or set of tags; nano-units; charges."""


def owner_chain(owner: OwnerPath) -> tuple[OwnerPath, ...]:
    """The scopes that cover an owner: "", "a", "a/b" for "a/b"."""
    parts = owner.split("/") if owner else []
    return (EVERYTHING, *(OwnerPath("/".join(parts[: end + 1])) for end in range(len(parts))))


def covers(scope: OwnerPath, owner: OwnerPath) -> bool:
    """Whether the owner is in the scope: it is the same path, or below it."""
    return scope in owner_chain(owner)


def canonical_zone(field: str, timezone: str) -> ZoneInfo:
    """The time zone with this IANA name, such as "Europe/Berlin"."""
    canonical_name(field, timezone)
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidValue(field, "must be the name of a time zone") from error


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins there, kept within EARLIEST and LATEST.

    Where a change of the clock skips midnight it is the instant of the change; where one
    repeats midnight it is the first one.
    """
    try:
        instant = datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:
        return EARLIEST if day.year == 1 else LATEST
    return min(max(instant, EARLIEST), LATEST)


def period(query: ReportQuery) -> tuple[datetime, datetime]:
    """The instants between which (the last one excluded) a canonical query's charges are."""
    zone = ZoneInfo(query.timezone)
    return midnight(query.start, zone), midnight(query.end, zone)


def allocate(query: ReportQuery, totals: Iterable[Total]) -> tuple[ReportRow, ...]:
    """The rows of a report made of totals, which may come in any order and in parts."""
    sums = _added(totals)
    shares = (
        (currency, key, part, charges)
        for (currency, value), (count, charges) in sums.items()
        for key, part in _shares(query, value, count)
    )
    rows = _added(shares)
    return tuple(
        ReportRow(currency=Currency(currency), key=key or None, amount=money(count), charges=n)
        for (currency, key), (count, n) in sorted(rows.items())
    )


def grouped_field(query: ReportQuery) -> str:
    """The field of a charge that the totals of this report are sums by."""
    fields = {Dimension.PROVIDER: "provider", Dimension.MODEL: "model", Dimension.TAG: "tags"}
    return fields.get(query.group_by, "owner")


def _added(
    parts: Iterable[tuple[str, Group, int, int]],
) -> dict[tuple[str, Group], tuple[int, int]]:
    sums: dict[tuple[str, Group], tuple[int, int]] = {}
    for currency, group, count, charges in parts:
        before = sums.get((currency, group), (0, 0))
        sums[currency, group] = (before[0] + count, before[1] + charges)
    return sums


def _shares(query: ReportQuery, value: Value, count: int) -> Iterator[tuple[str, int]]:
    """The keys that an amount counts for, each with its part; "" is the unallocated."""
    if isinstance(value, frozenset):
        yield from _tag_shares(query.allocation, sorted(value), count)
    elif query.group_by in LEVELS:
        depth = LEVELS.index(query.group_by) + 1
        chain = owner_chain(OwnerPath(value))
        yield chain[depth] if depth < len(chain) else "", count
    else:
        yield value, count


def _tag_shares(allocation: Allocation, tags: list[str], count: int) -> Iterator[tuple[str, int]]:
    share, rest = divmod(count, len(tags) or 1)
    if not tags:
        yield "", count
    for number, tag in enumerate(tags):
        yield tag, count if allocation is Allocation.FULL else share + (number < rest)
