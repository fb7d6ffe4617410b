"""For the web application only: who makes a request, and whether they may.

Programs send a token of a session or an API key as `Authorization: Bearer …`. Pages send the
session's token as a cookie; because a browser does that for whatever page asks, what changes
something also needs the header `X-CSRF-Token`, which only our
own pages know: it is made from the session's token, so it ends with it, and no other session's fits
(OWASP's HMAC-based token pattern).
"""

import hashlib
import hmac
from typing import Final

from litestar.datastructures import Cookie
from litestar.types import Method

from storeproof.reference.auth.service import AuthService, SignInRefused
from storeproof.reference.auth.service.access import Access, Principal
from storeproof.reference.web.problems import Refusal
from storeproof.reference.web.routes import CALLS, NEEDED, Connection, Handler

__all__ = ["CSRF_HEADER", "Gate", "csrf_token"]

CSRF_HEADER: Final = "X-CSRF-Token"
_SAFE: Final[frozenset[Method | str]] = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER: Final = "bearer "


class Gate:
    """Lets a request through to its route, with `state.principal` set, or refuses it.

    secure: whether cookies are for HTTPS only; without, anybody on the way can read them.
    """

    def __init__(self, auth: AuthService, *, secure: bool) -> None:
        self._auth = auth
        self._secure = secure

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. `__Host-` keeps it from being set by subdomains."""
        return "__Host-storeproof" if self._secure else "storeproof"

    async def __call__(self, connection: Connection, handler: Handler) -> None:
        need = handler.opt.get(NEEDED, Access.OPERATOR)
        if need is Access.ANYONE or connection.scope.get("method") == "OPTIONS":
            return
        if need is Access.OPERATOR:
            raise Refusal(404, "request", "There is no such route.")
        principal = await self._principal(connection)
        connection.state.principal = principal
        if CALLS not in handler.opt and not isinstance(need, Access):
            await self._auth.require(principal, need)

    def issue(self, token: str, lifetime: int) -> Cookie:
        """The cookie of a session's token, for so many seconds."""
        return Cookie(
            key=self.cookie,
            value=token,
            max_age=lifetime,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def forget(self) -> Cookie:
        """The cookie that ends `issue`'s."""
        return self.issue("", 0)

    def token(self, connection: Connection) -> str:
        """The token that a request presents: the header's, else the cookie's. May be empty."""
        return _bearer(connection) or connection.cookies.get(self.cookie, "")

    async def _principal(self, connection: Connection) -> Principal:
        token = self.token(connection)
        if not token:
            raise SignInRefused
        if not _bearer(connection) and connection.scope.get("method") not in _SAFE:
            _check_csrf(token, connection.headers.get(CSRF_HEADER, ""))
        return await self._auth.authenticate(token)


def csrf_token(token: str) -> str:
    """What must come with a change that is made with this session's token as a cookie."""
    return hmac.new(token.encode(), b"storeproof csrf", hashlib.sha256).hexdigest()


def _bearer(connection: Connection) -> str:
    header = connection.headers.get("authorization", "")
    return header[len(_BEARER) :].strip() if header[: len(_BEARER)].lower() == _BEARER else ""


def _check_csrf(token: str, given: str) -> None:
    if not hmac.compare_digest(csrf_token(token).encode(), given.encode()):
        raise Refusal(
            403, "csrf", f"A change made with a cookie needs the header {CSRF_HEADER}; reload."
        )
