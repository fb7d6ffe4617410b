"""For authors of the web application's routes: the one way to declare them.

Each names what it needs. A route of `auth` names the method of `AuthService` that it calls, which
checks its caller itself; every other one names a permission, which is checked before it runs.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

from litestar import delete, get, patch, post, put
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from storeproof.reference.auth.entities import Permission, Scope
from storeproof.reference.auth.service.access import NEEDS, Access, Need, Principal
from storeproof.reference.storage import Cursor
from storeproof.reference.web.problems import PROBLEMS

__all__ = [
    "ANYONE",
    "CALLS",
    "NEEDED",
    "SIGNED_IN",
    "After",
    "By",
    "Connection",
    "Declared",
    "Handler",
    "InScope",
    "Limit",
    "calling",
    "changes",
    "creates",
    "needing",
    "options",
    "reads",
    "removes",
    "replaces",
]

Declared: TypeAlias = Callable[[Callable[..., Any]], HTTPRouteHandler]
Handler: TypeAlias = BaseRouteHandler
Connection: TypeAlias = ASGIConnection[Any, Any, Any, Any]
By: TypeAlias = NamedDependency[Principal]
"""Who makes the request."""
After: TypeAlias = FromQuery[Cursor | None]
"""The `next_cursor` of the page before; the first page without."""
Limit: TypeAlias = FromQuery[int]
"""How many items a page may have: 1 to 1000."""
InScope: TypeAlias = Annotated[Scope, QueryParameter(name="scope")]
"""The scope that is asked about; every scope without."""

NEEDED: Final = "needs"
"""The key of a route's options under which it names what it needs."""
CALLS: Final = "calls"
"""The key under which it names the method of AuthService that checks it."""


def needing(need: Need) -> dict[str, Any]:
    """The options of a route that needs this."""
    return {NEEDED: need}


def calling(operation: str) -> dict[str, Any]:
    """The options of a route that calls this method of `AuthService`."""
    return {NEEDED: NEEDS[operation], CALLS: operation}


ANYONE: Final = needing(Access.ANYONE)
SIGNED_IN: Final = needing(Access.SIGNED_IN)


def reads(path: str, needs: Mapping[str, Any] | Permission, **more: Any) -> Declared:
    """Decorates what answers a question and changes nothing."""
    return get(path, opt=options(needs), responses=PROBLEMS, **more)


def creates(path: str, needs: Mapping[str, Any] | Permission, **more: Any) -> Declared:
    """Decorates what makes something, or does what is neither a replacement nor a removal."""
    return post(path, opt=options(needs), responses=PROBLEMS, **more)


def replaces(path: str, needs: Mapping[str, Any] | Permission, **more: Any) -> Declared:
    """Decorates what puts something in the place of what is there."""
    return put(path, opt=options(needs), responses=PROBLEMS, **more)


def changes(path: str, needs: Mapping[str, Any] | Permission, **more: Any) -> Declared:
    """Decorates what changes a part of what is there."""
    return patch(path, opt=options(needs), responses=PROBLEMS, **more)


def removes(path: str, needs: Mapping[str, Any] | Permission, **more: Any) -> Declared:
    """Decorates what takes something away; its answer has no body."""
    return delete(path, opt=options(needs), responses=PROBLEMS, **more)


def options(needs: Mapping[str, Any] | Permission) -> dict[str, Any]:
    """The options of a route that needs this; a permission alone is meant as `needing` it."""
    return needing(needs) if isinstance(needs, str) else dict(needs)
