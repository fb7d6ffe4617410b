"""Parcels in memory and on SQLite, how they are moved, and movers with a defect each.

A mover is opened under its own name as that of a contract, so that another process finds it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NewType, Protocol

from storeproof import Contract, Moves
from storeproof.harness.encoding import encode
from storeproof.harness.moving.moves import NotTheSame

ParcelId = NewType("ParcelId", str)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class ParcelError(Exception):
    """Root of the errors of parcels."""


class Missing(ParcelError):
    """There is no such parcel."""


class Taken(ParcelError):
    """The id is taken."""


class Busy(ParcelError):
    """Somebody else writes."""


class NotEmpty(Exception):
    """Content is only loaded into empty storages."""


@dataclass(frozen=True)
class Parcel:
    id: ParcelId
    name: str
    at: datetime = NOON
    price: Decimal = Decimal(0)
    note: str | None = None
    labels: str = "{}"


@dataclass(frozen=True)
class Entry:
    """What happened, and as the how manieth thing."""

    number: int
    text: str


class Parcels(Protocol):
    """Parcels, and a journal of what happened to them."""

    async def create(self, parcel: Parcel) -> Entry:
        """Store a parcel, and say so in the journal. Raises Taken when its id is taken."""
        ...

    async def remove(self, id: ParcelId) -> Entry:
        """Remove a parcel, and say so in the journal. Raises Missing when there is none."""
        ...

    async def list_parcels(self) -> list[Parcel]:
        """Give all parcels by id."""
        ...

    async def list_entries(self) -> list[Entry]:
        """Give the journal in its order."""
        ...


class InMemoryParcels:
    """The model."""

    def __init__(self) -> None:
        self.parcels: dict[str, Parcel] = {}
        self.journal: list[Entry] = []
        self.next = 1

    async def create(self, parcel: Parcel) -> Entry:
        if parcel.id in self.parcels:
            raise Taken
        self.parcels[parcel.id] = parcel
        return self.noted(f"+{parcel.id}")

    async def remove(self, id: ParcelId) -> Entry:
        if id not in self.parcels:
            raise Missing
        del self.parcels[id]
        return self.noted(f"-{id}")

    async def list_parcels(self) -> list[Parcel]:
        return [self.parcels[each] for each in sorted(self.parcels)]

    async def list_entries(self) -> list[Entry]:
        return list(self.journal)

    def noted(self, text: str) -> Entry:
        self.journal.append(Entry(self.next, text))
        self.next += 1
        return self.journal[-1]


class SqliteParcels:
    """Correct: every operation is a transaction, which is refused while somebody else writes."""

    def __init__(self, address: str) -> None:
        path = address.removeprefix("sqlite+aiosqlite:///")
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=0)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS parcels (id TEXT PRIMARY KEY, name TEXT, at TEXT, "
            "price TEXT, note TEXT, labels TEXT)"
        )
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY, text TEXT)"
        )

    @classmethod
    @asynccontextmanager
    async def open(cls, address: str) -> AsyncIterator[SqliteParcels]:
        made = cls(address)
        yield made
        made.connection.close()

    @contextmanager
    def whole(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
        try:
            self.connection.execute(begin)
        except sqlite3.OperationalError as error:
            raise Busy from error
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    async def create(self, parcel: Parcel) -> Entry:
        with self.whole():
            try:
                self.store(parcel)
            except sqlite3.IntegrityError:
                raise Taken from None
            return self.noted(f"+{parcel.id}")

    async def remove(self, id: ParcelId) -> Entry:
        with self.whole():
            gone = self.connection.execute("DELETE FROM parcels WHERE id = ?", (id,))
            if not gone.rowcount:
                raise Missing
            return self.noted(f"-{id}")

    async def list_parcels(self) -> list[Parcel]:
        return self.rows_of_parcels()

    async def list_entries(self) -> list[Entry]:
        return self.rows_of_journal()

    def wipe(self) -> None:
        self.connection.execute("DELETE FROM parcels")
        self.connection.execute("DELETE FROM journal")

    def noted(self, text: str) -> Entry:
        made = self.connection.execute("INSERT INTO journal (text) VALUES (?)", (text,))
        return Entry(int(made.lastrowid or 0), text)

    def store(self, parcel: Parcel) -> None:
        row = (*vars(parcel).values(),)
        written = (*row[:2], parcel.at.isoformat(), str(parcel.price), *row[4:])
        self.connection.execute("INSERT INTO parcels VALUES (?, ?, ?, ?, ?, ?)", written)

    def rows_of_parcels(self) -> list[Parcel]:
        rows = self.connection.execute("SELECT * FROM parcels ORDER BY id").fetchall()
        return [
            Parcel(row[0], row[1], datetime.fromisoformat(row[2]), Decimal(row[3]), *row[4:])
            for row in rows
        ]

    def rows_of_journal(self) -> list[Entry]:
        rows = self.connection.execute("SELECT * FROM journal ORDER BY number").fetchall()
        return [Entry(*row) for row in rows]


async def turn() -> None:
    """Let every other client make a step, as a server's answer does."""
    await asyncio.sleep(0)


async def take(storage: Any) -> dict[str, list[Any]]:
    """Give all that storages hold, at one moment."""
    if isinstance(storage, InMemoryParcels):
        return {"parcels": await storage.list_parcels(), "journal": list(storage.journal)}
    with storage.whole("BEGIN"):
        parcels = storage.rows_of_parcels()
        await turn()
        return {"parcels": parcels, "journal": storage.rows_of_journal()}


async def put(storage: Any, content: Any) -> None:
    """Store content in an empty storage."""
    if isinstance(storage, InMemoryParcels):
        remember(storage, content)
        return
    with storage.whole():
        await fill(storage, content)


def remember(storage: InMemoryParcels, content: Any) -> None:
    if storage.journal:
        raise NotEmpty
    storage.parcels = {each.id: each for each in content["parcels"]}
    storage.journal = list(content["journal"])
    storage.next = max((each.number for each in storage.journal), default=0) + 1


async def fill(storage: SqliteParcels, content: Any) -> None:
    if storage.rows_of_journal():
        raise NotEmpty
    await turn()
    for parcel in content["parcels"]:
        storage.store(parcel)
        await turn()
    for entry in content["journal"]:
        row = (entry.number, entry.text)
        storage.connection.execute("INSERT INTO journal VALUES (?, ?)", row)
        await turn()


REFUSALS = (NotEmpty, Busy, sqlite3.IntegrityError)
MOVES = Moves.of_snapshots(take, put, refusals=REFUSALS)

parcels = Contract(
    Parcels,
    model=InMemoryParcels,
    storages={"sqlite": SqliteParcels.open},
    errors=[ParcelError],
    unavailable=[Busy],
    arguments={
        ParcelId: ["a", "b", "c", "d"],
        "Parcel.name": ["ab", "e\u0301", "c"],
        "Parcel.at": [NOON, NOON.replace(microsecond=123_456), NOON.replace(microsecond=1)],
        "Parcel.price": [Decimal("0.123456789"), Decimal("1.5"), Decimal(2)],
        "Parcel.note": [None, "", "n"],
        "Parcel.labels": ['{"b":1,"a":2}', "{}"],
    },
    moves=MOVES,
    name="parcels",
)


@dataclass(frozen=True)
class Mover:
    """Moves with a defect, and the check that must find it."""

    name: str
    check: str
    moves: Moves
    told: str = ""

    @property
    def contract(self) -> Contract:
        """Under the mover's name in this module, where another process finds it."""
        found: Contract = globals()[f"{self.name}_contract"]
        return found


MOVERS: list[Mover] = []


def mover(check: str, told: str = "") -> Callable[[Any], Any]:
    def decorate(make: Callable[[], Moves]) -> Any:
        made = Mover(make.__name__, check, make(), told)
        MOVERS.append(made)
        globals()[f"{made.name}_contract"] = parcels.with_moves(made.moves)
        return make

    return decorate


def changed(parcel_of: Callable[[Parcel], Parcel]) -> Moves:
    """Moves that change parcels before they put them into SQLite."""

    async def careless(storage: Any, content: Any) -> None:
        if isinstance(storage, SqliteParcels):
            content = {**content, "parcels": list(map(parcel_of, content["parcels"]))}
        await put(storage, content)

    return Moves.of_snapshots(take, careless, refusals=REFUSALS)


def unverified(moves: Moves) -> Moves:
    return replace(moves, verify=None)


@mover("roundtrip", told="list_parcels")
def drops_microseconds() -> Moves:
    return unverified(changed(lambda each: replace(each, at=each.at.replace(microsecond=0))))


@mover("roundtrip", told="verify, with the first archive, raised NotTheSame")
def takes_decimals_for_floats() -> Moves:
    return changed(lambda each: replace(each, price=Decimal(str(round(float(each.price), 6)))))


@mover("roundtrip", told="list_parcels")
def writes_nothing_for_null() -> Moves:
    return unverified(changed(lambda each: replace(each, note=each.note or "")))


@mover("roundtrip", told="list_entries")
def forgets_a_collection() -> Moves:
    async def forgetful(storage: Any) -> dict[str, list[Any]]:
        return {**await take(storage), "journal": []}

    return Moves.of_snapshots(forgetful, put, refusals=REFUSALS)


@mover("roundtrip", told="create")
def starts_numbers_anew() -> Moves:
    """All content is there, and only what comes later goes wrong."""

    async def putting(storage: Any, content: Any) -> None:
        await put(storage, content)
        if isinstance(storage, InMemoryParcels):
            storage.next = 1

    return Moves.of_snapshots(take, putting, refusals=REFUSALS)


@mover("roundtrip", told="load raised KeyError")
def stumbles() -> Moves:
    async def stumbling(storage: Any, content: Any) -> None:
        await put(storage, content)
        if isinstance(storage, SqliteParcels) and content["parcels"]:
            raise KeyError("parcels")

    return Moves.of_snapshots(take, stumbling, refusals=REFUSALS)


def written(path: Path) -> dict[str, list[str]]:
    return {each.stem: each.read_text("utf-8").splitlines() for each in path.iterdir()}


def verifying(form: Callable[[str], Any], gather: Callable[[Any], Any] = Counter) -> Moves:
    """Moves whose verifier compares a form of each row's text."""

    async def verify(path: Path, storage: Any) -> None:
        content = await take(storage)
        for name, lines in written(path).items():
            texts = (json.dumps(encode(row)) for row in content[name])
            if gather(map(form, lines)) != gather(map(form, texts)):
                raise NotEmpty

    return replace(MOVES, verify=verify)


@mover("planted_faults", told="a changed microsecond")
def compares_seconds() -> Moves:
    return verifying(lambda text: re.sub(r"(:\d\d)\.\d{6}", r"\1", text))


@mover("planted_faults", told="a dropped offset")
def compares_times_without_offsets() -> Moves:
    return verifying(lambda text: text.replace("+00:00", ""))


@mover("planted_faults", told="a rounded Decimal")
def compares_prices_as_floats() -> Moves:
    def floats(text: str) -> str:
        return re.sub(r'"(\d+\.\d+)"', lambda found: f"{float(found[1]):.0f}", text)

    return verifying(floats)


@mover("planted_faults", told="one lost row")
def looks_for_the_archive_s_rows_only() -> Moves:
    async def verify(path: Path, storage: Any) -> None:
        content = await take(storage)
        for name, lines in written(path).items():
            there = [json.dumps(encode(row)) for row in content[name]]
            for line in lines:
                if line not in there:
                    raise NotEmpty
                there.remove(line)

    return replace(MOVES, verify=verify)


@mover("planted_faults", told="one duplicated row")
def compares_sets_of_rows() -> Moves:
    return verifying(str, frozenset)


@mover("planted_faults", told="two swapped values")
def compares_values_column_by_column() -> Moves:
    return verifying(str, lambda rows: sorted("".join(rows)))


@mover("planted_faults", told="a truncated text")
def compares_names_by_their_beginnings() -> Moves:
    return verifying(lambda text: re.sub(r'("(?:name|text)": "[^"])[^"]*', r"\1", text))


@mover("planted_faults", told="NFC for NFD")
def compares_one_normal_form() -> Moves:
    return verifying(lambda text: unicodedata.normalize("NFC", repr(json.loads(text))))


@mover("planted_faults", told="an empty text for null")
def takes_null_for_nothing() -> Moves:
    return verifying(lambda text: text.replace('"note": null', '"note": ""'))


@mover("planted_faults", told="another order of keys")
def compares_labels_as_mappings() -> Moves:
    def form(text: str) -> str:
        fields = json.loads(text)["fields"]
        with suppress(KeyError, ValueError):
            fields["labels"] = json.loads(fields["labels"])
        return json.dumps(fields, sort_keys=True)

    return verifying(form)


@mover("planted_faults", told="verify raised KeyError('nothing'), which is none of")
def gives_no_name_to_what_differs() -> Moves:
    async def verify(path: Path, storage: Any) -> None:
        try:
            await MOVES.verify(path, storage)  # type: ignore[misc]  # a Moves of snapshots has it
        except NotTheSame:
            raise KeyError("nothing") from None

    return replace(MOVES, verify=verify)


@mover("move_interference", told="not what was there at any one moment")
def reads_one_collection_after_the_other() -> Moves:
    async def taking(storage: Any) -> dict[str, list[Any]]:
        if isinstance(storage, InMemoryParcels):
            return await take(storage)
        parcels = storage.rows_of_parcels()
        await turn()
        return {"parcels": parcels, "journal": storage.rows_of_journal()}

    return Moves.of_snapshots(taking, put, refusals=REFUSALS)


@mover("move_interference", told="none of the contract's errors")
def keeps_writers_out_by_force() -> Moves:
    async def taking(storage: Any) -> dict[str, list[Any]]:
        if isinstance(storage, SqliteParcels):
            storage.connection.execute("ALTER TABLE journal RENAME TO hidden")
            await turn()
            storage.connection.execute("ALTER TABLE hidden RENAME TO journal")
        return await take(storage)

    return Moves.of_snapshots(taking, put, refusals=REFUSALS)


@mover("move_interference", told="Two loads at once both ended well")
def looks_whether_it_is_empty_too_early() -> Moves:
    async def putting(storage: Any, content: Any) -> None:
        if isinstance(storage, InMemoryParcels):
            await put(storage, content)
            return
        if storage.rows_of_journal():
            raise NotEmpty
        await turn()
        with storage.whole():
            storage.wipe()
            await fill(storage, content)

    return Moves.of_snapshots(take, putting, refusals=REFUSALS)


@mover("move_interference", told="and the storage holds something else")
def replaces_row_by_row() -> Moves:
    """Right alone: each of its statements is a transaction."""

    async def putting(storage: Any, content: Any) -> None:
        if isinstance(storage, InMemoryParcels):
            await put(storage, content)
            return
        storage.wipe()
        for parcel in content["parcels"]:
            storage.connection.execute("DELETE FROM parcels WHERE id = ?", (parcel.id,))
            storage.store(parcel)
            await turn()
        for entry in content["journal"]:
            row = (entry.number, entry.text)
            storage.connection.execute("INSERT OR REPLACE INTO journal VALUES (?, ?)", row)
            await turn()

    return Moves.of_snapshots(take, putting, refusals=REFUSALS, replaces=True)


@mover("move_interference", told="which is no declared refusal")
def stumbles_over_another_load() -> Moves:
    async def putting(storage: Any, content: Any) -> None:
        try:
            await put(storage, content)
        except Busy:
            raise RuntimeError("the database is locked") from None

    return Moves.of_snapshots(take, putting, refusals=REFUSALS)


async def replace_all(storage: Any, content: Any) -> None:
    """Put content in the place of what is there."""
    if isinstance(storage, InMemoryParcels):
        await put(storage, content)
        return
    with storage.whole():
        storage.wipe()
        await fill(storage, content)


replacing = parcels.with_moves(
    Moves.of_snapshots(take, replace_all, refusals=REFUSALS, replaces=True)
)


@mover("move_crash", told="neither what it held before nor what was to be loaded")
def loads_in_two_transactions() -> Moves:
    async def putting(storage: Any, content: Any) -> None:
        if isinstance(storage, InMemoryParcels):
            await put(storage, content)
            return
        with storage.whole():
            await fill(storage, {**content, "journal": []})
        with storage.whole():
            await fill(storage, {**content, "parcels": []})

    return Moves.of_snapshots(take, putting, refusals=REFUSALS)


@mover("move_crash", told="neither what it held before nor what was to be loaded")
def commits_each_row() -> Moves:
    async def putting(storage: Any, content: Any) -> None:
        if isinstance(storage, InMemoryParcels):
            await put(storage, content)
        else:
            await fill(storage, content)

    return Moves.of_snapshots(take, putting, refusals=REFUSALS)


@mover("move_crash", told="neither what it held before nor what was to be loaded")
def wipes_before_it_begins() -> Moves:
    async def putting(storage: Any, content: Any) -> None:
        if isinstance(storage, SqliteParcels):
            with storage.whole():
                storage.wipe()
        await put(storage, content)

    return Moves.of_snapshots(take, putting, refusals=REFUSALS, replaces=True)


@mover("move_crash", told="but the load can't be repeated")
def leaves_a_mark() -> Moves:
    async def putting(storage: Any, content: Any) -> None:
        if isinstance(storage, InMemoryParcels):
            await put(storage, content)
            return
        storage.connection.execute("CREATE TABLE IF NOT EXISTS marks (mark TEXT)")
        if storage.connection.execute("SELECT * FROM marks").fetchall():
            raise NotEmpty
        storage.connection.execute("INSERT INTO marks VALUES ('loading')")
        await replace_all(storage, content)
        storage.connection.execute("DELETE FROM marks")

    return Moves.of_snapshots(take, putting, refusals=REFUSALS, replaces=True)


async def take_uncommitted(storage: Any) -> dict[str, list[Any]]:
    """Give what a handle sees, in the midst of its transaction too."""
    if isinstance(storage, InMemoryParcels):
        return await take(storage)
    return {"parcels": storage.rows_of_parcels(), "journal": storage.rows_of_journal()}


@mover("move_crash", told="The load had ended well, and the target holds what it held before")
def acknowledges_what_it_has_not_committed() -> Moves:
    async def putting(storage: Any, content: Any) -> None:
        if isinstance(storage, InMemoryParcels):
            await put(storage, content)
            return
        storage.connection.execute("BEGIN IMMEDIATE")
        await fill(storage, content)

    return Moves.of_snapshots(take_uncommitted, putting, refusals=REFUSALS)
