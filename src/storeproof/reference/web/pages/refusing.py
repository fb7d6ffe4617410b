"""For the web application only: what goes wrong on the way to a page is told by a page."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import NotFoundException

from storeproof.reference.web import problems
from storeproof.reference.web.access import SAFE
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.problems import Refusal, answered, headers_of

__all__ = ["HANDLERS", "LOST"]

_STALE = "Go back, reload the page, and send it again: you signed in anew since it was opened."

_ADVICE: Final[Mapping[int, str]] = {
    400: "Go back and correct what was sent.",
    403: "You are signed in, but none of your roles allows it. An administrator can grant one.",
    404: "It may have been removed. Start again from the overview.",
    412: "Go back, reload the page, and decide on what it shows then.",
    429: "Wait a minute, then try again.",
    503: "Nothing was changed. Try again in a moment.",
    504: "Look whether it was changed before you try again.",
}
"""What to do about it, by status."""


def _refuse(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A page on what went wrong; whoever is not signed in is led to where they can be."""
    viewer = getattr(request.state, "viewer", None)
    frame = Frame(request, viewer)
    problem = answered(request, error)
    if problem.status == 401:
        asked = frame.here if request.method in SAFE else "/"
        return frame.go(f"/login?next={quote(asked, safe='')}")
    stale = isinstance(error, Refusal) and error.word == "csrf"
    advice = _STALE if stale else _ADVICE.get(problem.status, "")
    made = frame.page("refusal.html", problem.status, refusal=problem, advice=advice)
    made.headers.update(headers_of(error, problem.status))
    return made


def _lost(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """There is no such route: a page for people, a problem for programs."""
    person = "text/html" in request.headers.get("accept", "")
    handler = _refuse if person else problems.HANDLERS[Exception]
    answer: Response[Any] = handler(request, error)
    return answer


LOST: Final[dict[int | type[Exception], Any]] = {NotFoundException: _lost}
"""For Litestar: what is answered where there is no route."""

HANDLERS: Final[dict[int | type[Exception], Any]] = {Exception: _refuse}
"""For Litestar: every error becomes a page."""
