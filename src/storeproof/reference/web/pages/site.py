"""For the web application only: all pages, as one router to be served beside the API."""

from typing import Any

from litestar import Request, Router
from litestar.di import NamedDependency, Provide

from storeproof.reference.web.access import csrf_token
from storeproof.reference.web.pages import (
    assets,
    budgets,
    conformance,
    costs,
    errors,
    overview,
    providers,
    signing_in,
    users,
)
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.refusing import HANDLERS

__all__ = ["router"]


def router(*throttled: Any) -> Router:
    """The pages. throttled: middleware of what anybody may guess at."""
    guessed = Router(
        "/", route_handlers=[signing_in.log_in, signing_in.redeem], middleware=list(throttled)
    )
    own = [
        signing_in.sign_in,
        signing_in.new_password,
        signing_in.log_out,
        overview.overview,
        assets.asset,
    ]
    about_errors = [errors.overview, errors.groups, errors.group, errors.decide]
    about_costs = [costs.overview, budgets.show, budgets.new, budgets.create, budgets.change]
    about_providers = [providers.overview, providers.show, providers.change, providers.end_cooling]
    about_users = [users.listing, users.new, users.create, users.show, users.change, users.roles]
    about_access = [users.grant, users.revoke, users.unlock, users.reset]
    about_suites = [conformance.overview, conformance.whole]
    services = [*about_errors, *about_costs, *about_providers, *about_suites]
    return Router(
        "/",
        route_handlers=[guessed, *own, *services, *about_users, *about_access],
        dependencies={"frame": Provide(_frame, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        include_in_schema=False,
    )


def _frame(request: Request[Any, Any, Any], presented: NamedDependency[str]) -> Frame:
    return Frame(request, request.state.viewer, csrf_token(presented))
