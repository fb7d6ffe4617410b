"""For migrations: users in a file of JSON or CSV, added to those that the target holds.

JSON is an array of objects, or one object a line. CSV has a first line of names; an empty value
is one that is not given. A user has an `email`, and may have the fields of `User`: `id`,
`display_name`, `password_hash`, `enabled`, `verified`, `created_at`. Only as many are held at
once as it takes to sort them: they go through a database in a temporary file.
"""

import csv
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from storeproof.reference.archive.exporting import Progress, staged
from storeproof.reference.archive.lines import line_of
from storeproof.reference.archive.reading import open_archive
from storeproof.reference.auth.collections import CONTENT
from storeproof.reference.auth.entities import User, canonical
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.foreign_passwords import is_known
from storeproof.reference.migration.exceptions import DoesNotFit
from storeproof.reference.migration.preflight import Rejected, fitting
from storeproof.reference.migration.problems import Problem, Problems
from storeproof.reference.migration.rewriting import private_file, rewrite
from storeproof.reference.migration.streaming import values_in
from storeproof.reference.selection import CONTENTS
from storeproof.reference.storage import Clock
from storeproof.reference.values import email_key

__all__ = ["UsersSource"]

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
        self.rejected = Rejected()

    async def archive(self, target: Path, path: Path, clock: Clock, progress: Progress) -> Path:
        """As `Source` says: an archive of what the target holds, and of these users."""
        known = open_archive(target, CONTENTS)
        with tempfile.TemporaryDirectory() as folder, _database(Path(folder)) as database:
            for user in known.items(USERS):
                _add(database, user)
            problems = self._add_all(database, clock, staged(progress, "read"))
            if problems.rows and self._rejects is None:
                raise DoesNotFit(problems)
            rewrite(known, path, {USERS.name: _texts(database)})
        fitting(open_archive(path, CONTENTS), CONTENTS, path, None, progress)
        self.rejected = Rejected(unfit={USERS.name: problems.rows} if problems.rows else {})
        return path

    def _add_all(self, database: sqlite3.Connection, clock: Clock, progress: Progress) -> Problems:
        if self._rejects is None:
            return self._find(database, clock, lambda _given: None, progress)
        with private_file(self._rejects) as file:
            return self._find(
                database,
                clock,
                lambda given: file.write(json.dumps(given).encode() + b"\n"),
                progress,
            )

    def _find(
        self,
        database: sqlite3.Connection,
        clock: Clock,
        reject: Callable[[Any], Any],
        progress: Progress,
    ) -> Problems:
        problems, number = Problems(), 0
        try:
            for number, given in enumerate(_read(self._path), 1):
                try:
                    _add(database, self._user(given, clock))
                except InvalidValue as error:
                    problems.add(_problem(number, error.field, error.reason))
                    reject(given)
                if number % BATCH == 0:
                    progress("users", number, None)
        except (msgspec.DecodeError, UnicodeDecodeError, csv.Error) as error:
            reason = f"the file can't be read from here on ({error})"
            problems.add(_problem(number + 1, "", reason))
            raise DoesNotFit(problems) from error
        progress("users", number, number)
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


def _problem(number: int, field: str, reason: str) -> Problem:
    return Problem(what="user", number=number, field=field, reason=reason)


@contextmanager
def _database(folder: Path) -> Iterator[sqlite3.Connection]:
    """Sorts users, and finds those that are there twice, without holding them.

    Raises OSError where the folder has no room for them.
    """
    try:
        with closing(sqlite3.connect(folder / "users.db")) as database, database:
            database.execute(_TABLE)
            yield database
    except sqlite3.OperationalError as error:
        raise OSError(f"{folder}, where users are sorted, can't be written ({error}).") from error


def _add(database: sqlite3.Connection, user: User) -> None:
    row = (user.id, email_key(user.email), line_of(user))
    try:
        database.execute("INSERT INTO users VALUES (?, ?, ?)", row)
    except sqlite3.IntegrityError as error:
        same = database.execute("SELECT 1 FROM users WHERE id = ?", (user.id,)).fetchone()
        raise InvalidValue("id" if same else "email", "is another user's too") from error


def _texts(users: sqlite3.Connection) -> Iterator[bytes]:
    found = users.execute("SELECT line FROM users ORDER BY id")
    while rows := found.fetchmany(BATCH):
        yield b"".join(line + b"\n" for (line,) in rows)


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
