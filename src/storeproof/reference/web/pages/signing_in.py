"""For people: signing in and out, in a browser.

Before anybody is signed in there is no session to make a CSRF token of. So a visitor's browser is
given a random cookie, and the form has the token that is made of it: nobody can be signed in as
somebody else by a form on another site.
"""

import secrets
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromQuery

from storeproof.reference.auth.service import AuthService, SignInRefused
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.web.access import CSRF_FIELD, Gate, check_csrf, csrf_token
from storeproof.reference.web.pages.frame import Frame, local
from storeproof.reference.web.pages.routes import does, shows
from storeproof.reference.web.routes import ANYONE, By, calling

__all__ = ["log_in", "log_out", "sign_in"]

REFUSED = "That e-mail and password don't go together, or there were too many tries. Try again."


@shows("/login", ANYONE, sync_to_thread=False)
def sign_in(
    request: Request[Any, Any, Any], gate: NamedDependency[Gate], next: FromQuery[str] = "/"
) -> Response[str]:
    """The form; it leads on to `next`, where that is one of our own pages."""
    return _form(request, gate, next=next)


@does("/login", calling("log_in"))
async def log_in(
    request: Request[Any, Any, Any],
    auth: NamedDependency[AuthService],
    gate: NamedDependency[Gate],
) -> Response[Any]:
    """Opens a session. Whoever is refused is not told why."""
    form = await request.form()
    email, wanted = form.get("email", ""), form.get("next", "/")
    check_csrf(request.cookies.get(gate.visitor_cookie, ""), form.get(CSRF_FIELD, ""))
    label = request.headers.get("user-agent", "")[:200]
    try:
        issued = await auth.log_in(email, form.get("password", ""), label=label)
    except (SignInRefused, InvalidValue):
        return _form(request, gate, 401, next=wanted, email=email, problem=REFUSED)
    lifetime = issued.session.expires_at - issued.session.created_at
    answer = Frame(request, None).go(local(wanted))
    answer.set_cookie(gate.issue(issued.token, int(lifetime.total_seconds())))
    return answer


@does("/logout", calling("log_out"))
async def log_out(
    by: By,
    auth: NamedDependency[AuthService],
    gate: NamedDependency[Gate],
    frame: NamedDependency[Frame],
) -> Response[Any]:
    """Ends the session with which the request is made."""
    await auth.log_out(by)
    answer = frame.go("/login", "signed-out")
    answer.set_cookie(gate.forget())
    return answer


def _form(
    request: Request[Any, Any, Any], gate: Gate, status: int = 200, *, next: str, **more: Any
) -> Response[str]:
    visitor = request.cookies.get(gate.visitor_cookie, "") or secrets.token_urlsafe(32)
    frame = Frame(request, None, csrf_token(visitor))
    page = frame.page("login.html", status, **{"email": "", "next": local(next), **more})
    page.set_cookie(gate.greet(visitor))
    return page
