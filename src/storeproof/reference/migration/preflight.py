"""For migrations: every row of an archive that does not fit, found before anything is written.

What is wrong with a row by itself is found where it is read. Keys, the names of other rows and
values that must be one's own go into a database in a temporary file, which sorts them there. So
however many rows there are, a mebibyte of their lines and that database's cache are held.
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Final

import msgspec

from storeproof.reference.archive.exporting import Progress, staged
from storeproof.reference.archive.lines import line_of, lines_in
from storeproof.reference.archive.reading import Read, StoredArchive, key_in
from storeproof.reference.collections import Collection, Content, Key, Reference
from storeproof.reference.migration.exceptions import DoesNotFit
from storeproof.reference.migration.problems import Problem, Problems
from storeproof.reference.migration.rewriting import private_file, rewrite

__all__ = ["Rejected", "fitting"]

TAKEN: Final = "is another row's too"
MISSING: Final = "names a row that is not there"
DEPENDENT: Final = "names a row that does not fit"
_TABLES: Final = """
CREATE TABLE problems (
    collection INTEGER, line INTEGER, field TEXT, reason TEXT,
    PRIMARY KEY (collection, line, field, reason)
) WITHOUT ROWID;
CREATE TABLE keys (collection INTEGER, line INTEGER, key BLOB);
CREATE TABLE own (space TEXT, field TEXT, value BLOB, collection INTEGER, line INTEGER);
CREATE TABLE names (collection INTEGER, line INTEGER, field TEXT, key BLOB);
CREATE TABLE targets (collection INTEGER, field TEXT, target INTEGER);
CREATE TABLE unfit (
    collection INTEGER, line INTEGER, dependent INTEGER, PRIMARY KEY (collection, line)
) WITHOUT ROWID;
"""
_INDEX: Final = "CREATE INDEX keys_index ON keys (key, collection, line)"
_REPEATED: Final = """
INSERT OR IGNORE INTO problems SELECT collection, line, field, ? FROM (
    SELECT *, row_number() OVER (PARTITION BY space, field, value ORDER BY collection, line) AS nth
    FROM own
) WHERE nth > 1
"""
_ORPHANS: Final = """
INSERT OR IGNORE INTO problems SELECT collection, line, field, ? FROM names WHERE NOT EXISTS (
    SELECT 1 FROM targets JOIN keys ON keys.collection = target AND keys.key = names.key
    WHERE targets.collection = names.collection AND targets.field = names.field
)
"""
_UNFIT: Final = "INSERT INTO unfit SELECT DISTINCT collection, line, 0 FROM problems"
_DEPENDENTS: Final = """
INSERT OR IGNORE INTO unfit SELECT collection, line, 1 FROM names WHERE NOT EXISTS (
    SELECT 1 FROM targets JOIN keys ON keys.collection = target AND keys.key = names.key
    WHERE targets.collection = names.collection AND targets.field = names.field AND NOT EXISTS (
        SELECT 1 FROM unfit WHERE unfit.collection = keys.collection AND unfit.line = keys.line
    )
)
"""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of each collection were written apart, and were not moved.

    `unfit` do not fit; `dependent` would, but name rows that do not.
    """

    unfit: dict[str, int] = {}
    dependent: dict[str, int] = {}


def fitting(
    archive: StoredArchive,
    contents: Sequence[Content],
    path: Path,
    rejects: Path | None,
    progress: Progress,
) -> tuple[Path, Rejected]:
    """The archive whose rows all fit: this one, or one that is made at `path` without others.

    Raises DamagedArchive where it is not as it was written. Rows that do not fit are written to
    `rejects`, a JSON object a line, and with them those that name them; without it, raises
    DoesNotFit with all that do not fit.
    """
    archive.check_files()
    with _scratch() as scratch:
        check = _Check(archive, contents, scratch)
        check.run(staged(progress, "check"))
        if not check.any_unfit():
            return archive.path, Rejected()
        if rejects is None:
            raise DoesNotFit(check.problems())
        check.add_dependents()
        with closing(private_file(rejects)) as file:
            for line in check.rejected():
                file.write(line)
        rewrite(archive, path, {each.name: check.kept(each) for each in check.concerned()})
        return path, check.counts()


@contextmanager
def _scratch() -> Iterator[sqlite3.Connection]:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "rows.db")) as scratch,
        scratch,
    ):
        scratch.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")
        yield scratch


class _Check:
    """Collections are known by their number, in the order of loading."""

    def __init__(
        self, archive: StoredArchive, contents: Sequence[Content], scratch: sqlite3.Connection
    ) -> None:
        self._archive = archive
        self._scratch = scratch
        self._collections = [each for content in contents for each in content.collections]
        self._numbers = {each.name: number for number, each in enumerate(self._collections)}
        tables = [each.kept.table for each in self._collections]
        self._sharing = {table for table in tables if tables.count(table) > 1}
        self._named = {
            name
            for each in self._collections
            for reference in each.references
            for name in reference.to
            if archive.part(each).count
        }

    def run(self, progress: Progress) -> None:
        """Finds all rows that do not fit."""
        for number, collection in enumerate(self._collections):
            self._put_targets(number, collection)
            self._read(number, collection, progress)
        self._scratch.execute(_INDEX)
        self._scratch.execute(_REPEATED, (TAKEN,))
        self._scratch.execute(_ORPHANS, (MISSING,))
        self._scratch.execute(_UNFIT)

    def any_unfit(self) -> bool:
        return self._scratch.execute("SELECT 1 FROM unfit LIMIT 1").fetchone() is not None

    def add_dependents(self) -> None:
        """Finds the rows that name those that do not fit, and those that name these."""
        while self._scratch.execute(_DEPENDENTS).rowcount:
            pass

    def problems(self) -> Problems:
        """What is wrong with rows, in the order of collections and lines."""
        found = Problems()
        for collection in self.concerned():
            for number, line in self._unfit(collection):
                key = key_in(collection, line)
                for field, reason in self._reasons(collection, number):
                    found.add(
                        Problem(
                            what=collection.name,
                            number=number,
                            key=key,
                            field=field,
                            reason=reason,
                        )
                    )
        return found

    def rejected(self) -> Iterator[bytes]:
        """The rows that do not fit, and why, each as a line with its end."""
        for collection in self.concerned():
            for number, line in self._unfit(collection):
                reasons = self._reasons(collection, number) or [("", DEPENDENT)]
                row = {
                    "collection": collection.name,
                    "number": number,
                    "problems": [{"field": field, "reason": reason} for field, reason in reasons],
                    "row": _raw(line),
                }
                yield msgspec.json.encode(row) + b"\n"

    def counts(self) -> Rejected:
        counted = "SELECT collection, count(*) FROM unfit WHERE dependent = ? GROUP BY 1 ORDER BY 1"
        unfit, dependent = (
            {self._collections[number].name: count for number, count in rows}
            for rows in (self._scratch.execute(counted, (each,)).fetchall() for each in (0, 1))
        )
        return Rejected(unfit=unfit, dependent=dependent)

    def concerned(self) -> list[Collection[Any]]:
        """The collections of which some rows do not fit."""
        rows = self._scratch.execute("SELECT DISTINCT collection FROM unfit ORDER BY 1")
        return [self._collections[number] for (number,) in rows.fetchall()]

    def kept(self, collection: Collection[Any]) -> Iterator[bytes]:
        """The lines of a collection that fit, with their ends."""
        unfit = self._unfit(collection)
        waiting, _ = next(unfit, (0, b""))
        for text, before in self._texts(collection):
            kept = []
            for number, line in enumerate(lines_in(text), before + 1):
                if number == waiting:
                    waiting, _ = next(unfit, (0, b""))
                else:
                    kept.append(line + b"\n")
            if kept:
                yield b"".join(kept)

    def _unfit(self, collection: Collection[Any]) -> Iterator[tuple[int, bytes]]:
        """The lines of a collection that do not fit, with their numbers."""
        rows = self._scratch.execute(
            "SELECT line FROM unfit WHERE collection = ? ORDER BY 1",
            (self._numbers[collection.name],),
        )
        (waiting,) = next(rows, (0,))
        for text, before in self._texts(collection):
            lines = lines_in(text)
            while before < waiting <= before + len(lines):
                yield waiting, lines[waiting - before - 1]
                (waiting,) = next(rows, (0,))

    def _texts(self, collection: Collection[Any]) -> Iterator[tuple[bytes, int]]:
        """Texts, and how many lines there were before each."""
        before = 0
        for text in self._archive.texts(collection):
            yield text, before
            before += len(lines_in(text))

    def _reasons(self, collection: Collection[Any], line: int) -> list[tuple[str, str]]:
        return self._scratch.execute(
            "SELECT field, reason FROM problems WHERE collection = ? AND line = ?",
            (self._numbers[collection.name], line),
        ).fetchall()

    def _put_targets(self, number: int, collection: Collection[Any]) -> None:
        self._scratch.executemany(
            "INSERT INTO targets VALUES (?, ?, ?)",
            [
                (number, _field(reference), self._numbers[name])
                for reference in collection.references
                for name in reference.to
            ],
        )

    def _read(self, number: int, collection: Collection[Any], progress: Progress) -> None:
        last, done = list[Key](), 0
        for read in self._archive.reads(collection):
            bad = ((each.line, each.field, each.reason) for each in read.bad)
            again = self._archive.repeated(collection, read, last)
            repeated = ((line, collection.key[0], TAKEN) for line in again)
            self._scratch.executemany(
                "INSERT OR IGNORE INTO problems VALUES (?, ?, ?, ?)",
                ((number, *each) for each in chain(bad, repeated)),
            )
            keys = collection.keys_of(read.items)
            last = keys[-1:] or last
            self._put_keys(number, collection, read, keys)
            self._put_own(number, collection, read, keys)
            self._put_names(number, collection, read)
            done += len(read.numbers) + len(read.bad)
            progress(collection.name, done, self._archive.part(collection).count)

    def _put_keys(
        self, number: int, collection: Collection[Any], read: Read, keys: list[Key]
    ) -> None:
        """Those of rows that are wrong, too: who names them names no missing row."""
        if collection.name in self._named:
            texts = chain(keys, (key_in(collection, each.text) for each in read.bad))
            lines = chain(read.numbers, (each.line for each in read.bad))
            self._scratch.executemany(
                "INSERT INTO keys VALUES (?, ?, ?)",
                zip(repeat(number), lines, map(line_of, texts), strict=False),
            )

    def _put_own(
        self, number: int, collection: Collection[Any], read: Read, keys: list[Key]
    ) -> None:
        for field, value_of in collection.unique.items():
            self._put_values(collection.name, field, map(value_of, read.items), number, read)
        if collection.kept.table in self._sharing:
            self._put_values(collection.kept.table.name, collection.key[0], keys, number, read)

    def _put_values(
        self, space: str, field: str, values: Iterable[Any], number: int, read: Read
    ) -> None:
        self._scratch.executemany(
            "INSERT INTO own VALUES (?, ?, ?, ?, ?)",
            (
                (space, field, line_of(value), number, line)
                for value, line in zip(values, read.numbers, strict=True)
                if value is not None
            ),
        )

    def _put_names(self, number: int, collection: Collection[Any], read: Read) -> None:
        for reference in collection.references:
            field = _field(reference)
            self._scratch.executemany(
                "INSERT INTO names VALUES (?, ?, ?, ?)",
                (
                    (number, line, field, line_of(key))
                    for item, line in zip(read.items, read.numbers, strict=True)
                    for key in reference.named_by(item)
                ),
            )


def _field(reference: Reference) -> str:
    return ", ".join(reference.fields)


def _raw(line: bytes) -> Any:
    """The row, or its text where it is not JSON."""
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return line.decode(errors="backslashreplace")
    return msgspec.Raw(line)
