"""The check of planted faults has the verifier look for a fault in an archive, and in a storage."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.base import Store
from storeproof.harness.moving.faults import Content, Fault, plant, same_rows
from storeproof.harness.moving.moves import Moves
from storeproof.harness.moving.travelling import Step, filled, in_time, moves_of
from storeproof.harness.program import Program

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Planted", "planted"]


@dataclass
class Planted:
    """The faults that had a place in a program's content, and one that was not caught."""

    names: list[str] = field(default_factory=list)
    missed: str = ""
    told: str = ""
    """Why that one was not caught."""


async def planted(
    contract: Contract, store: Store, program: Program, faults: Sequence[Fault], chance: Random
) -> Planted:
    """Plant these faults, each by itself, in what a program leaves on the model.

    Each is planted in an archive whose content the store holds. Where an archive with the fault can
    be loaded, it is then in the store, and compared with the whole archive.
    """
    with tempfile.TemporaryDirectory(prefix="storeproof-") as folder:
        made = _Planting(contract, store, Path(folder), chance)
        try:
            await made.begin(program)
            return await made.run(faults)
        except Step as failed:
            return Planted(missed="no fault at all", told=str(failed))


class _Planting:
    def __init__(self, contract: Contract, store: Store, folder: Path, chance: Random) -> None:
        self._contract, self._store, self._chance = contract, store, chance
        self._moves: Moves = moves_of(contract)
        self._folder, self._whole = folder, folder / "whole"
        self._rows: Content = {}

    async def begin(self, program: Program) -> None:
        source = (await filled(self._contract, program)).storage
        await in_time("export", lambda: self._moves.export(source, self._whole))
        self._rows = self._moves.rows.read(self._whole)

    async def run(self, faults: Sequence[Fault]) -> Planted:
        found, storage = Planted(), await self._holding(self._whole)
        for number, fault in enumerate(faults):
            rows = plant(fault, self._rows, self._chance)
            if rows is None:
                continue
            found.names.append(fault.name)
            found.told = await self._missed(rows, self._folder / str(number), storage)
            if found.told:
                found.missed = fault.name
                break
            storage = await self._holding(self._whole)
        return found

    async def _missed(self, rows: Content, path: Path, storage: Any) -> str:
        """Say how a fault was not caught; nothing where it was."""
        self._copy(rows, path)
        try:
            if not await self._refuses(path, storage):
                return "an archive with it was taken for the same as what the storage held"
            if await self._is_stored(path, rows):
                return "it was loaded, and the storage taken for the same as the whole archive"
        except Step as failed:
            return f"{failed}, which is none of the declared refusals"
        return ""

    async def _holding(self, path: Path) -> Any:
        storage = await self._store.fresh()
        await in_time("load", lambda: self._moves.load(path, storage))
        return storage

    def _copy(self, rows: Content, path: Path) -> None:
        """Copy the archive, with other rows."""
        (shutil.copytree if self._whole.is_dir() else shutil.copyfile)(self._whole, path)
        changed = {name: each for name, each in rows.items() if each != self._rows[name]}
        self._moves.rows.write(path, changed)
        if self._moves.seal is not None:
            self._moves.seal(path)

    async def _refuses(self, path: Path, storage: Any) -> bool:
        verify = self._moves.verify
        assert verify is not None, "without it the check does not apply"
        return await self._is_refused("verify", lambda: verify(path, storage))

    async def _is_stored(self, path: Path, rows: Content) -> bool:
        """Whether the fault can be loaded, stays, and is then taken for the whole archive's."""
        storage = await self._store.fresh()
        if await self._is_refused("load", lambda: self._moves.load(path, storage)):
            return False
        again = path.with_name(f"{path.name}-again")
        await in_time("export", lambda: self._moves.export(storage, again))
        if not same_rows(self._moves.rows.read(again), rows):
            return False
        return not await self._refuses(self._whole, storage)

    async def _is_refused(self, name: str, step: Callable[[], Any]) -> bool:
        """Raises Step where it raises anything but what is declared."""
        try:
            await in_time(name, step)
        except Step as failed:
            if isinstance(failed.problem, self._moves.refusals):
                return True
            raise
        return False
