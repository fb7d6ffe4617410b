"""For the tests of revisions: a history of two components, as the text of its files, to break."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from storeproof.reference.database import Schema
from storeproof.reference.database.columns import TEXT, TIME, column, metadata
from storeproof.reference.database.revisions import History
from storeproof.reference.database.revisions.connecting import run

T = TypeVar("T")

HEAD = '''"""Revision {number}."""

import sqlalchemy as sa
from alembic import op

from storeproof.reference.database.columns import TEXT, TIME
from storeproof.reference.database.revisions import steps

revision = "{number:04}"
down_revision = {before}
component = "{component}"
loses = {loses!r}
'''

LETTERS = """
def upgrade():
    op.create_table(
        "letters",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("body", TEXT),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("answers", TEXT),
        sa.PrimaryKeyConstraint("id", name="letters_id"),
        sa.ForeignKeyConstraint(
            ["answers"], ["letters.id"], name="letters_answers_fkey", ondelete="CASCADE"
        ),
        sa.CheckConstraint("n <> 12345", name="letters_n_check"),
    )
    condition = sa.text("body IS NOT NULL")
    op.create_index(
        "letters_at_index", "letters", ["at"], sqlite_where=condition, postgresql_where=condition
    )

def downgrade():
    op.drop_table("letters")
"""

SUBJECT = """
def upgrade():
    op.add_column("letters", sa.Column("subject", TEXT))
    op.create_index("letters_subject_index", "letters", ["subject"])

def downgrade():
    op.drop_index("letters_subject_index", "letters")
    op.drop_column("letters", "subject")
"""

PARCELS = """
def upgrade():
    op.create_table(
        "parcels",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "part", name="parcels_id_part"),
    )

def downgrade():
    op.drop_table("parcels")
"""

LANG = """
gradual = True

def upgrade():
    steps.add_column("letters", sa.Column("lang", TEXT))
    steps.fill("letters", {"lang": "'en'"}, "lang IS NULL", batch=2)
    steps.require("letters", "lang")
    steps.create_index("letters_lang_index", "letters", ["lang"], where="lang <> 'en'")

def downgrade():
    steps.drop_index("letters_lang_index", "letters")
    steps.drop_column("letters", "lang")
"""

TURNED = """
rewrites = ("letters.n",)

def upgrade():
    op.execute("UPDATE letters SET n = -1 - n")

def downgrade():
    op.execute("UPDATE letters SET n = -1 - n")
"""

Part = tuple[str, "str | None", str]
"""A revision's component, what it loses, and its text."""

PARTS: tuple[Part, ...] = (
    ("letters", "the letters", LETTERS),
    ("letters", "the subjects", SUBJECT),
    ("parcels", "the parcels", PARCELS),
    ("letters", "the languages", LANG),
    ("letters", None, TURNED),
)


def write(folder: Path, parts: tuple[Part, ...] = PARTS) -> History:
    """The history with these revisions, in a new folder."""
    folder.mkdir()
    for number, (component, loses, text) in enumerate(parts, start=1):
        before = "None" if number == 1 else f'"{number - 1:04}"'
        head = HEAD.format(number=number, before=before, component=component, loses=loses)
        (folder / f"r{number:04}.py").write_text(head + text)
    return History(folder)


def tables() -> tuple[Schema, Schema]:
    """What the code would have after that history."""
    letters, parcels = metadata(), metadata()
    table = sa.Table(
        "letters",
        letters,
        column("id", TEXT, primary_key=True),
        column("body", TEXT, nullable=True),
        column("n", sa.BigInteger()),
        column("at", TIME),
        column("answers", TEXT, sa.ForeignKey("letters.id", ondelete="CASCADE"), nullable=True),
        column("subject", TEXT, nullable=True, index=True),
        column("lang", TEXT),
        sa.CheckConstraint("n <> 12345", name="letters_n_check"),
    )
    for name, condition in (("at", table.c.body.is_not(None)), ("lang", sa.text("lang <> 'en'"))):
        sa.Index(None, table.c[name], sqlite_where=condition, postgresql_where=condition)
    sa.Table(
        "parcels",
        parcels,
        column("id", TEXT, primary_key=True),
        column("part", sa.BigInteger(), primary_key=True),
        column("weight", sa.BigInteger()),
    )
    return Schema("letters", 5, letters), Schema("parcels", 3, parcels)


def on(url: str, work: Callable[[sa.Connection], T]) -> T:
    """What work does on the database."""
    return asyncio.run(run(url, work, create=True))


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """The rows of the last statement; each is a transaction of its own."""

    def work(connection: sa.Connection) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        for statement in statements:
            result = connection.exec_driver_sql(statement)
            rows = [tuple(row) for row in result] if result.returns_rows else []
        return rows

    return on(url, work)
