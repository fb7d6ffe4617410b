"""For whatever runs the application: whether it lives, whether it can work, and its figures."""

from typing import Final

import msgspec
from litestar import Response, Router
from litestar.di import NamedDependency

from storeproof.reference.web.needs import SYSTEM_READ
from storeproof.reference.web.observing import Observer
from storeproof.reference.web.routes import ANYONE, reads
from storeproof.reference.web.services import Services

__all__ = ["Health", "router"]

PROMETHEUS: Final = "text/plain; version=0.0.4"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """One word: "ok"."""

    status: str


@reads("/health/live", ANYONE, summary="Is the process alive", sync_to_thread=False)
def live() -> Health:
    """Asks nobody else."""
    return Health(status="ok")


@reads("/health/ready", ANYONE, summary="Can it work")
async def ready(services: NamedDependency[Services]) -> Health:
    """Asks the store; 503 where it does not answer."""
    await services.ready()
    return Health(status="ok")


@reads(
    "/metrics",
    SYSTEM_READ,
    summary="Figures for Prometheus",
    media_type="text/plain",
    sync_to_thread=False,
)
def metrics(observer: NamedDependency[Observer]) -> Response[bytes]:
    """Requests and their durations, by route."""
    return Response(observer.exposition(), media_type=PROMETHEUS)


def router() -> Router:
    """The routes of the application itself."""
    return Router("/", route_handlers=[live, ready, metrics], tags=["system"])
