"""For `Database`: which driver a URL asks for."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from storeproof.reference.config import ConfigurationError
from storeproof.reference.database.drivers import Connectable, Settings
from storeproof.reference.database.sqlite import SqliteDriver

__all__ = ["is_in_memory", "open_driver"]

_POSTGRES = ("postgres", "postgresql", "postgresql+asyncpg")
_SQLITE = ("sqlite", "sqlite+aiosqlite")
_KNOWN = "Use postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:///PATH"


def is_in_memory(url: str) -> bool:
    """Whether a URL asks for a database that no file and no server keeps.

    Raises ConfigurationError where its scheme is not supported.
    """
    return _is_in_memory(_parse(url))


def open_driver(url: str, settings: Settings) -> Connectable:
    """The driver for a URL, not yet connected. Raises ConfigurationError."""
    parts = _parse(url)
    if parts.drivername in _POSTGRES:
        return _postgres(parts, settings)
    if _is_in_memory(parts) or parts.database is None:
        remedy = "Use the component's in-memory storage, or sqlite:///PATH"
        raise ConfigurationError("database_url", "a SQLite in memory can't be shared", remedy)
    if parts.query:
        raise ConfigurationError("database_url", "SQLite takes no parameters", "Remove them")
    return SqliteDriver(parts.database, settings)


def _parse(url: str) -> URL:
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        # The parser's own words may quote the password.
        raise ConfigurationError("database_url", "can't be read as a URL", _KNOWN) from None
    if parts.drivername not in (*_POSTGRES, *_SQLITE):
        reason = f"the scheme {parts.drivername!r} is not supported"
        raise ConfigurationError("database_url", reason, _KNOWN)
    return parts


def _is_in_memory(parts: URL) -> bool:
    return parts.drivername in _SQLITE and parts.database in (None, "", ":memory:")


def _postgres(parts: URL, settings: Settings) -> Connectable:
    try:
        from storeproof.reference.database.postgres import PostgresDriver
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        remedy = "Run: pip install 'storeproof[postgres]'"
        reason = "the driver asyncpg is not installed"
        raise ConfigurationError("database_url", reason, remedy) from None
    return PostgresDriver(parts, settings)
