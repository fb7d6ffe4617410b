"""For the web application only: the style sheets and scripts of the pages, out of the package.

They are read once. Their addresses have a part of their digest, so browsers may keep them.
"""

import functools
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import msgspec
from litestar import Response
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from storeproof.reference.web.pages.routes import shows
from storeproof.reference.web.routes import ANYONE

__all__ = ["address_of", "asset"]

_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "pages.css": ("pages.css", "text/css; charset=utf-8"),
    "pages.js": ("pages.js", "text/javascript; charset=utf-8"),
    "charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "uplot.css": ("uplot/uPlot.min.css", "text/css; charset=utf-8"),
    "uplot.js": ("uplot/uPlot.iife.min.js", "text/javascript; charset=utf-8"),
}


class Asset(msgspec.Struct, frozen=True):
    """A file, as it is sent."""

    content: bytes
    media_type: str
    digest: str


@shows("/assets/{digest:str}/{name:str}", ANYONE, sync_to_thread=False)
def asset(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """What is there under another digest is another version's, and is not sent."""
    found = _assets().get(name)
    if found is None or found.digest != digest:
        raise NotFoundException(detail="There is no such file.")
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(found.content, media_type=found.media_type, headers=kept)


def address_of(name: str) -> str:
    """The path of a file, below the application's own."""
    return f"/assets/{_assets()[name].digest}/{name}"


@functools.cache
def _assets() -> Mapping[str, Asset]:
    return {name: _read(*each) for name, each in _FILES.items()}


def _read(path: str, media_type: str) -> Asset:
    content = files(__package__).joinpath("assets", path).read_bytes()
    return Asset(content, media_type, hashlib.sha256(content).hexdigest()[:16])
