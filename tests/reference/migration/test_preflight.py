"""All rows of an archive that do not fit are told at once, before anything is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from storeproof.reference.archive import ArchiveEdited, ArchiveReordered, verify_archive
from storeproof.reference.archive.files import CHUNK
from storeproof.reference.migration import (
    ArchiveSource,
    DoesNotFit,
    Source,
    StoragesSource,
    migrate,
    plan,
)
from storeproof.reference.selection import CONTENTS, Storages

from ..archive.examples import NOW, export, fill, opened, run
from ..archive.faults import FAULTS, Change, in_row, plant
from ..auth.examples import user

TAKEN = "is another row's too"
MISSING = "names a row that is not there"


def all_of(*changes: Change) -> Change:
    def change(lines: list[bytes]) -> list[bytes]:
        for each in changes:
            lines = each(lines)
        return lines

    return change


PLANTED: Final[dict[str, Change]] = {
    "auth.users": all_of(
        in_row(1, '"failures":1', '"failures":-1'),
        in_row(2, "x@example.org", "ANN@Example.org"),
        in_row(3, '"email":"', '"email":"\\u0000'),
    ),
    "auth.roles": in_row(0, '"parents":["reader"]', '"parents":["nobody"]'),
    "auth.grants": all_of(
        in_row(0, '"user":"ann"', '"user":"amy"'),
        in_row(1, '"scope":"team/a"', '"scope":"team/a","more":1'),
    ),
    "auth.sessions": in_row(1, '"digest":"' + "2" * 64, '"digest":"' + "3" * 64),
    "auth.audit": lambda lines: [lines[0], *lines, b"{"],
    "costs.charges": in_row(0, '"0.123456789"', '"0.1234567891"'),
    "costs.corrections": in_row(0, '"charge":"c1"', '"charge":"cx"'),
    "costs.held": in_row(0, '"amount":"', '"amount":"1000000000000000000'),
    "errors.merges": in_row(1, '"id":"g1"', '"id":"g2"'),
    "providers.providers": in_row(1, '"revision":', '"revision":"x","revision":'),
}
"""A change of a collection's lines; each line that is changed has one thing wrong."""

FOUND: Final = [
    ("auth.users", 2, ("bob",), "failures", f"must be from 0 to {2**62}"),
    ("auth.users", 3, ("\uffff",), "email", TAKEN),
    ("auth.users", 4, ("\U0001f600",), "email", "must not contain NUL"),
    ("auth.roles", 1, ("admin",), "parents", MISSING),
    ("auth.grants", 1, ("amy", "admin", ""), "user", MISSING),
    ("auth.grants", 2, ("bob", "admin", "team/a"), "more", "is not a field"),
    ("auth.sessions", 2, ("2",), "digest", TAKEN),
    ("auth.audit", 2, ("a1",), "id", TAKEN),
    ("auth.audit", 4, (), "", "is not JSON"),
    ("costs.charges", 1, ("c1",), "amount", "must have at most 9 decimals"),
]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    async def work() -> None:
        async with opened(None) as memory:
            await fill(memory)
            await export(memory, tmp_path / "archive")

    run(work())
    return tmp_path / "archive"


@pytest.fixture
def spoiled(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for collection, change in PLANTED.items():
        monkeypatch.setitem(FAULTS, "planted", (collection, change))
        plant(archive, "planted", hidden=True)
    return archive


def moving(source: Source, url: str, folder: Path) -> Any:
    async def work() -> Any:
        async with opened(url) as target:
            return await migrate(source, target, folder, id="m", actor="x", clock=lambda: NOW)

    return run(work())


def test_show(spoiled: Path, sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit) as caught:
        moving(ArchiveSource(spoiled), sqlite_url, tmp_path)
    for each in caught.value.problems:
        print(each)
    assert 0
