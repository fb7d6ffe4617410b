"""For people: the first page, which shows where they may go."""

from litestar import Response
from litestar.di import NamedDependency

from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.routes import shows
from storeproof.reference.web.routes import SIGNED_IN

__all__ = ["overview"]


@shows("/", SIGNED_IN, sync_to_thread=False)
def overview(frame: NamedDependency[Frame]) -> Response[str]:
    """Whoever may go nowhere is told what to do about it."""
    return frame.page("overview.html")
