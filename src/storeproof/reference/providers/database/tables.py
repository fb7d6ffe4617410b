"""For `DatabaseProviderStorage`: its tables.

The columns of an entity have the names and the order of its fields, so a row is an
entity. A deleted provider stays as a tombstone, so whatever names a provider that ever
was may refer to it. Amounts are stored as nano-units, never as floating-point numbers.
"""

import msgspec
import sqlalchemy as sa

from storeproof.reference.database import Schema
from storeproof.reference.database.columns import (
    NAMES,
    TEXT,
    TIME,
    IntegerOf,
    TextOf,
    column,
    metadata,
)
from storeproof.reference.providers.amounts import amount_of, nanos_of
from storeproof.reference.providers.entities import ModelName, Price

__all__ = ["CHANNEL", "COUNTS", "LEASES", "OUTCOMES", "PROVIDERS", "SCHEMA", "SECRETS", "USAGE"]

_TABLES = metadata()
SCHEMA = Schema("providers", 4, _TABLES)
CHANNEL = "storeproof_providers"
"""Notified of each change of a provider or of a secret, on PostgreSQL."""


def _prices_text(prices: tuple[Price, ...]) -> str:
    rows = [(each.model, nanos_of(each.input), nanos_of(each.output)) for each in prices]
    return msgspec.json.encode(rows).decode()


def _prices(text: str) -> tuple[Price, ...]:
    rows = msgspec.json.decode(text, type=list[tuple[str, int, int]])
    return tuple(
        Price(model=ModelName(model), input=amount_of(read), output=amount_of(written))
        for model, read, written in rows
    )


PROVIDERS = sa.Table(
    "providers",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("kind", TEXT),
    column("endpoint", TEXT),
    column("models", NAMES),
    column("weight", sa.BigInteger()),
    column("priority", sa.BigInteger()),
    column("rpm", sa.BigInteger(), nullable=True),
    column("tpm", sa.BigInteger(), nullable=True),
    column("prices", TextOf(_prices_text, _prices)),
    column("enabled", sa.Boolean()),
    column("version", sa.BigInteger()),
    column("revision", sa.BigInteger(), unique=True),
    column("deleted", sa.Boolean()),
    column("cooling_until", TIME, nullable=True),
)
sa.Index(None, PROVIDERS.c.priority, PROVIDERS.c.id)

SECRETS = sa.Table(
    "providers_secrets",
    _TABLES,
    column("provider", TEXT, sa.ForeignKey(PROVIDERS.c.id), primary_key=True),
    column("name", TEXT, primary_key=True),
    column("key_id", TEXT, key="key"),
    column("ciphertext", TEXT),
)

USAGE = sa.Table(
    "providers_usage",
    _TABLES,
    column("minute", TIME, primary_key=True),
    column("provider", TEXT, primary_key=True),
    column("requests", sa.BigInteger()),
    column("tokens", sa.BigInteger()),
)

LEASES = sa.Table(
    "providers_leases",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("provider", TEXT),
    column("tokens", sa.BigInteger()),
    column("at", TIME),
    column("minute", TIME),
)
LEASES.append_constraint(
    sa.ForeignKeyConstraint(
        [LEASES.c.minute, LEASES.c.provider],
        [USAGE.c.minute, USAGE.c.provider],
        ondelete="CASCADE",
    )
)
sa.Index(None, LEASES.c.minute, LEASES.c.provider)

OUTCOMES = sa.Table(
    "providers_outcomes",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("provider", TEXT, sa.ForeignKey(PROVIDERS.c.id)),
    column("at", TIME),
    column("ok", sa.Boolean()),
    column("latency", sa.BigInteger()),
    column("tokens", sa.BigInteger()),
    column("cost", IntegerOf(nanos_of, amount_of)),
    column("bucket", sa.BigInteger()),
)
sa.Index(None, OUTCOMES.c.provider, OUTCOMES.c.at)
sa.Index(None, OUTCOMES.c.at, OUTCOMES.c.id)

COUNTS = sa.Table(
    "providers_counts",
    _TABLES,
    column("provider", TEXT, primary_key=True),
    column("minutes", sa.BigInteger(), primary_key=True, autoincrement=False),
    column("slot", TIME, primary_key=True, index=True),
    column("ok", sa.Boolean(), primary_key=True),
    column("bucket", sa.BigInteger(), primary_key=True, autoincrement=False),
    column("count", sa.BigInteger()),
    column("tokens", sa.BigInteger()),
    column("cost", sa.BigInteger()),
)
