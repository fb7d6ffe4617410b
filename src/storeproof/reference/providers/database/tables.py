"""For `DatabaseProviderStorage`: its tables.

The columns of an entity have the names and the order of its fields, so a row is an
entity. A deleted provider stays as a tombstone, so whatever names a provider that ever
was may refer to it. Amounts are stored as nano-units, never as floating-point numbers.
"""

from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from storeproof.reference.database import Schema
from storeproof.reference.database.columns import NAMES, TEXT, TIME, metadata
from storeproof.reference.providers.amounts import amount_of, nanos_of
from storeproof.reference.providers.entities import ModelName, Price

__all__ = ["CHANNEL", "COUNTS", "LEASES", "OUTCOMES", "PROVIDERS", "SCHEMA", "SECRETS", "USAGE"]

_TABLES = metadata()
SCHEMA = Schema("providers", 1, _TABLES)
CHANNEL = "storeproof_providers"
"""Notified of each change of a provider or of a secret, on PostgreSQL."""


class _Amount(sa.TypeDecorator[Decimal]):
    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else nanos_of(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else amount_of(value)


class _Prices(sa.TypeDecorator[tuple[Price, ...]]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(
        self, value: tuple[Price, ...] | None, dialect: sa.Dialect
    ) -> str | None:
        rows = [(each.model, nanos_of(each.input), nanos_of(each.output)) for each in value or ()]
        return msgspec.json.encode(rows).decode()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> tuple[Price, ...]:
        rows = msgspec.json.decode(value or "[]", type=list[tuple[str, int, int]])
        return tuple(
            Price(model=ModelName(model), input=amount_of(read), output=amount_of(written))
            for model, read, written in rows
        )


def _column(name: str, kind: sa.types.TypeEngine[Any], *args: Any, **options: Any) -> Any:
    return sa.Column(name, kind, *args, **{"nullable": False} | options)


PROVIDERS = sa.Table(
    "providers",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("kind", TEXT),
    _column("endpoint", TEXT),
    _column("models", NAMES),
    _column("weight", sa.BigInteger()),
    _column("priority", sa.BigInteger()),
    _column("rpm", sa.BigInteger(), nullable=True),
    _column("tpm", sa.BigInteger(), nullable=True),
    _column("prices", _Prices()),
    _column("enabled", sa.Boolean()),
    _column("version", sa.BigInteger()),
    _column("revision", sa.BigInteger(), unique=True),
    _column("deleted", sa.Boolean()),
    _column("cooling_until", TIME, nullable=True),
)
sa.Index(None, PROVIDERS.c.priority, PROVIDERS.c.id)

SECRETS = sa.Table(
    "providers_secrets",
    _TABLES,
    _column("provider", TEXT, sa.ForeignKey(PROVIDERS.c.id), primary_key=True),
    _column("name", TEXT, primary_key=True),
    _column("key_id", TEXT, key="key"),
    _column("ciphertext", TEXT),
)

USAGE = sa.Table(
    "providers_usage",
    _TABLES,
    _column("minute", TIME, primary_key=True),
    _column("provider", TEXT, primary_key=True),
    _column("requests", sa.BigInteger()),
    _column("tokens", sa.BigInteger()),
)

LEASES = sa.Table(
    "providers_leases",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("provider", TEXT),
    _column("tokens", sa.BigInteger()),
    _column("at", TIME),
    _column("minute", TIME),
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
    _column("id", TEXT, primary_key=True),
    _column("provider", TEXT, sa.ForeignKey(PROVIDERS.c.id)),
    _column("at", TIME),
    _column("ok", sa.Boolean()),
    _column("latency", sa.BigInteger()),
    _column("tokens", sa.BigInteger()),
    _column("cost", _Amount()),
    _column("bucket", sa.BigInteger()),
)
sa.Index(None, OUTCOMES.c.provider, OUTCOMES.c.at)
sa.Index(None, OUTCOMES.c.at, OUTCOMES.c.id)

COUNTS = sa.Table(
    "providers_counts",
    _TABLES,
    _column("provider", TEXT, primary_key=True),
    _column("minutes", sa.BigInteger(), primary_key=True, autoincrement=False),
    _column("slot", TIME, primary_key=True, index=True),
    _column("ok", sa.Boolean(), primary_key=True),
    _column("bucket", sa.BigInteger(), primary_key=True, autoincrement=False),
    _column("count", sa.BigInteger()),
    _column("tokens", sa.BigInteger()),
    _column("cost", sa.BigInteger()),
)
