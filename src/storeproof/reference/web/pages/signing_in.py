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

from storeproof.reference.auth.service import AuthService, SignInRefused, WeakPassword
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.web.access import CSRF_FIELD, Gate, check_csrf, csrf_token
from storeproof.reference.web.forms import form_of
from storeproof.reference.web.pages.frame import Frame, local
from storeproof.reference.web.pages.routes import does, shows
from storeproof.reference.web.routes import ANYONE, By, calling

__all__ = ["log_in", "log_out", "new_password", "redeem", "sign_in"]

REFUSED = "That e-mail and password don't go together, or there were too many tries. Try again."
SPENT = "This token does not work, or no more. Ask whoever gave it to you for a new one."


@shows("/login", ANYONE, sync_to_thread=False)
def sign_in(
    request: Request[Any, Any, Any], gate: NamedDependency[Gate], next: FromQuery[str] = "/"
) -> Response[str]:
    """The form; it leads on to `next`, where that is one of our own pages."""
    return _form(request, gate, "login.html", next=local(next), email="")


@does("/login", calling("log_in"))
async def log_in(
    request: Request[Any, Any, Any],
    auth: NamedDependency[AuthService],
    gate: NamedDependency[Gate],
) -> Response[Any]:
    """Opens a session. Whoever is refused is not told why."""
    form = await form_of(request)
    email, wanted = form.get("email", ""), form.get("next", "/")
    check_csrf(request.cookies.get(gate.visitor_cookie, ""), form.get(CSRF_FIELD, ""))
    label = request.headers.get("user-agent", "")[:200]
    try:
        issued = await auth.log_in(email, form.get("password", ""), label=label)
    except (SignInRefused, InvalidValue):
        return _form(
            request, gate, "login.html", 401, next=local(wanted), email=email, problem=REFUSED
        )
    lifetime = issued.session.expires_at - issued.session.created_at
    answer = Frame(request, None).go(local(wanted))
    answer.set_cookie(gate.issue(issued.token, int(lifetime.total_seconds())))
    return answer


@shows("/reset", ANYONE, sync_to_thread=False)
def new_password(request: Request[Any, Any, Any], gate: NamedDependency[Gate]) -> Response[str]:
    """The form for who was given a token."""
    return _form(request, gate, "reset.html")


@does("/reset", calling("redeem_reset"))
async def redeem(
    request: Request[Any, Any, Any],
    auth: NamedDependency[AuthService],
    gate: NamedDependency[Gate],
) -> Response[Any]:
    """Sets the password, once."""
    form = await form_of(request)
    check_csrf(request.cookies.get(gate.visitor_cookie, ""), form.get(CSRF_FIELD, ""))
    try:
        await auth.redeem_reset(form.get("token", "").strip(), form.get("password", ""))
    except SignInRefused:
        return _form(request, gate, "reset.html", 401, problem=SPENT)
    except WeakPassword as error:
        return _form(request, gate, "reset.html", 422, problem=str(error))
    return Frame(request, None).go("/login", "password-set")


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
    request: Request[Any, Any, Any], gate: Gate, template: str, status: int = 200, **more: Any
) -> Response[str]:
    visitor = request.cookies.get(gate.visitor_cookie, "") or secrets.token_urlsafe(32)
    page = Frame(request, None, csrf_token(visitor)).page(template, status, **more)
    page.set_cookie(gate.greet(visitor))
    return page
