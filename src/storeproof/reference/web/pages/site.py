"""For the web application only: all pages, as one router to be served beside the API."""

from typing import Any

from litestar import Request, Router
from litestar.di import NamedDependency, Provide

from storeproof.reference.web.access import csrf_token
from storeproof.reference.web.pages import assets, overview, signing_in
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.refusing import HANDLERS

__all__ = ["router"]


def router(*throttled: Any) -> Router:
    """The pages. throttled: middleware of what anybody may guess at."""
    guessed = Router("/", route_handlers=[signing_in.log_in], middleware=list(throttled))
    own = [signing_in.sign_in, signing_in.log_out, overview.overview, assets.asset]
    return Router(
        "/",
        route_handlers=[guessed, *own],
        dependencies={"frame": Provide(_frame, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        include_in_schema=False,
    )


def _frame(request: Request[Any, Any, Any], presented: NamedDependency[str]) -> Frame:
    return Frame(request, request.state.viewer, csrf_token(presented))
