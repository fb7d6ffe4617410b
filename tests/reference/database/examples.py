"""For the tests of databases: one small table, and statements on it."""

from __future__ import annotations

import sqlalchemy as sa

from storeproof.reference.database import Schema
from storeproof.reference.database.columns import NAMES, TEXT, TIME, metadata

TABLES = metadata()
NOTES = sa.Table(
    "notes",
    TABLES,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("text", TEXT, nullable=False, unique=True),
    sa.Column("parent", TEXT, sa.ForeignKey("notes.id")),
    sa.Column("at", TIME, index=True),
    sa.Column("tags", NAMES),
    sa.Column("done", sa.Boolean()),
    sa.Column("number", sa.BigInteger()),
)
SCHEMA = Schema("notes", 1, TABLES)

ID = sa.bindparam("id", type_=TEXT)
GET = sa.select(NOTES).where(NOTES.c.id == ID)
ALL = sa.select(NOTES.c.id).order_by(NOTES.c.id)
CREATE = sa.insert(NOTES).returning(*NOTES.c)
DELETE = sa.delete(NOTES).where(NOTES.c.id == ID).returning(NOTES.c.id)
LOCK = sa.select(NOTES.c.id).where(NOTES.c.id == ID).with_for_update()
ADD_ONE = (
    sa.update(NOTES)
    .where(NOTES.c.id == ID)
    .values(number=NOTES.c.number + 1)
    .returning(NOTES.c.number)
)


def note(id: str, **values: object) -> dict[str, object]:
    plain: dict[str, object] = dict.fromkeys(NOTES.c.keys())
    return {**plain, "id": id, "text": f"text of {id}", "number": 0, **values}
