"""The PostgreSQL backend reads and writes the URLs of databases through `PostgresUrl`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from storeproof.harness.exceptions import BackendUnavailable

__all__ = ["PostgresUrl", "parse_url"]

FORM = "Give one of the form postgresql://user:password@host:port/database"


@dataclass(frozen=True, kw_only=True)
class PostgresUrl:
    """A database on a PostgreSQL server that is reached over TCP; its `repr` hides the password."""

    host: str
    port: int = 5432
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str = "postgres"
    ssl: str | None = None
    """libpq's sslmode (`require`, `verify-full`, …)."""

    @property
    def server(self) -> str:
        """host:port, for people."""
        return f"{self._bracketed}:{self.port}"

    @property
    def place(self) -> str:
        """host:port/database, for people."""
        return f"{self.server}/{self.database}"

    def to(self, database: str) -> PostgresUrl:
        """Give the same server's other database."""
        return replace(self, database=database)

    def at(self, host: str, port: int) -> PostgresUrl:
        """Give the same database as reached elsewhere; encrypted only where that was asked for."""
        return replace(self, host=host, port=port, ssl=self.ssl or "disable")

    def arguments(self) -> dict[str, Any]:
        """Give asyncpg.connect's arguments."""
        found = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "ssl": self.ssl,
        }
        return {name: value for name, value in found.items() if value is not None}

    def render(self, scheme: str = "postgresql+asyncpg") -> str:
        """Write the URL as SQLAlchemy and its asyncpg dialect read it; the password is in it."""
        login = quote(self.user or "", safe="")
        if self.password is not None:
            login += ":" + quote(self.password, safe="")
        at = "@" if login else ""
        query = f"?ssl={quote(self.ssl)}" if self.ssl else ""
        database = quote(self.database, safe="")
        return f"{scheme}://{login}{at}{self._bracketed}:{self.port}/{database}{query}"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_url(text: str) -> PostgresUrl:
    """Read a URL as libpq or SQLAlchemy write it (`postgres://`, `postgresql+driver://`).

    Raises BackendUnavailable, whose text never holds any of the URL's password.
    """
    parts, port = _split(text)
    if parts.scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise _refused(f"the URL given is not one of PostgreSQL ({parts.scheme or 'no scheme'})")
    if not parts.hostname:
        raise _refused("the URL given names no TCP host")
    return PostgresUrl(
        host=unquote(parts.hostname),
        port=port or 5432,
        user=unquote(parts.username) if parts.username else None,
        password=None if parts.password is None else unquote(parts.password),
        database=unquote(parts.path.lstrip("/")) or "postgres",
        ssl=_ssl(parts.query),
    )


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(text.strip())
        return parts, parts.port
    except ValueError:
        # The parser's own message quotes what may be a part of the password.
        raise _refused(
            "the URL given can't be read; a special character of its password must be "
            "percent-encoded (@ as %40, / as %2F)"
        ) from None


def _ssl(query: str) -> str | None:
    parameters = dict(parse_qsl(query))
    ssl = parameters.pop("sslmode", parameters.pop("ssl", None))
    if parameters:
        raise _refused(
            f"the URL's parameters can't be passed on: {', '.join(sorted(parameters))} "
            "(only sslmode can)"
        )
    return ssl


def _refused(reason: str) -> BackendUnavailable:
    return BackendUnavailable("postgres", reason, FORM)
