"""For clients of the API: signing in and out, and what concerns the caller alone."""

from typing import Any

import msgspec
from litestar import Response, Router
from litestar.di import NamedDependency
from litestar.params import JSONBody

from storeproof.reference.auth.entities import GLOBAL, Permission
from storeproof.reference.auth.service import AuthService
from storeproof.reference.auth.service.views import SessionView, UserView
from storeproof.reference.web.access import Gate, csrf_token
from storeproof.reference.web.routes import SIGNED_IN, By, InScope, calling, creates, reads, removes

__all__ = ["LogIn", "Me", "SignedIn", "router"]


class LogIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`label` says on what somebody signs in; the session's list shows it."""

    email: str
    password: str
    label: str = ""


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The present password and the next one."""

    old: str
    new: str


class Redemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token of a password reset, and the password to set."""

    token: str
    password: str


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A new session. The token is shown this once; it is set as a cookie, too.

    `csrf_token` goes with changes that are made with the cookie.
    """

    token: str
    csrf_token: str
    session: SessionView


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes the request, and what they may do in the scope asked for."""

    user: UserView
    permissions: frozenset[Permission]


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions ended."""

    count: int


@creates("/", calling("log_in"), summary="Sign in")
async def log_in(
    data: JSONBody[LogIn], auth: NamedDependency[AuthService], gate: NamedDependency[Gate]
) -> Response[SignedIn]:
    """Opens a session. Whoever is refused is not told why."""
    issued = await auth.log_in(data.email, data.password, label=data.label)
    return _signed_in(issued.token, issued.session, gate)


@creates("/rotation", SIGNED_IN, summary="Replace the session's token", status_code=200)
async def rotate(
    by: By,
    presented: NamedDependency[str],
    auth: NamedDependency[AuthService],
    gate: NamedDependency[Gate],
) -> Response[SignedIn]:
    """The old token works for a short while more, for requests that are on their way."""
    issued = await auth.rotate_session(presented)
    return _signed_in(issued.token, issued.session, gate)


@removes("/current", calling("log_out"), summary="Sign out", status_code=200)
async def log_out(
    by: By, auth: NamedDependency[AuthService], gate: NamedDependency[Gate]
) -> Response[Count]:
    """Ends the session with which the request is made."""
    await auth.log_out(by)
    return Response(Count(count=1), cookies=[gate.forget()])


@removes(
    "/others", calling("log_out_everywhere"), summary="End all other sessions", status_code=200
)
async def log_out_everywhere(by: By, auth: NamedDependency[AuthService]) -> Count:
    """Ends all sessions of the caller but this one."""
    return Count(count=await auth.log_out_everywhere(by))


@reads("/me", calling("own_permissions"), summary="Who am I")
async def me(by: By, auth: NamedDependency[AuthService], within: InScope = GLOBAL) -> Me:
    """The caller, and what they may do in a scope; without one, everywhere."""
    permissions = await auth.own_permissions(by, within)
    return Me(user=await auth.own_user(by), permissions=permissions)


@creates("/password", calling("change_password"), summary="Change one's password", status_code=204)
async def change_password(
    data: JSONBody[NewPassword], by: By, auth: NamedDependency[AuthService]
) -> None:
    """Ends the caller's other sessions."""
    await auth.change_password(by, data.old, data.new)


@creates(
    "/reset", calling("redeem_reset"), summary="Set a password that was reset", status_code=204
)
async def redeem_reset(data: JSONBody[Redemption], auth: NamedDependency[AuthService]) -> None:
    """Redeems, once, the token of a password reset."""
    await auth.redeem_reset(data.token, data.password)


def router(*throttled: Any) -> Router:
    """The routes of sessions. throttled: middleware of those that anybody may guess at."""
    guessed = Router("/", route_handlers=[log_in, redeem_reset], middleware=list(throttled))
    own = [rotate, log_out, log_out_everywhere, me, change_password]
    return Router("/sessions", route_handlers=[guessed, *own], tags=["sessions"])


def _signed_in(token: str, session: SessionView, gate: Gate) -> Response[SignedIn]:
    lifetime = int((session.expires_at - session.created_at).total_seconds())
    made = SignedIn(token=token, csrf_token=csrf_token(token), session=session)
    return Response(made, cookies=[gate.issue(token, lifetime)])
