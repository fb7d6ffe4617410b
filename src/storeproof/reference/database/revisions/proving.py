"""For suites: what a history of revisions must do, on empty databases and on populated ones.

    proof = Proof(HISTORY, SCHEMAS)

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_schema(check, empty_database):
        asyncio.run(check(proof, empty_database))

Each check raises SchemaBroken. It is given the URL of an empty database, and leaves there
what it made.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any, TypeAlias

import sqlalchemy as sa

from storeproof.reference.database.revisions.catalogue import (
    Catalogue,
    differences,
    read_catalogue,
)
from storeproof.reference.database.revisions.connecting import run
from storeproof.reference.database.revisions.exceptions import SchemaError
from storeproof.reference.database.revisions.history import History, Revision
from storeproof.reference.database.revisions.models import mismatches
from storeproof.reference.database.revisions.moving import downgrade, upgrade
from storeproof.reference.database.revisions.rows import Values, changes, fill_tables, read_rows
from storeproof.reference.database.schema import VERSION_TABLE, Schema

__all__ = [
    "CHECKS",
    "Check",
    "Proof",
    "SchemaBroken",
    "components_stand_alone",
    "gradual_revisions_go_on",
    "history_is_one_line",
    "models_are_the_tables",
    "revisions_return",
    "rows_survive",
]

ROWS = 6
"""How many rows each table gets before a revision, and again after it."""


class SchemaBroken(SchemaError):
    """A history does not do what it must; `findings` are sentences."""

    def __init__(self, check: str, findings: Sequence[str]) -> None:
        super().__init__(check, tuple(findings))
        self.check = check
        self.findings = tuple(findings)

    def __str__(self) -> str:
        return f"{self.check}:\n" + "\n".join(f"- {each}" for each in self.findings)


@dataclass(frozen=True)
class Proof:
    """A history, the tables that the code uses after it, and values that types don't tell."""

    history: History
    schemas: Sequence[Schema]
    values: Values = field(default_factory=dict)


Check: TypeAlias = Callable[[Proof, str], Awaitable[None]]


async def history_is_one_line(proof: Proof, url: str) -> None:
    """The revisions have one end, no gaps and all attributes; the code needs the last ones."""
    wanted = {each.component: each.version for each in proof.schemas}
    _require("the code's versions", _unequal(proof.history.versions(wanted), wanted))
    missing = sorted(proof.history.components - wanted.keys())
    _require("the history's components", [f"{each} has no tables in the code" for each in missing])


async def models_are_the_tables(proof: Proof, url: str) -> None:
    """What all revisions make is what the code's tables make, to the last default."""
    await _make(proof, url)
    _require("all revisions together", await _mismatches(url, proof.schemas))
    known = {name for each in proof.schemas for name in each.tables.tables}
    more = {name.partition(" ")[0] for name in await _catalogue(url)} - known
    _require("all revisions together", [f"{each} is no table of the code" for each in sorted(more)])


async def components_stand_alone(proof: Proof, url: str) -> None:
    """A database that holds one component alone goes up and down as one that holds all."""
    for schema in proof.schemas:
        await upgrade(url, proof.history, components=[schema.component])
        _require(f"{schema.component} alone", await _mismatches(url, [schema]))
        await downgrade(url, proof.history, to=0, accept_loss=True)
        _require(f"{schema.component} alone, undone", differences({}, await _catalogue(url)))


async def revisions_return(proof: Proof, url: str) -> None:
    """Undone, a revision leaves what was there before it; made again, what it made before."""
    for revision in proof.history.revisions:
        before = await _catalogue(url)
        await _make(proof, url, revision)
        after = await _catalogue(url)
        await _undo(proof, url, revision)
        _require(f"{revision.id} undone", differences(before, await _catalogue(url)))
        await _make(proof, url, revision)
        _require(f"{revision.id} made again", differences(after, await _catalogue(url)))


async def rows_survive(proof: Proof, url: str) -> None:
    """No revision changes a row, neither made nor undone nor made again, to the last bit.

    Excepted are the columns that it `rewrites`, and what an undone one says that it `loses`.
    """
    number = 0
    for revision in proof.history.revisions:
        await _fill(proof, url, number)
        before = await run(url, read_rows)
        await _make(proof, url, revision)
        made = await run(url, read_rows)
        _require(f"{revision.id} made", changes(before, made, revision.rewrites, exact=False))
        await _undo(proof, url, revision)
        if revision.loses is None:
            _require(f"{revision.id} undone", changes(before, await run(url, read_rows)))
        await _make(proof, url, revision)
        await _fill(proof, url, number + ROWS)
        await _undo_and_repeat(proof, url, revision)
        number += 2 * ROWS
    await _empty_and_repeat(proof, url)


async def gradual_revisions_go_on(proof: Proof, url: str) -> None:
    """A gradual revision that was interrupted before its end is recorded can be run again."""
    twice = _Twice(proof.history.folder)
    for number, revision in enumerate(proof.history.revisions):
        await _fill(proof, url, number * ROWS)
        before = await _catalogue(url)
        await _make(proof, url, revision)
        after = await _catalogue(url)
        if revision.gradual:
            await downgrade(url, twice, to=revision.number - 1, accept_loss=True)
            _require(f"{revision.id} undone twice", differences(before, await _catalogue(url)))
            await _make(replace(proof, history=twice), url, revision)
            _require(f"{revision.id} made twice", differences(after, await _catalogue(url)))


CHECKS: tuple[Check, ...] = (
    history_is_one_line,
    models_are_the_tables,
    components_stand_alone,
    revisions_return,
    rows_survive,
    gradual_revisions_go_on,
)


class _Twice(History):
    """A history whose gradual revisions do all that they do twice."""

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        once = History(self.folder).revisions
        return tuple(_twice(each) if each.gradual else each for each in once)


def _twice(revision: Revision) -> Revision:
    def doubled(change: Callable[[], None]) -> Callable[[], None]:
        def both() -> None:
            change()
            change()

        return both

    module: Any = SimpleNamespace(
        upgrade=doubled(revision.module.upgrade), downgrade=doubled(revision.module.downgrade)
    )
    return replace(revision, module=module)


async def _mismatches(url: str, schemas: Sequence[Schema]) -> list[str]:
    return await run(url, lambda connection: mismatches(connection, schemas))


async def _make(proof: Proof, url: str, revision: Revision | None = None) -> None:
    to = None if revision is None else revision.number
    await upgrade(url, proof.history, to=to, components=proof.history.components)


async def _undo(proof: Proof, url: str, revision: Revision) -> None:
    await downgrade(url, proof.history, to=revision.number - 1, accept_loss=True)


async def _undo_and_repeat(proof: Proof, url: str, revision: Revision) -> None:
    filled = await run(url, read_rows)
    await _undo(proof, url, revision)
    await _make(proof, url, revision)
    if revision.loses is None:
        found = await run(url, read_rows)
        _require(f"{revision.id} undone and made again", changes(filled, found))


async def _empty_and_repeat(proof: Proof, url: str) -> None:
    full = await _catalogue(url)
    await downgrade(url, proof.history, to=0, accept_loss=True)
    _require("all revisions undone", differences({}, await _catalogue(url)))
    await _make(proof, url)
    _require("all revisions made again", differences(full, await _catalogue(url)))


async def _fill(proof: Proof, url: str, first: int) -> None:
    def work(connection: sa.Connection) -> None:
        fill_tables(connection, first, ROWS, proof.values)

    await run(url, work, create=True)


async def _catalogue(url: str) -> Catalogue:
    found = await run(url, read_catalogue, create=True)
    return {name: text for name, text in found.items() if not name.startswith(VERSION_TABLE)}


def _require(where: str, findings: Sequence[str]) -> None:
    if findings:
        raise SchemaBroken(where, findings)


def _unequal(found: Any, wanted: Any) -> list[str]:
    return [] if found == wanted else [f"the history ends with {found}, the code needs {wanted}"]
