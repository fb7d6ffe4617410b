"""For whoever serves the reference services over HTTP: the ASGI application, API and pages.

    async with open_storages(load_config()) as storages:
        app = create_app(Services.over(storages, cipher=cipher))

It can be mounted in another ASGI application. It starts nothing and closes nothing: whoever opened
the storages closes them.
"""

from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from storeproof.reference.auth.service.access import Principal
from storeproof.reference.web.access import Gate
from storeproof.reference.web.api import costs, errors, health, providers, roles, sessions, users
from storeproof.reference.web.hardening import Hardened
from storeproof.reference.web.observing import Observer
from storeproof.reference.web.pages import refusing, site
from storeproof.reference.web.paths import SlashesHidden, SlashesShown
from storeproof.reference.web.problems import HANDLERS
from storeproof.reference.web.routes import ANYONE, NEEDED
from storeproof.reference.web.services import Services
from storeproof.reference.web.settings import WebSettings

__all__ = ["API", "create_app", "require_needs"]

API = "/api/v1"
"""Where the API is."""

SCHEMA = f"{API}/schema"
"""Where its OpenAPI document is, as openapi.json."""


def create_app(
    services: Services,
    settings: WebSettings | None = None,
    *,
    observer: Callable[[], Observer] = Observer,
) -> Litestar:
    """The application that serves these services.

    observer: makes what counts and logs requests.
    """
    settings = settings or WebSettings()
    gate = Gate(services.auth, secure=settings.secure_cookies)
    seen = observer()
    throttle = RateLimitConfig(rate_limit=("minute", settings.log_ins)).middleware
    app = Litestar(
        route_handlers=[_api(throttle), health.router(), site.router(throttle)],
        guards=[gate],
        middleware=[SlashesShown(), seen, Hardened()],
        dependencies=_dependencies(services, settings, gate, seen),
        exception_handlers=HANDLERS | refusing.LOST,
        openapi_config=_openapi(),
        request_max_body_size=settings.max_body,
        logging_config=None,
    )
    require_needs(app)
    app.asgi_handler = SlashesHidden(app.asgi_handler)
    return app


def _api(throttle: Any) -> Router:
    parts = [sessions.router(throttle), users.router(), *roles.routers()]
    return Router(API, route_handlers=[*parts, errors.router(), costs.router(), providers.router()])


def _dependencies(
    services: Services, settings: WebSettings, gate: Gate, observer: Observer
) -> dict[str, Provide]:
    given = {
        "services": services,
        "settings": settings,
        "auth": services.auth,
        "costs": services.costs,
        "errors": services.errors,
        "providers": services.providers,
        "gate": gate,
        "observer": observer,
    }
    made = {name: Provide(_constant(each), sync_to_thread=False) for name, each in given.items()}
    by = Provide(_principal, sync_to_thread=False)
    return made | {"by": by, "presented": Provide(_token_in(gate), sync_to_thread=False)}


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _principal(request: Request[Any, Any, Any]) -> Principal:
    found: Principal = request.state.principal
    return found


def _token_in(gate: Gate) -> Callable[..., str]:
    def token(request: Request[Any, Any, Any]) -> str:
        return gate.token(request)

    return token


def _openapi() -> OpenAPIConfig:
    schemes: dict[str, Any] = {"bearer": SecurityScheme(type="http", scheme="bearer")}
    return OpenAPIConfig(
        title="storeproof",
        version="1",
        description="Users, errors, costs and providers over HTTP.",
        path=SCHEMA,
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        openapi_router=Router(SCHEMA, route_handlers=[], opt=dict(ANYONE)),
        components=Components(security_schemes=schemes),
        security=[{"bearer": []}],
        use_handler_docstrings=True,
    )


def require_needs(app: Litestar) -> None:
    """Raises ValueError for a route that does not say what it needs: nobody could call it."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and not _says(handler):
                raise ValueError(f"the route {route.path} does not say what it needs")


def _says(handler: HTTPRouteHandler) -> bool:
    return NEEDED in handler.opt or handler.http_methods == {"OPTIONS"}
