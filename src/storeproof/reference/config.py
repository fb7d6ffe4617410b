"""For applications that choose their storages by configuration: where the data lives.

`load_config()` reads the environment; `Config.from_mapping` reads anything else. The
environment is read when the function is called, never at import.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["Config", "ConfigurationError", "load_config"]

PREFIX = "STOREPROOF_"
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class ConfigurationError(Exception):
    """The setting `key` can't be used; `remedy` says what to do. Never quotes a secret."""

    def __init__(self, key: str, reason: str, remedy: str) -> None:
        super().__init__(key, reason, remedy)
        self.key = key
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}. {self.remedy}."


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which storages to use, and how they may use the database.

    Without `database_url`, or with that of an in-memory SQLite, data lives in memory.
    `create_schema`: create the tables where there are none; otherwise that is an error.
    `pool_size`: connections to PostgreSQL, at most, beside that of `Database.watch`.
    `pool_timeout`: seconds to wait for one of them (on SQLite, for the turn to write).
    `statement_timeout`: seconds that the database may take for one statement, waiting for
    locks included.
    """

    database_url: str | None = None
    create_schema: bool = False
    pool_size: int = 10
    pool_timeout: float = 10.0
    statement_timeout: float = 10.0

    def __post_init__(self) -> None:
        _require("pool_size", self.pool_size, 1)
        _require("pool_timeout", self.pool_timeout, 0.001)
        _require("statement_timeout", self.statement_timeout, 0.001)

    def __repr__(self) -> str:
        shown = {field.name: getattr(self, field.name) for field in fields(self)}
        shown["database_url"] = self.database_url and _masked(self.database_url)
        return f"Config({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Config":
        """The configuration with these settings, given as such or as text.

        An empty text means that the setting is not given. Raises ConfigurationError for
        an unknown or a bad setting, naming it.
        """
        for key in sorted(mapping.keys() - _READERS.keys()):
            raise ConfigurationError(key, "is not a setting", f"Known are {', '.join(_READERS)}")
        given = {key: value for key, value in mapping.items() if not _is_blank(value)}
        return cls(**{key: _READERS[key](key, value) for key, value in given.items()})


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """The configuration in the environment: STOREPROOF_DATABASE_URL and its like.

    Every setting of `Config` has a variable, in capitals behind STOREPROOF_. Raises
    ConfigurationError for a bad value, naming the variable.
    """
    environ = os.environ if environ is None else environ
    names = {key: PREFIX + key.upper() for key in _READERS}
    given = {key: environ[name] for key, name in names.items() if name in environ}
    try:
        return Config.from_mapping(given)
    except ConfigurationError as error:
        raise ConfigurationError(names[error.key], error.reason, error.remedy) from None


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _require(key: str, value: float, minimum: float) -> None:
    if not minimum <= value < float("inf"):
        raise ConfigurationError(key, f"must be at least {minimum}", "Correct its value")


def _read_text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(key, "must be text", "Correct its value")
    return value.strip()


def _read_flag(key: str, value: Any) -> bool:
    flag = value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise ConfigurationError(key, "must be true or false", "Correct its value")
    return flag


def _read_integer(key: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(value if isinstance(value, str) else "")
    except ValueError:
        raise ConfigurationError(key, "must be an integer", "Correct its value") from None


def _read_seconds(key: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ConfigurationError(key, "must be seconds", "Correct its value") from None


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "database_url": _read_text,
    "create_schema": _read_flag,
    "pool_size": _read_integer,
    "pool_timeout": _read_seconds,
    "statement_timeout": _read_seconds,
}


def _masked(url: str) -> str:
    """The URL without its user, password and parameters, each of which may be a secret."""
    scheme, mark, rest = url.partition("://")
    before, question, query = rest.partition("?")
    _login, at, place = before.rpartition("@")
    if not mark or "@" in query:  # no telling what is what
        return "***"
    return f"{scheme}://{'***@' if at else ''}{place}{'?***' if question else ''}"
