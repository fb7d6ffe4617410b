"""For the tests of the error laws: what those of archives must not let pass."""

from collections.abc import Callable
from datetime import UTC
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from storeproof.reference.errors.archives import (
    MAX_BYTES,
    Archive,
    Archived,
    ArchiveState,
    events_in,
    pack,
)
from storeproof.reference.errors.laws.given import NOW, TICK
from storeproof.reference.errors.orders import ARCHIVE_ORDER
from storeproof.reference.exceptions import Duplicate, InvalidValue, NotFound

from ..breaking import Mutant, limit_first, shorter, without_cursor
from .mutants import (
    altering,
    answering,
    checking,
    clashing,
    erring,
    following,
    ignoring,
    racing,
    replacing,
)
from .mutants_of_groups import always_with_cursor, reordered, reverse
from .mutants_of_values import LOCAL, as_utc

OF_ONE = ("get_archive", "archive_file", "restore_archive", "purge")


def entries(storage: Any, id: Any) -> list[Archived]:
    return events_in(storage._archives[id], storage._files[id])


def taking(wanted: Callable[[Any, Any], bool], key: Callable[[Any], Any]) -> Mutant:
    """Only events that are wanted are archived, and others than the oldest."""

    async def made(storage: Any, right: Any, before: Any, limit: int, **_: Any) -> Any:
        events = storage._events
        old = [each for each in events.values() if each.occurred_at < before]
        chosen = sorted((each for each in old if wanted(storage, each)), key=key)[:limit]
        storage._events = {each.id: each for each in chosen}
        result = await right()
        storage._events = {
            key: each for key, each in events.items() if key not in storage._archived
        }
        return result

    return replacing("archive", made)


def packing(change: Callable[[Archived], Archived]) -> Mutant:
    """The file has changed lines."""

    async def made(_storage: Any, right: Any, **_: Any) -> Any:
        with patch(
            "storeproof.reference.errors.memory_archives.pack",
            lambda entries: pack([change(each) for each in entries]),
        ):
            return await right()

    return replacing("archive", made)


def bounded(most: int) -> Mutant:
    async def made(_storage: Any, right: Any, **_: Any) -> Any:
        with patch("storeproof.reference.errors.archives.MAX_BYTES", most):
            return await right()

    return replacing("archive", made)


def eventless(storage: Any, result: Any, _before: Any, id: Any, before: Any, limit: int) -> None:
    if result is None:
        storage._archives[id] = Archive(
            id=id,
            before=before,
            limit=limit,
            count=0,
            first_seen=before,
            last_seen=before,
            digest="",
            size=0,
            state=ArchiveState.HELD,
        )


async def moving_more(storage: Any, id: Any, **_: Any) -> None:
    storage._archives.pop(id, None)


def kept(storage: Any, *_: Any, **__: Any) -> None:
    storage._events.update(storage._archived)


def uncounted(storage: Any, *_: Any, **__: Any) -> None:
    storage._counted = [each for each in storage._counted if each.id in storage._events]


def counted_again(storage: Any, _result: Any, _before: Any, id: Any) -> None:
    storage._counted += [each.event for each in entries(storage, id)]


def purged_uncounted(storage: Any, _result: Any, before: Any, id: Any) -> None:
    gone = {each.event.id for each in entries(before, id)}
    storage._counted = [each for each in storage._counted if each.id not in gone]


def groups_left(storage: Any, *_: Any, **__: Any) -> None:
    placed = {storage._group_of(each) for each in storage._events.values()}
    storage._groups = {key: each for key, each in storage._groups.items() if key in placed}


async def refused_if_archived(storage: Any, entity: Any) -> None:
    if entity.id in storage._archived:
        raise Duplicate("id")


async def forgotten(storage: Any, entity: Any) -> None:
    storage._archived.pop(entity.id, None)


def brought_back(storage: Any, _result: Any, _before: Any, entity: Any) -> None:
    if entity.id in storage._archived:
        storage._events[entity.id] = storage._archived[entity.id]


def answered_anew(storage: Any, result: Any, _before: Any, entity: Any) -> Any:
    if entity.id in storage._archived:
        return replace(result, created=False, regressed=False)
    return None


def comparing(*names: str) -> Mutant:
    """Compares only these fields with an archived event."""

    async def made(storage: Any, right: Any, entity: Any) -> Any:
        known = storage._archived.get(entity.id)
        same = known and all(getattr(known, name) == getattr(entity, name) for name in names)
        return await right(entity=known if same else entity)

    return replacing("create", made)


def restoring(**fields: Callable[[Any], Any]) -> Mutant:
    """Events come back with changed fields."""

    def act(storage: Any, _result: Any, _before: Any, id: Any) -> None:
        for entry in entries(storage, id):
            event = storage._events[entry.event.id]
            made = {name: change(getattr(event, name)) for name, change in fields.items()}
            storage._events[event.id] = replace(event, **made)

    return following("restore_archive", act)


def unmerged(storage: Any, *_: Any, **__: Any) -> None:
    storage._merged.clear()


def without_file(storage: Any, _result: Any, _before: Any, id: Any) -> None:
    storage._files[id] = b""


async def restoring_anyway(storage: Any, right: Any, id: Any) -> Any:
    result = await right()
    for entry in entries(storage, id):
        if entry.event.id in storage._archived:
            storage._events[entry.event.id] = storage._archived.pop(entry.event.id)
    return result


def was_never_restored(storage: Any, event: Any) -> bool:
    restored = [key for key, each in storage._archives.items() if each.state == "restored"]
    return all(event.id != each.event.id for key in restored for each in entries(storage, key))


async def doing_nothing(storage: Any, _right: Any, id: Any) -> None:
    await storage.get_archive(id)


def purging_all(storage: Any, *_: Any, **__: Any) -> None:
    storage._archives.clear()


def remembering(storage: Any, _result: Any, before: Any, id: Any) -> None:
    storage._archived.update(before._archived)


def dropping(storage: Any, _result: Any, before: Any, id: Any) -> None:
    for entry in entries(before, id):
        storage._events.pop(entry.event.id, None)


def forgetting(storage: Any, _result: Any, before: Any, id: Any) -> None:
    for entry in entries(before, id):
        storage._archived.pop(entry.event.id, None)


async def cursor_of_what_exists(storage: Any, cursor: Any, **_: Any) -> None:
    after = ARCHIVE_ORDER.position(cursor)
    if after and after[1] not in storage._archives:
        raise InvalidValue("cursor", "is not a cursor of this list")


MUTANTS: dict[str, list[Mutant]] = {
    "ERR-075": [following("archive", kept), altering("archive", limit=lambda _: 1)],
    "ERR-076": [
        altering("archive", before=lambda before: before + TICK),
        altering("archive", limit=lambda limit: limit + 1),
        taking(lambda *_: True, lambda event: event.id),
        taking(lambda *_: True, lambda event: (event.occurred_at, event.id.casefold())),
        taking(lambda _, event: event.fingerprint == "disk", lambda event: event.occurred_at),
    ],
    "ERR-077": [
        altering("archive", before=lambda before: before - TICK),
        altering("archive", limit=lambda limit: limit + 1),
        answering("archive", lambda made: made and replace(made, first_seen=made.last_seen)),
        answering("get_archive", lambda archive: replace(archive, size=archive.size + 1)),
        answering("archive_file", lambda file: file + b"\0"),
    ],
    "ERR-078": [
        packing(lambda entry: replace(entry, group=entry.event.fingerprint)),
        packing(lambda entry: replace(entry, event=replace(entry.event, stack=""))),
        packing(lambda entry: replace(entry, event=replace(entry.event, tags=()))),
        packing(
            lambda entry: replace(
                entry, event=replace(entry.event, occurred_at=NOW.replace(microsecond=0))
            )
        ),
    ],
    "ERR-079": [
        following("archive", eventless),
        altering("archive", before=lambda before: before + TICK),
    ],
    "ERR-080": [
        checking("archive", moving_more),
        ignoring("archive", Duplicate),
        following("restore_archive", purging_all),
    ],
    "ERR-081": [
        following("archive", uncounted),
        following("archive", groups_left),
        following("restore_archive", counted_again),
        following("purge", purged_uncounted),
    ],
    "ERR-082": [
        checking("create", refused_if_archived),
        checking("create", forgotten),
        following("create", brought_back),
        following("create", answered_anew),
    ],
    "ERR-083": [
        comparing("id"),
        comparing("fingerprint", "occurred_at", "message", "stack", "level", "grouping"),
        comparing("fingerprint", "message", "stack", "level", "grouping", "tags"),
        comparing("fingerprint", "occurred_at", "message", "level", "grouping", "tags"),
        checking("create", forgotten),
    ],
    "ERR-084": [following("archive", groups_left)],
    "ERR-085": [
        restoring(stack=lambda text: text[:65535]),
        restoring(message=lambda text: text.replace("\x01", "")),
        restoring(tags=lambda tags: tags[:99]),
        restoring(grouping=lambda version: int(float(version)) % 2**60),
        following("restore_archive", without_file),
        answering("restore_archive", lambda archive: replace(archive, state=ArchiveState.HELD)),
    ],
    "ERR-086": [
        following("restore_archive", unmerged),
        restoring(fingerprint=lambda _: "ram"),
    ],
    "ERR-087": [replacing("restore_archive", restoring_anyway)],
    "ERR-088": [
        taking(was_never_restored, lambda event: event.occurred_at),
        checking("create", forgotten),
    ],
    "ERR-089": [
        replacing("purge", doing_nothing),
        ignoring("purge", NotFound),
        following("purge", purging_all),
    ],
    "ERR-090": [following("purge", remembering), following("purge", purged_uncounted)],
    "ERR-091": [following("purge", dropping), following("purge", forgetting)],
    "ERR-092": [
        *(ignoring(operation, NotFound) for operation in OF_ONE),
        *(erring(operation, lambda error: NotFound("event", error.id)) for operation in OF_ONE),
    ],
    "ERR-093": [bounded(MAX_BYTES // 2), bounded(MAX_BYTES * 2)],
    "ERR-094": [
        answering("list_archives", reverse),
        answering("list_archives", reordered(lambda archive: archive.id)),
        answering("list_archives", reordered(lambda a: (a.first_seen, a.id.casefold()))),
        answering("list_archives", reordered(lambda a: (a.state == "restored", a.first_seen))),
    ],
    "ERR-095": [
        answering("list_archives", shorter),
        answering("list_archives", without_cursor),
        answering("list_archives", always_with_cursor),
        altering("list_archives", limit=lambda limit: min(limit + 1, 1000)),
        checking("list_archives", cursor_of_what_exists),
    ],
    "ERR-096": [
        altering("list_archives", limit=lambda limit: min(max(limit, 1), 1000)),
        ignoring("list_archives", InvalidValue),
        checking("list_archives", limit_first),
    ],
    "ERR-097": [
        altering("archive", before=as_utc),
        altering("archive", limit=lambda limit: min(max(limit, 1), 10_000)),
        altering("archive", limit=lambda limit: min(limit, 10_000)),
        altering("archive", id=lambda each: each[:255]),
        checking("archive", limit_first),
        *(ignoring(operation, InvalidValue) for operation in OF_ONE),
        *(erring(operation, lambda _: NotFound("archive", "")) for operation in OF_ONE),
    ],
    "ERR-098": [
        altering("archive", id=str.casefold),
        altering("archive", id=str.strip),
        answering("archive", lambda a: a and replace(a, before=a.before.astimezone(LOCAL))),
        answering("get_archive", lambda a: replace(a, before=a.before.replace(tzinfo=LOCAL))),
        altering("archive", before=lambda before: before.replace(tzinfo=UTC)),
    ],
    "ERR-099": [racing("archive")],
    "ERR-100": [clashing("archive")],
    "ERR-101": [racing("archive", "create")],
    "ERR-102": [racing("archive", "create"), clashing("create")],
    "ERR-103": [racing("restore_archive", "merge")],
    "ERR-104": [racing("archive", "merge")],
    "ERR-105": [racing("restore_archive", "purge")],
}
