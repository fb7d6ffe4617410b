"""For the storage: its tables, and the types that keep values exact on MariaDB."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from storeproof.reference.costs.entities import (
    Budget,
    Policy,
    ReservationState,
    Window,
    money,
    nanos,
)

__all__ = [
    "ALERTS",
    "BUDGETS",
    "CHARGES",
    "CORRECTIONS",
    "DELIVERIES",
    "RESERVATIONS",
    "TABLES",
    "VERSIONS",
    "Held",
    "tag_word",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a reservation holds in one budget, and of which window that is."""

    budget: str
    amount: int
    window_start: datetime
    settled: int | None = None


class _Converted(sa.TypeDecorator[Any]):
    """Values as what `store` makes of them, from which `load` makes an equal value."""

    impl = sa.BigInteger
    cache_ok = True

    def __init__(self, kind: Any, store: Callable[[Any], Any], load: Callable[[Any], Any]) -> None:
        super().__init__()
        self.kind, self.store, self.load = kind, store, load

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(self.kind)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else self.store(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else self.load(value)


def tag_word(tag: str) -> str:
    """How a tag stands among those of a charge: in hexadecimal digits, between spaces."""
    return f" {tag.encode().hex()} "


def _words(tags: frozenset[str]) -> str:
    return "".join(map(tag_word, sorted(tags)))


def _tags(words: str) -> frozenset[str]:
    return frozenset(bytes.fromhex(word).decode() for word in words.split())


def _member(kind: type[Enum]) -> _Converted:
    return _Converted(mysql.VARCHAR(16, charset="ascii", collation="ascii_bin"), _value, kind)


def _value(member: Enum) -> Any:
    return member.value


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


# nopad: the other collations of MariaDB take "a" and "a " for equal.
_EXACT: Final = {"charset": "utf8mb4", "collation": "utf8mb4_nopad_bin"}
ID = mysql.VARCHAR(255, **_EXACT)
"""Text that is a key, or is filtered by: compared and ordered by code point."""
TEXT = mysql.TEXT(charset="utf8mb4", collation="utf8mb4_nopad_bin")
_DIGEST = mysql.CHAR(64, charset="ascii", collation="ascii_bin")
NUMBER = sa.BigInteger()
# DATETIME knows no zones; TIMESTAMP ends in 2038.
TIME = _Converted(
    NUMBER,
    lambda at: (at - _EPOCH) // timedelta(microseconds=1),
    lambda count: _EPOCH + count * timedelta(microseconds=1),
)
AMOUNT = _Converted(NUMBER, nanos, money)
_LONG = mysql.LONGTEXT(charset="ascii", collation="ascii_bin")
TAGS = _Converted(_LONG, _words, _tags)
THRESHOLDS = _Converted(
    _LONG, lambda some: _json(sorted(some)), msgspec.json.Decoder(frozenset[int]).decode
)
HELD = _Converted(mysql.LONGTEXT(**_EXACT), _json, msgspec.json.Decoder(tuple[Held, ...]).decode)

TABLES = sa.MetaData()


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, **{"nullable": False} | options)


def _table(name: str, *columns: Any) -> sa.Table:
    return sa.Table(name, TABLES, *columns, mysql_engine="InnoDB")


CHARGES = _table(
    "cost_charges",
    _column("id", ID, primary_key=True),
    _column("amount", AMOUNT),
    _column("currency", ID),
    _column("owner", ID),
    _column("provider", ID),
    _column("model", ID),
    _column("quantity", NUMBER),
    _column("unit", TEXT),
    _column("tags", TAGS),
    # Long texts are grouped by their first 1024 bytes (max_sort_length), so by this instead.
    _column("tags_digest", _DIGEST),
    _column("occurred_at", TIME),
    sa.Index("cost_charges_order", "occurred_at", "id"),
)
CORRECTIONS = _table(
    "cost_corrections",
    _column("id", ID, primary_key=True),
    _column("charge", ID),
    _column("amount", AMOUNT),
    _column("reason", TEXT),
    _column("at", TIME),
    sa.Index("cost_corrections_of", "charge", "at"),
    sa.Index("cost_corrections_at", "at"),
)


def _budget_columns() -> list[sa.Column[Any]]:
    kinds: dict[str, Any] = {
        "limit": AMOUNT,
        "window": _member(Window),
        "thresholds": THRESHOLDS,
        "policy": _member(Policy),
    }
    optional = ("provider", "model", "tag")
    return [
        _column(name, kinds.get(name, ID), nullable=name in optional)
        for name in Budget.__struct_fields__
    ]


BUDGETS = _table(
    "cost_budgets",
    *_budget_columns(),
    _column("version", NUMBER),
    _column("window_start", TIME),
    _column("window_end", TIME, nullable=True),
    _column("spent", AMOUNT),
    _column("reserved", AMOUNT),
    sa.PrimaryKeyConstraint("id"),
    sa.Index("cost_budgets_scope", "scope"),
)
VERSIONS = _table(
    "cost_budget_versions",
    *_budget_columns(),
    _column("version", NUMBER, autoincrement=False),
    _column("actor", ID),
    _column("at", TIME),
    sa.PrimaryKeyConstraint("id", "version"),
)
RESERVATIONS = _table(
    "cost_reservations",
    _column("id", ID, primary_key=True),
    _column("at", TIME),
    _column("expires_at", TIME),
    _column("state", _member(ReservationState)),
    _column("held", HELD),
    sa.Index("cost_reservations_due", "state", "expires_at", "id"),
)
ALERTS = _table(
    "cost_alerts",
    _column("id", ID, primary_key=True),
    _column("budget", ID),
    _column("window_start", TIME),
    _column("threshold", NUMBER),
    _column("spent", AMOUNT),
    _column("limit", AMOUNT),
    _column("raised_at", TIME),
    sa.Index("cost_alerts_of", "budget", "window_start"),
    sa.Index("cost_alerts_order", "raised_at"),
)
DELIVERIES = _table(
    "cost_deliveries",
    _column("alert", ID, primary_key=True),
    _column("sink", ID, primary_key=True),
    _column("at", TIME),
)
