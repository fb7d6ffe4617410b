"""For the web application only: who makes a request, and whether they may.

Programs send a token of a session or an API key as `Authorization: Bearer …`. Pages send the
session's token as a cookie; because a browser does that for whatever page asks, what changes
something also needs the header `X-CSRF-Token`, or in a page's form the field `csrf_token`, which
only our own pages know: it is made from the session's token, so it ends with it, and no other
session's fits (OWASP's HMAC-based token pattern).
"""

import hashlib
import hmac
from typing import Final

import msgspec
from litestar.datastructures import Cookie
from litestar.types import Method

from storeproof.reference.auth.entities import GLOBAL, Permission
from storeproof.reference.auth.service import AuthService, SignInRefused
from storeproof.reference.auth.service.access import Access, Principal
from storeproof.reference.auth.service.views import UserView
from storeproof.reference.web.forms import form_of
from storeproof.reference.web.problems import Refusal
from storeproof.reference.web.routes import CALLS, NEEDED, Connection, Handler

__all__ = [
    "CSRF_FIELD",
    "CSRF_HEADER",
    "PAGE",
    "SAFE",
    "Gate",
    "Viewer",
    "check_csrf",
    "csrf_token",
]

CSRF_HEADER: Final = "X-CSRF-Token"
CSRF_FIELD: Final = "csrf_token"
"""The field of a form that has the token, where a page sends it."""
PAGE: Final = "page"
"""The key of a route's options under which a page says that it is one."""
SAFE: Final[frozenset[Method | str]] = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER: Final = "bearer "


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at a page, and what they may do everywhere."""

    user: UserView
    held: frozenset[Permission]


class Gate:
    """Lets a request through to its route, with `state.principal` set, or refuses it.

    Pages have `state.viewer`, too, also where they are refused for what is not allowed.

    secure: whether cookies are for HTTPS only; without, anybody on the way can read them.
    """

    def __init__(self, auth: AuthService, *, secure: bool) -> None:
        self._auth = auth
        self._secure = secure

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. `__Host-` keeps it from being set by subdomains."""
        return "__Host-storeproof" if self._secure else "storeproof"

    @property
    def visitor_cookie(self) -> str:
        """The name of the cookie of who is not signed in yet; the form to do so goes with it."""
        return f"{self.cookie}-visitor"

    async def __call__(self, connection: Connection, handler: Handler) -> None:
        need = handler.opt.get(NEEDED, Access.OPERATOR)
        if need is Access.ANYONE or connection.scope.get("method") == "OPTIONS":
            return
        if need is Access.OPERATOR:
            raise Refusal(404, "request", "There is no such route.")
        principal = await self._principal(connection)
        connection.state.principal = principal
        if PAGE in handler.opt:
            connection.state.viewer = await self._viewer(principal)
        if CALLS not in handler.opt and not isinstance(need, Access):
            await self._auth.require(principal, need)

    def issue(self, token: str, lifetime: int) -> Cookie:
        """The cookie of a session's token, for so many seconds."""
        return self._made(self.cookie, token, lifetime)

    def forget(self) -> Cookie:
        """The cookie that ends `issue`'s."""
        return self.issue("", 0)

    def greet(self, visitor: str) -> Cookie:
        """The cookie of who is not signed in yet, until the browser is closed."""
        return self._made(self.visitor_cookie, visitor, None)

    def token(self, connection: Connection) -> str:
        """The token that a request presents: the header's, else the cookie's. May be empty."""
        return _bearer(connection) or connection.cookies.get(self.cookie, "")

    def _made(self, name: str, value: str, lifetime: int | None) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            max_age=lifetime,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    async def _viewer(self, principal: Principal) -> Viewer:
        held = await self._auth.own_permissions(principal, GLOBAL)
        return Viewer(user=await self._auth.own_user(principal), held=held)

    async def _principal(self, connection: Connection) -> Principal:
        token = self.token(connection)
        if not token:
            raise SignInRefused
        if not _bearer(connection) and connection.scope.get("method") not in SAFE:
            check_csrf(token, await _given(connection))
        return await self._auth.authenticate(token)


def csrf_token(token: str) -> str:
    """What must come with a change that is made with this session's token as a cookie."""
    return hmac.new(token.encode(), b"storeproof csrf", hashlib.sha256).hexdigest()


def _bearer(connection: Connection) -> str:
    header = connection.headers.get("authorization", "")
    return header[len(_BEARER) :].strip() if header[: len(_BEARER)].lower() == _BEARER else ""


async def _given(connection: Connection) -> str:
    """The token that comes with a change; forms are read for pages alone."""
    header = connection.headers.get(CSRF_HEADER, "")
    if header or PAGE not in connection.route_handler.opt:
        return header
    return (await form_of(connection)).get(CSRF_FIELD, "")


def check_csrf(token: str, given: str) -> None:
    """Raises Refusal unless this was given with a change that is made with that token."""
    if not token or not hmac.compare_digest(csrf_token(token).encode(), given.encode()):
        raise Refusal(
            403, "csrf", f"A change made with a cookie needs the header {CSRF_HEADER}; reload."
        )
