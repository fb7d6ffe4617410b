"""For the tests of the error laws: what those of events, merges and lists must not let pass."""

import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from storeproof.reference.errors import (
    GroupFilter,
    GroupSort,
    GroupState,
    InMemoryErrorStorage,
    Status,
)
from storeproof.reference.errors.laws.given import NOW
from storeproof.reference.errors.orders import GROUP_ORDERS, sort_field
from storeproof.reference.exceptions import (
    Duplicate,
    InvalidValue,
    NotFound,
    VersionConflict,
)
from storeproof.reference.storage import Cursor

from ..breaking import Mutant, changed, shorter, without_cursor
from .mutants import (
    altering,
    altering_fields,
    answering,
    checking,
    erring,
    following,
    ignoring,
    replacing,
)


def regrouping(operation: str, **fields: Callable[[Any, Any, Any], Any]) -> Mutant:
    """The operation's group ends with fields `f(group, what it was before, entity)`."""

    def act(storage: Any, result: Any, before: Any, **given: Any) -> Any:
        group = getattr(result, "group", result)
        was = before._groups.get(group.id)
        entity = given.get("entity") or before._groups.get(given.get("source"))
        made = {name: f(group, was, entity) for name, f in fields.items()}
        storage._groups[group.id] = replace(group, **made)
        kept = storage._groups[group.id]
        return replace(result, group=kept) if group is not result else kept

    return following(operation, act)


def recounting(storage: Any, result: Any, before: Any, entity: Any) -> Any:
    """Counts an event that is there already."""
    if entity.id in before._events:
        group = replace(result.group, count=result.group.count + 1)
        storage._groups[group.id] = group
        return replace(result, group=group)
    return None


def forgetful(_storage: Any, result: Any, before: Any, entity: Any) -> Any:
    if entity.id in before._events:
        return replace(result, created=False, regressed=False)
    return None


async def overwriting(storage: Any, right: Any, entity: Any) -> Any:
    try:
        return await right()
    except Duplicate:
        storage._events[entity.id] = entity
        raise


def by(*names: str) -> Mutant:
    """Compares only these fields of an event that is there."""

    async def made(storage: Any, right: Any, entity: Any) -> Any:
        known = storage._events.get(entity.id)
        same = known and all(getattr(known, name) == getattr(entity, name) for name in names)
        return await right(entity=known if same else entity)

    return replacing("create", made)


async def equal_state_kept(storage: Any, right: Any, id: Any, state: Any, **_: Any) -> Any:
    group = storage._groups.get(id)
    return group if group and group.state == state else await right()


async def later_versions_too(
    storage: Any, right: Any, id: Any, expected_version: int, **_: Any
) -> Any:
    group = storage._groups.get(id)
    newer = group and expected_version > group.version
    return await right(expected_version=group.version if newer else expected_version)


async def strictly_after(storage: Any, right: Any, entity: Any) -> Any:
    group = storage._groups.get(entity.fingerprint)
    if group and group.state.at == entity.occurred_at:
        storage._groups[group.id] = replace(group, state=GroupState())
        await right()
        made = storage._groups[group.id]
        storage._groups[group.id] = replace(made, state=group.state)
    return await right()


async def whenever(storage: Any, right: Any, entity: Any) -> Any:
    group = storage._groups.get(entity.fingerprint)
    if group and group.state.at:
        state = replace(group.state, at=min(group.state.at, entity.occurred_at))
        storage._groups[group.id] = replace(group, state=state)
    return await right()


async def ending_for_ever(storage: Any, right: Any, entity: Any) -> Any:
    group = storage._groups.get(entity.fingerprint)
    if group and group.state.status is Status.IGNORED:
        state = replace(group.state, at=group.state.at or entity.occurred_at)
        storage._groups[group.id] = replace(group, state=state)
    return await right()


async def redirected(storage: Any, right: Any, id: Any) -> Any:
    return await right(id=storage._merged.get(id, id))


async def listing_redirected(storage: Any, right: Any, group: Any, **_: Any) -> Any:
    return await right(group=storage._merged.get(group, group))


def refingerprinted(storage: Any, _result: Any, _before: Any, source: Any, target: Any) -> None:
    for event in storage._events.values():
        if event.fingerprint == source:
            storage._events[event.id] = replace(event, fingerprint=target)


async def unmerged(storage: Any, **_: Any) -> None:
    storage._merged.clear()


def chain_broken(storage: Any, _result: Any, _before: Any, source: Any, **_: Any) -> None:
    storage._merged = {key: each for key, each in storage._merged.items() if each != source}


async def refused_after_merge(storage: Any, entity: Any) -> None:
    if entity.id in storage._events and entity.fingerprint in storage._merged:
        raise Duplicate("id")


class ByFingerprint(InMemoryErrorStorage):
    def _key(self, event: Any, by: Any) -> str:
        key: str = event.fingerprint if by == "group" else super()._key(event, by)
        return key


class WithoutMerged(InMemoryErrorStorage):
    def _between(self, *bounds: Any) -> Any:
        found = super()._between(*bounds)
        return [event for event in found if event.fingerprint not in self._merged]


async def target_first(storage: Any, target: Any, **_: Any) -> None:
    if target not in storage._groups:
        raise NotFound("group", target)


async def source_gone_first(storage: Any, right: Any, source: Any, target: Any) -> Any:
    if target not in storage._groups and source in storage._groups:
        del storage._groups[source]
        storage._events = {}
        raise NotFound("group", target)
    return await right()


def reordered(key: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda page: replace(page, items=tuple(sorted(page.items, key=key)))


def reverse(page: Any) -> Any:
    return replace(page, items=page.items[::-1])


async def matching(right: Any, filter: Any, match: Callable[[str, str], Any]) -> Any:
    page = await right(filter=replace(filter, message_contains=None))
    part = filter.message_contains or ""
    return replace(page, items=tuple(each for each in page.items if match(part, each.message)))


async def by_pattern(_storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    def match(part: str, text: str) -> Any:
        return re.search(re.escape(part).replace("%", ".*").replace("_", "."), text)

    return await matching(right, filter, match)


async def without_case(_storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    return await matching(right, filter, lambda part, text: part.lower() in text.lower())


async def of_all_groups(storage: Any, right: Any, **_: Any) -> Any:
    page = await right()
    events = sorted(storage._events.values(), key=lambda e: (e.occurred_at, e.id), reverse=True)
    return replace(page, items=tuple(events))


async def cursor_of_what_exists(storage: Any, sort: Any, cursor: Any, **_: Any) -> None:
    after = GROUP_ORDERS[sort].position(cursor)
    if after and after[1] not in storage._groups:
        raise InvalidValue("cursor", "is not a cursor of this list")


async def by_creation(_storage: Any, right: Any, sort: Any, **_: Any) -> Any:
    page = await right()
    if sort not in (GroupSort.LAST_SEEN, GroupSort.COUNT):
        return page
    return reordered(lambda group: (group.created_at, group.id))(page)


async def ties_ascending(_storage: Any, right: Any, sort: Any, **_: Any) -> Any:
    page = await right()
    by_id = sorted(page.items, key=lambda group: group.id)
    field = sort_field(sort)
    items = sorted(by_id, key=lambda group: getattr(group, field), reverse=True)
    return replace(page, items=tuple(items))


async def by_offset(storage: Any, right: Any, sort: Any, cursor: Any, limit: int, **_: Any) -> Any:
    """Goes on behind as many groups as were given, whichever they are by now."""
    if cursor is None:
        page = await right()
        storage.given = len(page.items)
        return page
    whole = await right(cursor=None, limit=1000)
    return replace(whole, items=whole.items[storage.given : storage.given + limit])


def always_with_cursor(page: Any) -> Any:
    return replace(page, next_cursor=page.next_cursor or Cursor("x")) if page.items else page


def lists(make: Callable[[str], Mutant]) -> list[Mutant]:
    return [make(operation) for operation in ("list_groups", "list_events")]


def filtering(**fields: Callable[[Any], Any]) -> Mutant:
    return altering("list_groups", filter=lambda wanted: changed(wanted, **fields))


MUTANTS: dict[str, list[Mutant]] = {
    "ERR-001": [
        altering_fields("create", "entity", stack=lambda _: ""),
        altering_fields("create", "entity", tags=lambda _: ()),
        altering_fields("create", "entity", grouping=lambda _: 1),
        answering("get_by_id", lambda event: replace(event, tags=event.tags[::-1])),
        answering("create", lambda made: replace(made, stack="")),
    ],
    "ERR-002": [erring("get_by_id", lambda error: NotFound("group", error.id))],
    "ERR-003": [
        regrouping("create", level=lambda *_: "error"),
        regrouping("create", version=lambda *_: 0),
        answering("create", lambda made: replace(made, created=False)),
        answering("get_group", lambda group: replace(group, regressed_by=group.created_by)),
    ],
    "ERR-004": [
        regrouping("create", message=lambda _g, _w, event: event.message),
        regrouping("create", level=lambda _g, _w, event: event.level),
        regrouping("create", count=lambda *_: 1),
        answering("create", lambda made: replace(made, created=True)),
    ],
    "ERR-005": [
        regrouping("create", last_seen=lambda _g, _w, event: event.occurred_at),
        regrouping("create", first_seen=lambda group, _w, _e: group.created_at),
        regrouping("create", created_at=lambda group, _w, _e: group.first_seen),
    ],
    "ERR-006": [following("create", recounting)],
    "ERR-007": [following("create", forgetful)],
    "ERR-008": [
        ignoring("create", Duplicate),
        replacing("create", overwriting),
        by("id"),
        by("fingerprint", "occurred_at", "message", "stack", "level", "grouping"),
        by("fingerprint", "message", "stack", "level", "grouping", "tags"),
        by("fingerprint", "occurred_at", "message", "level", "grouping", "tags"),
    ],
    "ERR-009": [ignoring("get_group", NotFound), ignoring("set_state", NotFound)],
    "ERR-010": [
        replacing("set_state", equal_state_kept),
        regrouping("set_state", version=lambda _g, was, _e: was.version),
        regrouping("set_state", last_seen=lambda group, _w, _e: group.state.at or NOW),
    ],
    "ERR-011": [
        ignoring("set_state", VersionConflict),
        replacing("set_state", later_versions_too),
        altering("set_state", expected_version=lambda version: max(version, 1)),
    ],
    "ERR-012": [
        replacing("create", strictly_after),
        regrouping("create", version=lambda _g, was, _e: was.version if was else 1),
        regrouping("create", regressed_by=lambda *_: None),
    ],
    "ERR-013": [replacing("create", whenever)],
    "ERR-014": [regrouping("create", state=lambda group, was, _e: (was or group).state)],
    "ERR-015": [
        replacing("create", ending_for_ever),
        altering_fields("set_state", "state", at=lambda _: None),
    ],
    "ERR-016": [
        altering_fields("set_state", "state", at=lambda at: at or NOW),
        altering("set_state", state=lambda state: state if state.at is None else GroupState()),
    ],
    "ERR-017": [
        regrouping("merge", count=lambda _g, was, _s: was.count),
        regrouping("merge", first_seen=lambda _g, was, _s: was.first_seen),
        regrouping("merge", last_seen=lambda _g, was, _s: was.last_seen),
        regrouping("merge", level=lambda _g, _w, source: source.level),
    ],
    "ERR-018": [
        regrouping("merge", first_seen=lambda _g, _w, source: source.first_seen),
        regrouping("merge", last_seen=lambda _g, _w, source: source.last_seen),
    ],
    "ERR-019": [
        replacing("get_group", redirected),
        replacing("list_events", listing_redirected),
        ignoring("merge", NotFound),
    ],
    "ERR-020": [following("merge", refingerprinted), answering("list_events", reverse)],
    "ERR-021": [checking("create", unmerged)],
    "ERR-022": [following("merge", chain_broken)],
    "ERR-023": [checking("create", refused_after_merge), following("create", recounting)],
    "ERR-024": [ByFingerprint, WithoutMerged],
    "ERR-025": [
        ignoring("merge", InvalidValue),
        checking("merge", target_first),
        replacing("merge", source_gone_first),
    ],
    "ERR-026": [
        regrouping("merge", version=lambda group, _w, _s: group.version + 1),
        regrouping("merge", state=lambda *_: GroupState()),
    ],
    "ERR-027": [
        answering("list_groups", reordered(lambda group: (group.created_at, group.id.casefold()))),
        answering("list_groups", reordered(lambda group: group.id)),
        altering("list_groups", sort=lambda _: GroupSort.OLDEST),
    ],
    "ERR-028": [
        regrouping("create", created_at=lambda group, _w, _e: group.last_seen),
        regrouping("create", created_at=lambda group, _w, _e: group.first_seen),
    ],
    "ERR-029": [
        filtering(status=lambda _: None),
        filtering(level=lambda _: None),
        filtering(message_contains=lambda _: None),
        altering("list_groups", filter=lambda f: GroupFilter() if f.level else f),
    ],
    "ERR-030": [replacing("list_groups", by_pattern), replacing("list_groups", without_case)],
    "ERR-031": [
        answering("list_events", reordered(lambda event: event.id)),
        answering("list_events", reverse),
        replacing("list_events", of_all_groups),
    ],
    "ERR-032": lists(lambda operation: answering(operation, shorter)),
    "ERR-033": [
        *lists(lambda operation: answering(operation, without_cursor)),
        *lists(lambda operation: answering(operation, always_with_cursor)),
        *lists(lambda operation: altering(operation, limit=lambda limit: min(limit + 1, 1000))),
    ],
    "ERR-034": lists(
        lambda operation: altering(operation, limit=lambda limit: min(max(limit, 1), 1000))
    ),
    "ERR-035": lists(lambda operation: ignoring(operation, InvalidValue)),
    "ERR-036": [checking("list_groups", cursor_of_what_exists)],
    "ERR-106": [
        replacing("list_groups", by_creation),
        replacing("list_groups", ties_ascending),
        altering("list_groups", sort=lambda sort: GroupSort.COUNT),
        altering("list_groups", sort=lambda sort: GroupSort.LAST_SEEN),
    ],
    "ERR-107": [replacing("list_groups", by_offset)],
}
