"""For imports: rows that name rows which are not there."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import sqlalchemy as sa

from storeproof.reference.archive.exceptions import Orphan
from storeproof.reference.collections import Collection, Content, Key, Reference
from storeproof.reference.database import Bulk
from storeproof.reference.database.columns import members

__all__ = ["check_in_database", "check_in_memory"]


def check_in_memory(
    collection: Collection[Any], items: Sequence[Any], known: Mapping[str, Set[Key]]
) -> None:
    """Raises Orphan for the first item that names what is not in `known`, by collection."""
    for reference in collection.references:
        for item in items:
            for key in reference.named_by(item):
                if not any(key in known[name] for name in reference.to):
                    raise Orphan(collection.name, key, reference.to)


async def check_in_database(
    bulk: Bulk, contents: Sequence[Content], loaded: Set[str] | None = None
) -> None:
    """Raises Orphan for a row that names what is not there, of these collections (None: of all)."""
    collections = {each.name: each for content in contents for each in content.collections}
    for collection in collections.values():
        if loaded is not None and collection.name not in loaded:
            continue
        for reference in collection.references:
            rows = await bulk.run(_orphans(collection, reference, collections), {})
            for row in rows:
                raise Orphan(collection.name, tuple(row), reference.to)


def _orphans(
    collection: Collection[Any],
    reference: Reference,
    collections: Mapping[str, Collection[Any]],
) -> sa.Select[Any]:
    source = _rows(collection, "source")
    names = [source.c[_column(field)] for field in reference.fields]
    found = sa.select(*names)
    if reference.each:
        each = members(names[0])
        names = [each.c.value]
        found = sa.select(each.c.value).select_from(source.join(each, sa.true()))
    for target in reference.to:
        found = found.where(~_there(collections[target], names))
    return found.where(*(name.is_not(None) for name in names)).limit(1)


def _there(target: Collection[Any], names: Sequence[sa.ColumnElement[Any]]) -> sa.Exists:
    rows = _rows(target, f"target_{target.kept.table.name}")
    key = (rows.c[_column(field)] for field in target.key)
    same = (part == name for part, name in zip(key, names, strict=True))
    return sa.exists().select_from(rows).where(*same)


def _rows(collection: Collection[Any], name: str) -> sa.Subquery:
    return collection.kept.unordered.subquery(name)


def _column(field: str) -> str:
    return field.rpartition(".")[2]
