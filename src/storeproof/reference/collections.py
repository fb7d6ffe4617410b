"""For authors of components: the collections that a component's content consists of.

A component's module of that name says, in one `Content`, which collections there are, how its
storage in memory gives and takes their rows, and where a database keeps them. A row is frozen
and canonical, and so the same whichever storage it came from. What follows from other rows
alone (a rollup of what is still there, a folded address) is in no collection: it is made
again. What nothing else tells any more is in one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import starmap, tee
from operator import add, attrgetter, itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
import sqlalchemy as sa

from storeproof.reference.database.compiling import Row, Statement
from storeproof.reference.database.entities import columns, entity
from storeproof.reference.database.schema import Schema
from storeproof.reference.rules import Rule, all_kept

__all__ = [
    "Collection",
    "Content",
    "Kept",
    "Key",
    "Reference",
    "by_id",
    "getter",
    "kept_in",
    "rows_of",
]

Item = TypeVar("Item", bound=msgspec.Struct)
Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Kept(Generic[Item]):
    """How a database keeps a collection.

    `select` gives its rows in the order of its key, of which `make` makes items. `twins`, where
    that is faster, makes of many rows what has the same JSON as their items. `rows` makes of
    items in that order the rows of `table`, a value for each of its columns. `after` is run
    once all collections of the component are loaded.
    """

    table: sa.Table
    select: sa.Select[Any]
    make: Callable[[Row], Item]
    rows: Callable[[Iterator[Item]], Iterator[Row]]
    after: tuple[Statement, ...] = ()
    twins: Callable[[Iterable[Row]], Iterator[Any]] | None = None

    @cached_property
    def unordered(self) -> sa.Select[Any]:
        """`select` without an order."""
        return self.select.order_by(None)

    def written(self, rows: Iterable[Row]) -> list[Any]:
        """What has the same JSON as the items of these rows.

        A row of which no item can be made is an object of its columns, which is no item's.
        """
        return list(map(self._made, rows) if self.twins is None else self.twins(rows))

    def _made(self, row: Row) -> Any:
        try:
            return self.make(row)
        except Exception:  # whatever another program wrote may make of it
            return dict(zip(self.select.selected_columns.keys(), row, strict=True))


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What `fields` name must be the key of an item in one of the collections `to`.

    None names nothing. With `each`, the one field holds a set of names.
    """

    fields: tuple[str, ...]
    to: tuple[str, ...]
    each: bool = False

    def named_by(self, item: msgspec.Struct) -> Iterator[Key]:
        """The keys of the items that are named."""
        key = getter(self.fields)(item)
        if self.each:
            yield from ((name,) for name in sorted(key[0]))
        elif None not in key:
            yield key


@dataclass(frozen=True, eq=False, kw_only=True)
class Collection(Generic[Item]):
    """Rows of one kind, `item`, which the fields of `key` order and tell apart.

    `canonical` gives the form in which storages keep an item, or raises InvalidValue. `give`
    gives the items of a storage in memory, in any order; `take` puts items into an empty one.
    No two items have the same of anything that `unique` makes of them, None apart; its names
    are what an error says. Where `rules` are given, an item whose fields they all keep is
    canonical. `batch` is how many are held at once.
    """

    name: str
    item: type[Item]
    key: tuple[str, ...]
    canonical: Callable[[Item], Item]
    give: Callable[[Any], Iterable[Item]]
    take: Callable[[Any, Iterable[Item]], None]
    kept: Kept[Item]
    unique: Mapping[str, Callable[[Item], Any]] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    secret: frozenset[str] = frozenset()
    rules: Mapping[str, Rule] | None = None
    batch: int = 3000

    @cached_property
    def key_of(self) -> Callable[[Item], Key]:
        """Gives what an item is ordered by and told apart by."""
        return getter(self.key)

    def keys_of(self, items: Sequence[Item]) -> list[Key]:
        """What each of these items is ordered by and told apart by."""
        return list(zip(*(map(attrgetter(name), items) for name in self.key), strict=True))

    def all_canonical(self, items: list[Item]) -> list[Item]:
        """The items in their canonical form. Raises InvalidValue."""
        if self.rules is not None and all_kept(self.rules, items):
            return items
        return list(map(self.canonical, items))


@dataclass(frozen=True, eq=False, kw_only=True)
class Content:
    """All that the storage of a component holds: its collections, in the order of loading."""

    schema: Schema
    collections: tuple[Collection[Any], ...]
    rebuild: tuple[Statement, ...] = ()
    """Makes what follows from the collections, once they are loaded into empty tables."""

    @property
    def component(self) -> str:
        """The name of the component."""
        return self.schema.component


def kept_in(
    table: sa.Table,
    kind: type[Item],
    key: tuple[str, ...],
    *,
    derived: Mapping[str, tuple[str, Callable[[Any], Any]]] | None = None,
    values: Callable[[Item], Mapping[str, Any]] | None = None,
    after: tuple[Statement, ...] = (),
) -> Kept[Item]:
    """A table among whose columns are the fields of an entity.

    Where these are not all of them: `derived` says of which field, and how, the values of the
    last columns are made, in their order, or `values` gives those of all, by the columns' keys.
    """
    return Kept(
        table=table,
        select=sa.select(*columns(table, kind)).order_by(*(table.c[name] for name in key)),
        make=partial(entity, kind),
        twins=partial(starmap, _twin(kind)),
        rows=_rows_with(table, derived or {}) if values is None else rows_of(table, values),
        after=after,
    )


def _twin(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Has the fields of an entity, and so its JSON, but takes their values by position."""
    fields = [(name, Any) for name in kind.__struct_fields__]
    return msgspec.defstruct(kind.__name__, fields, gc=False)  # nothing in it could lead back to it


def _rows_with(
    table: sa.Table, derived: Mapping[str, tuple[str, Callable[[Any], Any]]]
) -> Callable[[Iterator[Item]], Iterator[Row]]:
    get = getter(tuple(table.c.keys())[: -len(derived) or None])
    if not derived:
        return partial(map, get)

    def rows(items: Iterator[Item]) -> Iterator[Row]:
        own, *others = tee(items, 1 + len(derived))
        made = [
            map(make, map(attrgetter(name), each))
            for (name, make), each in zip(derived.values(), others, strict=True)
        ]
        return map(add, map(get, own), zip(*made, strict=True))

    return rows


def getter(fields: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Gives these fields of an item."""
    get = attrgetter(*fields)
    return get if len(fields) > 1 else lambda item: (get(item),)


def rows_of(
    table: sa.Table, values: Callable[[Item], Mapping[str, Any]]
) -> Callable[[Iterator[Item]], Iterator[Row]]:
    """Makes the rows of a table of items, whose `values` have those of all its columns."""
    pick = itemgetter(*table.c.keys())
    return lambda items: (pick(values(item)) for item in items)


def by_id(items: Iterable[Any]) -> dict[Any, Any]:
    """Give items under their ids, as storages in memory keep them."""
    return {each.id: each for each in items}
