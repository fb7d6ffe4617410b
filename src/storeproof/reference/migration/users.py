"""For migrations: users in a file of JSON or CSV, added to those that the target holds.

JSON is an array of objects, or one object a line. CSV has a first line of names; an empty value
is one that is not given. A user has an `email`, and may have the fields of `User`: `id`,
`display_name`, `password_hash`, `enabled`, `verified`, `created_at`. Only as many are held at
once as it takes to sort them: they go through a database in a temporary file.
"""

import csv
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from storeproof.reference.archive.exporting import new_folder, write_manifest
from storeproof.reference.archive.files import PartFile
from storeproof.reference.archive.lines import line_of
from storeproof.reference.archive.manifest import Part, sealed
from storeproof.reference.archive.reading import StoredArchive, open_archive
from storeproof.reference.auth.collections import CONTENT
from storeproof.reference.auth.entities import User, canonical
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.foreign_passwords import is_known
from storeproof.reference.migration.exceptions import DoesNotFit
from storeproof.reference.migration.streaming import values_in
from storeproof.reference.selection import CONTENTS
from storeproof.reference.storage import Clock
from storeproof.reference.values import email_key

__all__ = ["Problem", "UsersSource"]

USERS: Final = CONTENT.collections[0]
FIELDS: Final = ("id", "email", "display_name", "password_hash", "enabled", "verified")
KNOWN: Final = (*FIELDS, "created_at")
BATCH = 1000
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
_TABLE: Final = """
CREATE TABLE users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, line BLOB NOT NULL
) WITHOUT ROWID
"""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A user in the file who can't be moved. `number` counts the users in it, from 1."""

    number: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"user {self.number}{f', {self.field}' if self.field else ''}: {self.reason}"


class UsersSource:
    """A file of users. `new_id` makes the ids of those that have none.

    `rejects`: those that do not fit are written there, one JSON object a line, and the others
    are moved; otherwise none is.
    """

    keeps = True

    def __init__(
        self, path: Path, new_id: Callable[[], str], *, rejects: Path | None = None
    ) -> None:
        self.name = str(path)
        self._path = path
        self._new_id = new_id
        self._rejects = rejects

    async def archive(self, target: Path, path: Path, clock: Clock) -> Path:
        """As `Source` says: an archive of what the target holds, and of these users."""
        known = open_archive(target, CONTENTS)
        with tempfile.TemporaryDirectory() as folder, _database(Path(folder)) as database:
            for user in known.items(USERS):
                _add(database, user)
            problems = self._add_all(database, clock)
            if problems and self._rejects is None:
                raise DoesNotFit(problems)
            _write(known, path, database)
        return path

    def _add_all(self, database: sqlite3.Connection, clock: Clock) -> list[Problem]:
        if self._rejects is None:
            return self._find(database, clock, lambda _given: None)
        with self._rejects.open("xb") as file:
            return self._find(
                database, clock, lambda given: file.write(json.dumps(given).encode() + b"\n")
            )

    def _find(
        self, database: sqlite3.Connection, clock: Clock, reject: Callable[[Any], Any]
    ) -> list[Problem]:
        problems, number = list[Problem](), 0
        try:
            for number, given in enumerate(_read(self._path), 1):
                try:
                    _add(database, self._user(given, clock))
                except InvalidValue as error:
                    found = Problem(number=number, field=error.field, reason=error.reason)
                    problems.append(found)
                    reject(given)
        except (msgspec.DecodeError, UnicodeDecodeError, csv.Error) as error:
            reason = f"the file can't be read from here on ({error})"
            raise DoesNotFit(
                [*problems, Problem(number=number + 1, field="", reason=reason)]
            ) from error
        return problems

    def _user(self, given: Any, clock: Clock) -> User:
        if not isinstance(given, dict):
            raise InvalidValue("", "is no object")
        for name in given.keys() - set(KNOWN):
            raise InvalidValue(str(name)[:40], "is not a field of users")
        plain = {"id": self._new_id(), "created_at": clock(), **given}
        try:
            user = canonical(msgspec.convert(plain, User))
        except msgspec.ValidationError as error:
            raise InvalidValue("", str(error)) from error
        if user.password_hash is not None and not is_known(user.password_hash):
            raise InvalidValue("password_hash", "is of no kind that can be compared with")
        return user


@contextmanager
def _database(folder: Path) -> Iterator[sqlite3.Connection]:
    """Sorts users, and finds those that are there twice, without holding them."""
    with closing(sqlite3.connect(folder / "users.db")) as database, database:
        database.execute(_TABLE)
        yield database


def _add(database: sqlite3.Connection, user: User) -> None:
    row = (user.id, email_key(user.email), line_of(user))
    try:
        database.execute("INSERT INTO users VALUES (?, ?, ?)", row)
    except sqlite3.IntegrityError as error:
        same = database.execute("SELECT 1 FROM users WHERE id = ?", (user.id,)).fetchone()
        raise InvalidValue("id" if same else "email", "is another user's too") from error


def _write(target: StoredArchive, path: Path, users: sqlite3.Connection) -> None:
    with new_folder(path) as folder:
        parts = [_copied(target, part, folder) for part in target.manifest.parts[1:]]
        with closing(PartFile(folder, USERS.name, compress=False)) as file:
            found = users.execute("SELECT line FROM users ORDER BY id")
            while rows := found.fetchmany(BATCH):
                file.write(b"".join(line + b"\n" for (line,) in rows))
            parts.insert(0, file.finish())
        write_manifest(folder, sealed(replace(target.manifest, parts=tuple(parts))))


def _copied(target: StoredArchive, part: Part, folder: Path) -> Part:
    shutil.copyfile(target.path / part.file, folder / part.file)
    return part


def _read(path: Path) -> Iterator[Any]:
    """What the file holds of each user. Raises InvalidValue for one that can't be read."""
    if path.suffix.lower() == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file, restkey="more", restval=""):
                yield {name: _flag(name, value) for name, value in row.items() if value != ""}
        return
    with path.open(encoding="utf-8-sig") as file:
        yield from values_in(file)


def _flag(name: Any, value: Any) -> Any:
    is_flag = name in ("enabled", "verified") and isinstance(value, str)
    return _FLAGS.get(value.strip().lower(), value) if is_flag else value
