"""For `upgrade` and `downgrade`, and for tools: the revisions of a folder, as one line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any
from warnings import catch_warnings

from alembic.script import Script, ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError

from storeproof.reference.database.revisions.exceptions import HistoryBroken, UnknownRevision

__all__ = ["History", "Revision"]


@dataclass(frozen=True)
class Revision:
    """One change of one component's tables."""

    number: int
    component: str
    loses: str | None
    """What a downgrade takes away, None if it keeps everything."""
    gradual: bool
    """Whether it takes several transactions; tried again, it goes on where it stopped."""
    rewrites: tuple[str, ...]
    """The `table.column`s in which it changes values; all others it keeps to the last bit."""
    summary: str
    """The first line of the module's docstring."""
    module: ModuleType

    @property
    def id(self) -> str:
        """The number as files and operators write it."""
        return f"{self.number:04}"


class History:
    """The revisions in a folder.

    What is read from it raises HistoryBroken where they are not one line, numbered from 1
    without gaps, each with `component`, `loses`, `upgrade` and `downgrade`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """All of them, the first one first."""
        return tuple(_revision(script, n) for n, script in enumerate(self._scripts(), start=1))

    @property
    def components(self) -> frozenset[str]:
        """The components that there is a revision of."""
        return frozenset(each.component for each in self.revisions)

    @property
    def last(self) -> int:
        """The number of the last revision, 0 where there is none."""
        return len(self.revisions)

    def versions(self, components: Iterable[str], at: int | None = None) -> dict[str, int]:
        """The version of each component's tables after revision `at`, or after the last one.

        Components that have no revision up to there are left out.
        """
        latest = {each.component: each.number for each in self._until(at)}
        return {name: latest[name] for name in components if name in latest}

    def ahead(self, versions: Mapping[str, int], to: int | None = None) -> Sequence[Revision]:
        """What leads from these versions to revision `to`, or to the last; in order.

        `versions` has the components that are to be upgraded, 0 for one without tables.
        """
        return [
            each
            for each in self._until(to)
            if each.number > versions.get(each.component, each.number)
        ]

    def behind(self, versions: Mapping[str, int], to: int) -> Sequence[Revision]:
        """What was made after revision `to` of the tables with these versions; latest first."""
        after = self.revisions[len(self._until(to)) :]
        return [each for each in reversed(after) if each.number <= versions.get(each.component, 0)]

    def _until(self, to: int | None) -> Sequence[Revision]:
        if to is None:
            return self.revisions
        if not 0 <= to <= self.last:
            raise UnknownRevision(to, self.last)
        return self.revisions[:to]

    def _scripts(self) -> Sequence[Script]:
        folder = str(self.folder)
        try:
            with catch_warnings(action="error"):  # Alembic only warns of a missing predecessor
                scripts = ScriptDirectory(folder, version_locations=[folder])
                heads = sorted(scripts.get_heads())
                line = list(scripts.walk_revisions())
        except (CommandError, RevisionError, KeyError, Warning) as error:
            raise HistoryBroken(str(error)) from error
        if len(heads) > 1:
            raise HistoryBroken(f"it has several ends, {', '.join(heads)}")
        return line[::-1]


def _revision(script: Script, number: int) -> Revision:
    module: Any = script.module
    if script.revision != f"{number:04}":
        raise HistoryBroken(f"revision {script.revision} stands where {number:04} belongs")
    for name in ("component", "loses", "upgrade", "downgrade"):
        if not hasattr(module, name):
            raise HistoryBroken(f"revision {script.revision} does not say {name!r}")
    return Revision(
        number=number,
        component=module.component,
        loses=module.loses,
        gradual=getattr(module, "gradual", False),
        rewrites=tuple(getattr(module, "rewrites", ())),
        summary=(module.__doc__ or "").partition("\n")[0],
        module=module,
    )
