"""For `DatabaseProviderStorage`: outcomes, recorded and purged together with their counts.

On PostgreSQL one statement records outcomes and counts them. SQLite can't change two tables
in one statement; there it is a transaction, which runs alone anyway. Outcomes that come at
once go together, so that those of one provider don't queue for the rows that count them.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict
from sqlalchemy.dialects import postgresql, sqlite

from storeproof.reference.database import Database, ForeignKeyViolated, Transaction
from storeproof.reference.database.compiling import POSTGRES
from storeproof.reference.database.engine import ATTEMPTS
from storeproof.reference.database.entities import bind, columns
from storeproof.reference.database.rows import given_rows
from storeproof.reference.exceptions import Duplicate, NotFound, Unavailable
from storeproof.reference.providers.database.counting import FORGET_EMPTY, LONGEST, count
from storeproof.reference.providers.database.tables import OUTCOMES
from storeproof.reference.providers.entities import Outcome
from storeproof.reference.providers.sketch import bucket_of

__all__ = ["RECORD", "parameters", "purge_outcomes", "record", "record_outcome"]


def _store(insert: Any) -> Any:
    given = given_rows(OUTCOMES.c)
    rows = sa.select(*given.c).where(sa.true()).order_by(given.c.id)
    new = insert(OUTCOMES).from_select(list(OUTCOMES.c), rows)
    return new.on_conflict_do_nothing(index_elements=[OUTCOMES.c.id]).returning(*OUTCOMES.c)


def _record() -> sa.Select[Any]:
    stored = _store(postgresql.insert).cte("stored")
    counted = count(postgresql.insert, stored, 1).returning(sa.true()).cte("counted")
    return sa.select(stored.c.id).add_cte(counted)


RECORD = _record()
"""Returns the ids of those that are new. So does STORE."""

STORE = _store(sqlite.insert)
COUNT = count(sqlite.insert, given_rows(OUTCOMES.c), 1)
GET_OUTCOME = sa.select(*columns(OUTCOMES, Outcome)).where(OUTCOMES.c.id == bind(OUTCOMES.c.id))


def _old() -> sa.Select[Any]:
    return (
        sa.select(OUTCOMES)
        .where(OUTCOMES.c.at < bind(OUTCOMES.c.at, "before"))
        .order_by(OUTCOMES.c.at, OUTCOMES.c.id)
        .limit(sa.bindparam("limit", type_=sa.BigInteger()))
    )


def _delete() -> Any:
    old = _old().with_for_update().cte("old")
    chosen = OUTCOMES.c.id.in_(sa.select(old.c.id))
    return sa.delete(OUTCOMES).where(chosen)


def _purge() -> sa.Select[Any]:
    gone = _delete().returning(*OUTCOMES.c).cte("gone")
    counted = count(postgresql.insert, gone, -1).returning(sa.true()).cte("counted")
    return sa.select(gone.c.at).add_cte(counted)


PURGE = _purge()
"""Returns the times of the outcomes that go. So does DELETE."""

DISCOUNT = count(sqlite.insert, _old().subquery("old"), -1)
DELETE = _delete().returning(OUTCOMES.c.at)


def parameters(outcome: Outcome) -> dict[str, Any]:
    """The values of the columns of an outcome."""
    return {**asdict(outcome), "bucket": bucket_of(outcome.latency)}


async def record_outcome(
    database: Database, recorded: Callable[[Outcome], Awaitable[bool]], outcome: Outcome
) -> Outcome:
    """As `ProviderStorage.record_outcome`, for a canonical outcome; `recorded` is `record`."""
    for _ in range(ATTEMPTS):
        try:
            if await recorded(outcome):
                return outcome
        except ForeignKeyViolated as error:
            raise NotFound("provider", outcome.provider) from error
        # There was one with this id; if it is gone, a purge took it meanwhile.
        for row in await database.read(GET_OUTCOME, {"id": outcome.id}):
            if dict(zip(Outcome.__struct_fields__, row, strict=True)) != asdict(outcome):
                raise Duplicate("id")
            return outcome
    raise Unavailable("the outcome was purged again and again")


async def record(database: Database, outcomes: Sequence[Outcome]) -> list[bool]:
    """Of each outcome whether it was new, and so recorded. Raises ForeignKeyViolated."""
    rows = [parameters(outcome) for outcome in outcomes]

    async def work(transaction: Transaction) -> set[str]:
        stored = {row[0] for row in await transaction.run(STORE, {"given": rows})}
        if stored:
            counted = [row for row in rows if row["id"] in stored]
            await transaction.run(COUNT, {"given": counted})
        return stored

    if database.dialect == POSTGRES:
        new = {row[0] for row in await database.write(RECORD, {"given": rows})}
    else:
        new = await database.transact(work)
    return [outcome.id in new for outcome in outcomes]


async def purge_outcomes(database: Database, before: datetime, limit: int) -> int:
    """As `ProviderStorage.purge_outcomes`, for canonical arguments."""
    given = {"before": before, "limit": limit}

    async def work(transaction: Transaction) -> int:
        if database.dialect == POSTGRES:
            times = [at for (at,) in await transaction.run(PURGE, given)]
        else:
            await transaction.run(DISCOUNT, given)
            times = [at for (at,) in await transaction.run(DELETE, given)]
        if times:
            span = {"first": min(times) - LONGEST, "last": max(times)}
            await transaction.run(FORGET_EMPTY, span)
        return len(times)

    return await database.transact(work)
