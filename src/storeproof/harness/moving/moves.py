"""A contract whose content can be moved says how in its `Moves`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storeproof.harness.moving.rows import JsonLines, Rows

__all__ = ["Content", "Moves", "NotTheSame", "awaited"]

Content = Mapping[str, Sequence[Any]]
"""Collection -> its rows."""


class NotTheSame(Exception):
    """A storage does not hold what an archive does; raised where storeproof compares the two."""

    def __init__(self, collection: str, problem: str) -> None:
        self.collection, self.problem = collection, problem
        super().__init__(f"{collection}: {problem}")


@dataclass(frozen=True, kw_only=True)
class Moves:
    """How a contract's content leaves a storage, and gets into another one, by an archive.

    Functions may be async or not. A path is that of a file or a folder, whichever the archive is.

    export: `export(storage, path)` writes an archive, where there is nothing yet, of one moment.
    load: `load(path, storage)` puts it into a storage: all of it, or it raises and nothing.
    verify: `verify(path, storage)` raises one of `refusals` unless the archive is whole and the
        storage holds exactly what is in it. Without it, nothing is said of planted faults.
    refusals: what `load` and `verify` raise by design; anything else that they raise is a defect.
    replaces: whether `load` puts the content in the place of what the storage holds; otherwise it
        is only asked to fill an empty one.
    rows: how the rows of an archive are read and written, to plant faults among them; by default
        those of its files of JSON lines.
    seal: `seal(path)` makes an archive whole again whose rows were changed (its sums, say), so that
        faults are planted that no sum shows.
    """

    export: Callable[[Any, Path], Any]
    load: Callable[[Path, Any], Any]
    verify: Callable[[Path, Any], Any] | None = None
    refusals: tuple[type[Exception], ...] = (Exception,)
    replaces: bool = False
    rows: Rows = field(default_factory=JsonLines)
    seal: Callable[[Path], Any] | None = None

    @classmethod
    def of_snapshots(
        cls,
        take: Callable[[Any], Any],
        put: Callable[[Any, Content], Any],
        *,
        refusals: tuple[type[Exception], ...] = (Exception,),
        replaces: bool = False,
    ) -> Moves:
        """Derive the rest for storages that give and take all that they hold.

        take: `take(storage)` gives collection -> rows, of one moment. put: `put(storage, content)`
        stores the same, all or nothing. Either may be async. Rows are whatever programs may hold:
        entities, mappings, plain values.
        """
        from storeproof.harness.moving.snapshots import Snapshots

        made = Snapshots(take, put)
        return cls(
            export=made.export,
            load=made.load,
            verify=made.verify,
            refusals=(*refusals, NotTheSame),
            replaces=replaces,
        )


async def awaited(value: Any) -> Any:
    """Give a value, or what it gives once it is awaited."""
    return await value if inspect.isawaitable(value) else value
