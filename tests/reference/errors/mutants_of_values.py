"""For the tests of the error laws: what those of values and races must not let pass."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, timedelta, timezone
from typing import Any

from msgspec.structs import replace

from storeproof.reference.errors.laws.given import NOW
from storeproof.reference.exceptions import Duplicate, InvalidValue, NotFound

from ..breaking import Mutant, limit_first, nfkc
from .mutants import (
    altering,
    altering_fields,
    answering,
    checking,
    clashing,
    deaf,
    erring,
    ignoring,
    racing,
    replacing,
)
from .mutants_of_groups import overwriting, source_gone_first

LOCAL = timezone(timedelta(hours=1))


def creating(**fields: Callable[[Any], Any]) -> Mutant:
    return altering_fields("create", "entity", **fields)


def recording(**fields: Callable[[Any], Any]) -> Mutant:
    return altering_fields("record_metric", "point", **fields)


def to_seconds(at: Any) -> Any:
    return at and at.replace(microsecond=0)


def as_utc(at: Any) -> Any:
    return at.replace(tzinfo=UTC)


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


async def same_offset(storage: Any, entity: Any) -> None:
    if entity.id in storage._events and entity.occurred_at.tzinfo is not UTC:
        raise Duplicate("id")


async def same_offset_of_points(storage: Any, point: Any) -> None:
    if point.id in storage._points and point.at.tzinfo is not UTC:
        raise Duplicate("id")


def last_tag_wins(tags: Any) -> Any:
    return tuple({tag.key: tag for tag in tags}.values())


async def stored_before_checked(storage: Any, right: Any, entity: Any) -> Any:
    try:
        return await right()
    except InvalidValue:
        await right(entity=type(entity)(id="bad", fingerprint="g", message="", occurred_at=NOW))
        raise


async def small(_storage: Any, entity: Any) -> None:
    if len(entity.stack.encode()) > 65536:
        raise InvalidValue("stack", "is too large")


async def end_first(_storage: Any, query: Any) -> None:
    if query.end < query.start:
        raise InvalidValue("end", "must not be before start")


async def group_first(storage: Any, id: Any, **_: Any) -> None:
    await storage.get_group(id)


def not_found(operation: str) -> Mutant:
    return erring(operation, lambda _error: NotFound("group", ""))


MUTANTS: dict[str, list[Mutant]] = {
    "ERR-056": [
        creating(occurred_at=to_seconds),
        recording(at=to_seconds),
        altering_fields("set_state", "state", at=to_seconds),
        answering("get_group", lambda g: replace(g, first_seen=g.first_seen.astimezone(LOCAL))),
    ],
    "ERR-057": [
        checking("create", same_offset),
        checking("record_metric", same_offset_of_points),
    ],
    "ERR-058": [
        creating(message=str.strip),
        creating(stack=nfc),
        creating(message=nfc),
        creating(tags=lambda tags: tuple(replace(tag, value=tag.value.strip()) for tag in tags)),
    ],
    "ERR-059": [
        *(creating(id=change) for change in (str.casefold, str.strip, nfkc)),
        *(creating(fingerprint=change) for change in (str.casefold, str.strip, nfkc)),
        recording(id=str.casefold),
    ],
    "ERR-060": [
        creating(message=lambda text: text.replace("\0", "")),
        creating(message=lambda text: text[:8192]),
        creating(stack=lambda text: text[:65536]),
        creating(tags=last_tag_wins),
        creating(tags=lambda tags: tags[:100]),
        creating(occurred_at=as_utc),
        creating(grouping=lambda version: max(version, 1)),
        creating(id=lambda each: each[:255]),
        replacing("create", stored_before_checked),
    ],
    "ERR-061": [
        creating(message=lambda text: text[:4096]),
        creating(stack=lambda text: text[:65535]),
        checking("create", small),
    ],
    "ERR-062": [
        recording(value=lambda value: max(min(value, 2**53 - 1), 1 - 2**53)),
        recording(value=int),
        ignoring("record_metric", InvalidValue),
        recording(name=lambda name: name[:128]),
    ],
    "ERR-063": [
        *(not_found(name) for name in ("get_by_id", "get_group", "set_state", "merge")),
        ignoring("list_events", InvalidValue),
        ignoring("list_groups", InvalidValue),
        altering_fields("query_metric", "query", name=lambda name: name.replace("\0", "")),
        checking("set_state", group_first),
    ],
    "ERR-064": [
        checking("list_groups", limit_first),
        checking("list_events", limit_first),
        checking("query_metric", end_first),
        altering("top", n=lambda n: max(n, 1)),
    ],
    "ERR-065": [
        replacing("merge", source_gone_first),
        replacing("create", overwriting),
        recording(id=lambda each: each or "a", value=lambda value: value + 1),
    ],
    "ERR-066": [deaf()],
    "ERR-067": [racing("create")],
    "ERR-068": [clashing("create")],
    "ERR-069": [racing("create")],
    "ERR-070": [racing("create")],
    "ERR-071": [racing("set_state")],
    "ERR-072": [racing("create"), racing("merge")],
    "ERR-073": [racing("merge")],
    "ERR-074": [clashing("record_metric")],
}
