"""For authors of pages: what surrounds every one of them, and where it leads on to."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from litestar import Request, Response
from litestar.response import Redirect

from storeproof.reference.auth.entities import Permission
from storeproof.reference.auth.service.access import NEEDS, Access, covers
from storeproof.reference.web.access import Viewer
from storeproof.reference.web.needs import COSTS_READ, ERRORS_READ, PROVIDERS_READ, SYSTEM_READ
from storeproof.reference.web.pages.environment import render
from storeproof.reference.web.pages.notices import NOTICES

__all__ = ["HEADERS", "Frame", "local"]

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Nothing that is written in a page is run or styled; all comes from the application itself.

They are those of `Hardened`, too, which never sees what there is no route for.
"""


class Place(msgspec.Struct, frozen=True):
    """An entry of the navigation."""

    path: str
    name: str
    needs: Permission
    about: str = ""


def _of_auth(operation: str) -> Permission:
    need = NEEDS[operation]
    assert not isinstance(need, Access), "the entries of the navigation need permissions"
    return need


PLACES: Final = (
    Place("/errors", "Errors", ERRORS_READ),
    Place("/costs", "Costs", COSTS_READ),
    Place("/providers", "Providers", PROVIDERS_READ),
    Place("/users", "Users", _of_auth("list_users"), "who they are, and their roles"),
    Place("/roles", "Roles", _of_auth("list_roles"), "what each allows"),
    Place("/conformance", "Conformance", SYSTEM_READ, "what the suites found"),
)


class Frame:
    """Makes the answers to one request for a page.

    viewer: who asks; None before anybody is signed in. csrf: goes with every form.
    """

    def __init__(
        self, request: Request[Any, Any, Any], viewer: Viewer | None, csrf: str = ""
    ) -> None:
        self.csrf = csrf
        self.viewer = viewer
        self.root = str(request.scope.get("root_path", "")).rstrip("/")
        self.query = dict(request.query_params)
        self._request = request

    @property
    def here(self) -> str:
        """The address of this page, below the application's, with what it asks."""
        query = self._request.url.query
        return f"{self._request.scope['path'] or '/'}{'?' if query else ''}{query}"

    @property
    def places(self) -> tuple[Place, ...]:
        """Where whoever asks may go."""
        return tuple(each for each in PLACES if self.may(each.needs))

    def may(self, permission: str) -> bool:
        """Whether whoever asks holds this permission everywhere."""
        held = frozenset[Permission]() if self.viewer is None else self.viewer.held
        return covers(held, frozenset({Permission(permission)}))

    def path(self, path: str, *parts: str, **query: Any) -> str:
        """An address below the application's: with these parts, and what it asks."""
        asked = urlencode({name: each for name, each in query.items() if each not in {None, ""}})
        where = "/".join([path, *(quote(each, safe="") for each in parts)])
        return f"{where}?{asked}" if asked else where

    def link(self, path: str, *parts: str, **query: Any) -> str:
        """The same, to be written into a page."""
        return self.root + self.path(path, *parts, **query)

    def further(self, cursor: str) -> str:
        """The address of the page of this list that comes after this one."""
        return self.link(
            self._request.scope["path"], **{**self.query, "cursor": cursor, "done": ""}
        )

    def page(self, template: str, status: int = 200, **context: Any) -> Response[str]:
        """The page. problem: a sentence on what could not be done."""
        notice = NOTICES.get(self.query.get("done", ""), "")
        given = {"problem": "", "notice": notice, **context}
        text = render(template, frame=self, **given)
        return Response(text, status_code=status, media_type="text/html", headers=dict(HEADERS))

    def go(self, path: str, done: str = "") -> Redirect:
        """Leads on to another page, which says what was done: a name of `NOTICES`."""
        where = f"{self.root}{path}"
        if done:
            where += f"{'&' if '?' in path else '?'}done={done}"
        return Redirect(where, status_code=303, headers=dict(HEADERS))


def local(address: str) -> str:
    """The address, where it is one of the application's own pages; else that of the first one."""
    plain = address.isascii() and address.isprintable() and "\\" not in address
    return address if plain and address[:1] == "/" and address[:2] != "//" else "/"
