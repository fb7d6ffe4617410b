"""All rows of an archive that do not fit are told at once, before anything is written."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from storeproof.reference.archive import ArchiveReordered, ArchiveTruncated, import_archive
from storeproof.reference.migration import (
    ArchiveSource,
    DoesNotFit,
    Problem,
    Problems,
    Rejected,
    Source,
    StoragesSource,
    entries,
    exceptions,
    migrate,
    plan,
)
from storeproof.reference.selection import Storages

from ..archive.examples import NOW, export, fill, opened, run
from ..archive.faults import FAULTS, Change, in_row, plant

LARGEST = "9223372036.854775807"
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
    ("costs.corrections", 1, ("k1",), "charge", MISSING),
    ("costs.held", 1, ("r1", "b1"), "amount", f"must be from -{LARGEST} to {LARGEST}"),
    ("errors.merges", 2, ("g2",), "id", TAKEN),
    ("errors.events", 2, ("e05",), "fingerprint", MISSING),
    ("errors.events", 6, ("e09",), "fingerprint", MISSING),
    ("providers.providers", 2, ("gone",), "", "Expected `int`, got `str` - at `$.revision`"),
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


def told(error: DoesNotFit) -> list[tuple[str, int, tuple[str, ...], str, str]]:
    return [(p.what, p.number, p.key, p.field, p.reason) for p in error.problems]


def test_all_rows_that_do_not_fit_are_told_at_once(spoiled: Path, url: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(url) as target:
            for moves in (plan_of, moved):
                with pytest.raises(DoesNotFit) as caught:
                    await moves(ArchiveSource(spoiled), target, tmp_path)
                assert told(caught.value) == FOUND
            manifest = await export(target, tmp_path / "after")
            assert {part.count for part in manifest.parts} == {0}
            assert target.database is not None
            assert await entries(target.database) == []

    run(work())
    assert not (tmp_path / "m-source").exists()


async def plan_of(source: Source, target: Storages, _folder: Path) -> None:
    await plan(source, target, clock=lambda: NOW)


async def moved(source: Source, target: Storages, folder: Path) -> None:
    await migrate(source, target, folder, id="m", actor="x", clock=lambda: NOW)


def test_an_archive_that_fits_has_no_problems(
    archive: Path, sqlite_url: str, tmp_path: Path
) -> None:
    source = ArchiveSource(archive, rejects=tmp_path / "rejects")
    moving(source, sqlite_url, tmp_path)
    assert source.rejected == Rejected()
    assert not (tmp_path / "rejects").exists()


def test_rows_are_written_apart_with_those_that_name_them(
    archive: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {
        "auth.users": in_row(1, '"failures":1', '"failures":-1'),
        "costs.budgets": in_row(0, '"id":"b1"', '"id":"b1","more":1'),
        "auth.audit": lambda lines: [*lines, b"{"],
    }
    for collection, change in changes.items():
        monkeypatch.setitem(FAULTS, "planted", (collection, change))
        plant(archive, "planted", hidden=True)
    source = ArchiveSource(archive, rejects=tmp_path / "rejects")
    entry = moving(source, url, tmp_path)
    assert source.rejected.unfit == {"auth.users": 1, "auth.audit": 1, "costs.budgets": 1}
    dependent = source.rejected.dependent
    assert dependent["auth.grants"] == 1
    # An alert names its budget, and a delivery its alert.
    assert min(dependent[f"costs.{each}"] for each in ("alerts", "deliveries", "held")) > 0
    assert sum(entry.rows.values()) == rows_in(archive) - len(rejected(tmp_path))
    assert sum(dependent.values()) + 3 == len(rejected(tmp_path))
    bob = next(each for each in rejected(tmp_path) if each["collection"] == "auth.users")
    assert (bob["number"], bob["row"]["id"]) == (2, "bob")
    assert bob["problems"] == [{"field": "failures", "reason": FOUND[0][4]}]
    assert [each["row"] for each in rejected(tmp_path) if each["collection"] == "auth.audit"] == [
        "{"
    ]
    assert (tmp_path / "rejects").stat().st_mode & 0o077 == 0


def rejected(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "rejects").read_text("utf-8").splitlines()]


def rows_in(archive: Path) -> int:
    return sum(len(each.read_bytes().splitlines()) for each in archive.glob("*.ndjson"))


BROKEN: Final = {
    "UPDATE auth_users SET failures = -1 WHERE id = 'bob'": FOUND[0],
    "UPDATE auth_users SET created_at = 'x' WHERE id = 'ann'": (
        "auth.users",
        1,
        ("ann",),
        "",
        "Invalid RFC3339 encoded datetime - at `$.created_at`",
    ),
    "UPDATE auth_users SET display_name = 'a' || char(0) WHERE id = '\uffff'": (
        "auth.users",
        3,
        ("\uffff",),
        "display_name",
        "must not contain NUL",
    ),
    "UPDATE auth_grants SET user_id = 'amy' WHERE user_id = 'ann'": FOUND[4],
    "UPDATE cost_budgets SET \"window\" = 'x' WHERE id = 'b1'": (
        "costs.budgets",
        1,
        ("b1",),
        "",
        "Invalid enum value 'x' - at `$.budget.window`",
    ),
}


def test_what_other_programs_wrote_into_a_database_is_told(
    archive: Path, tmp_path: Path, sqlite_url: str
) -> None:
    path = tmp_path / "source.db"

    async def work() -> None:
        async with opened(f"sqlite:///{path}") as source:
            await import_archive(archive, source)
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in BROKEN:
                assert connection.execute(statement).rowcount == 1
        async with opened(f"sqlite:///{path}") as source, opened(sqlite_url) as target:
            with pytest.raises(DoesNotFit) as caught:
                await moved(StoragesSource(source, "source"), target, tmp_path)
        assert sorted(told(caught.value)) == sorted(BROKEN.values())

    run(work())


def test_an_archive_that_is_damaged_is_refused_as_such(
    archive: Path, sqlite_url: str, tmp_path: Path
) -> None:
    plant(archive, "two rows exchanged", hidden=True)
    with pytest.raises(ArchiveReordered):
        moving(ArchiveSource(archive), sqlite_url, tmp_path)
    (archive / "auth.audit.ndjson").write_bytes(b"")
    with pytest.raises(ArchiveTruncated):
        moving(ArchiveSource(archive), sqlite_url, tmp_path)


def test_problems_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exceptions, "MOST", 3)
    problems = Problems()
    for number in range(5):
        for field in ("a", "b"):
            problems.add(Problem(what="x", number=number, field=field, reason="is wrong"))
    assert (len(problems), problems.rows) == (10, 5)
    assert [each.number for each in problems] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    text = str(DoesNotFit(problems))
    assert text.splitlines()[0] == "5 rows do not fit. Nothing was written:"
    assert text.splitlines()[-1] == "  and 7 more"
