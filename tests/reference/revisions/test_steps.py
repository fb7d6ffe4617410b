"""The steps of gradual revisions: on both databases, again, and where they can't be made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.revisions import Patience, steps
from storeproof.reference.database.revisions.catalogue import read_catalogue
from storeproof.reference.database.revisions.connecting import run
from storeproof.reference.exceptions import Unavailable

from .histories import execute, on

TABLE = (
    "CREATE TABLE parts (a TEXT NOT NULL, b BIGINT NOT NULL, c TEXT, d BIGINT DEFAULT 7, "
    "PRIMARY KEY (a, b))",
    "CREATE INDEX parts_d ON parts (d) WHERE d > 1",
)


def take(url: str, step: Callable[[], None]) -> list[str]:
    """Takes a step as a revision does; gives the statements that it ran."""
    statements: list[str] = []

    def work(connection: sa.Connection) -> None:
        sa.event.listen(
            connection, "before_cursor_execute", lambda *seen: statements.append(seen[2])
        )
        context = MigrationContext.configure(connection, opts={"patience": Patience()})
        with Operations.context(context):
            step()

    asyncio.run(run(url, work))
    return statements


def with_table(url: str) -> str:
    """The URL, of a database that has a table with five rows."""
    execute(url, *TABLE)
    for number in range(5):
        execute(url, f"INSERT INTO parts VALUES ('{number % 2}', {number}, NULL, {number % 2})")  # noqa: S608 - the test's own
    return url


@pytest.fixture(name="url")
def _url(url: str) -> str:
    return with_table(url)


@pytest.fixture(name="postgres")
def _postgres(postgres_url: str) -> str:
    return with_table(postgres_url)


def catalogue(url: str) -> dict[str, str]:
    return dict(on(url, read_catalogue))


def test_a_column_is_added_and_dropped_once(url: str) -> None:
    before = catalogue(url)
    for _ in range(2):
        take(url, lambda: steps.add_column("parts", sa.Column("e", TEXT)))
        assert catalogue(url).keys() - before.keys() == {"parts column e"}
    for _ in range(2):
        take(url, lambda: steps.drop_column("parts", "e"))
        assert catalogue(url) == before


def test_rows_are_filled_in_batches_until_none_is_left(url: str) -> None:
    statements = take(url, lambda: steps.fill("parts", {"c": "a || b"}, "c IS NULL", batch=2))
    assert execute(url, "SELECT c FROM parts ORDER BY c") == [
        ("00",),
        ("02",),
        ("04",),
        ("11",),
        ("13",),
    ]
    updates = [each for each in statements if each.startswith("UPDATE")]
    assert len(updates) == (1 if url.startswith("sqlite") else 3)


def test_who_has_filled_all_rows_touches_none(postgres: str) -> None:
    take(postgres, lambda: steps.fill("parts", {"c": "a || b"}, "c IS NULL"))
    again = take(postgres, lambda: steps.fill("parts", {"c": "a || b"}, "c IS NULL"))
    assert [each for each in again if each.startswith("UPDATE")] == []


def test_a_column_is_required_and_relaxed_again(url: str) -> None:
    execute(url, "UPDATE parts SET c = 'x'")
    before = catalogue(url)
    for _ in range(2):
        take(url, lambda: steps.require("parts", "c"))
        changed = {name for name, text in catalogue(url).items() if before.get(name) != text}
        assert changed == {"parts column c"}
        assert catalogue(url)["parts column c"] == before["parts column c"] + " NOT NULL"
    for _ in range(2):
        take(url, lambda: steps.relax("parts", "c"))
        assert catalogue(url) == before
    assert execute(url, "SELECT count(*) FROM parts") == [(5,)]


def test_a_column_with_gaps_is_not_required_and_nothing_stays(url: str) -> None:
    execute(url, "UPDATE parts SET c = 'x' WHERE b > 0")
    before = catalogue(url)
    with pytest.raises(Unavailable, match=r"(?i)null|violated"):
        take(url, lambda: steps.require("parts", "c"))
    left = {name for name in catalogue(url) if "made_anew" not in name}
    assert left == before.keys()


def test_an_index_is_made_and_dropped_once(url: str) -> None:
    before = catalogue(url)
    for _ in range(2):
        take(url, lambda: steps.create_index("parts_c", "parts", ["c"], where="c IS NOT NULL"))
        assert catalogue(url).keys() - before.keys() == {"parts index parts_c"}
    for _ in range(2):
        take(url, lambda: steps.drop_index("parts_c", "parts"))
        assert catalogue(url) == before


def test_an_index_that_can_not_be_unique_leaves_nothing(url: str) -> None:
    before = catalogue(url)
    with pytest.raises(Unavailable, match=r"(?i)unique"):
        take(url, lambda: steps.create_index("parts_a", "parts", ["a"], unique=True))
    assert catalogue(url) == before


def test_an_invalid_index_of_an_earlier_attempt_is_made_anew(postgres: str) -> None:
    with pytest.raises(Unavailable, match="unique"):
        execute(postgres, "CREATE UNIQUE INDEX CONCURRENTLY parts_a ON parts (a)")
    assert catalogue(postgres)["parts index parts_a"].endswith(", invalid")
    execute(postgres, "DELETE FROM parts WHERE b > 1")
    take(postgres, lambda: steps.create_index("parts_a", "parts", ["a"], unique=True))
    assert catalogue(postgres)["parts index parts_a"].endswith("(a)")


def test_postgres_believes_a_validated_check(postgres: str) -> None:
    """In this order no statement that locks the table out looks through its rows."""
    execute(postgres, "UPDATE parts SET c = 'x'")
    changes = [
        each.removeprefix("ALTER TABLE parts ").partition(" CHECK")[0]
        for each in take(postgres, lambda: steps.require("parts", "c"))
        if each.startswith("ALTER")
    ]
    assert changes == [
        "ADD CONSTRAINT parts_c_is_not_null",
        "VALIDATE CONSTRAINT parts_c_is_not_null",
        "ALTER COLUMN c SET NOT NULL",
        "DROP CONSTRAINT parts_c_is_not_null",
    ]


@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_requirement_that_was_interrupted_goes_on(postgres: str, done: int) -> None:
    made = [
        "ALTER TABLE parts ADD CONSTRAINT parts_c_is_not_null CHECK (c IS NOT NULL) NOT VALID",
        "ALTER TABLE parts VALIDATE CONSTRAINT parts_c_is_not_null",
        "ALTER TABLE parts ALTER COLUMN c SET NOT NULL",
    ]
    execute(postgres, "UPDATE parts SET c = 'x'", *made[:done])
    take(postgres, lambda: steps.require("parts", "c"))
    assert "parts constraint parts_c_is_not_null" not in catalogue(postgres)
    assert catalogue(postgres)["parts column c"].endswith("NOT NULL")
