"""For operators' tools and for authors of revisions: the history of all components' tables.

`HISTORY` is one line of revisions, each of one component. A database may hold the tables of
some components only; each has a version, the number of the last revision that was made of
them. `upgrade` and `downgrade` move a database along the line, and pass over the revisions of
components that it does not hold.

A revision is a file in `versions`, a module with

    revision = "0007"         the number after its predecessor's
    down_revision = "0006"
    component = "costs"
    loses = None              or what a downgrade takes away, which it does only if told to
    gradual = False           True for one that consists of the functions in `steps` alone
    rewrites = ()             columns in which it changes values, as "table.column"

and `upgrade()` and `downgrade()`, which use `alembic.op`; the last two may be left out. A
revision that is not gradual is one transaction, and ends before it has been in anybody's way
for long (`Patience`).
"""

from pathlib import Path

from storeproof.reference.database.revisions.exceptions import (
    HistoryBroken,
    LossNotAccepted,
    RevisionFailed,
    SchemaError,
    UnknownRevision,
)
from storeproof.reference.database.revisions.history import History, Revision
from storeproof.reference.database.revisions.moving import downgrade, upgrade
from storeproof.reference.database.revisions.patience import Patience

__all__ = [
    "HISTORY",
    "History",
    "HistoryBroken",
    "LossNotAccepted",
    "Patience",
    "Revision",
    "RevisionFailed",
    "SchemaError",
    "UnknownRevision",
    "downgrade",
    "upgrade",
]

HISTORY = History(Path(__file__).with_name("versions"))
"""The revisions of this release. Nothing is read before it is asked for."""
