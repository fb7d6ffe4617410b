"""For authors of pages: the ways to declare one, beside `web.routes`, which says what they need.

Pages are no part of the API: they are not in its document, and refusals are pages, too.
"""

from collections.abc import Mapping
from typing import Any, Final

from litestar import MediaType, get, post

from storeproof.reference.auth.entities import Permission
from storeproof.reference.web.access import PAGE
from storeproof.reference.web.routes import Declared, options

__all__ = ["MAX_FORM", "does", "shows"]

MAX_FORM: Final = 64 * 2**10
"""Bytes of a form, at most."""


def shows(path: str, needs: Mapping[str, Any] | Permission, **more: Any) -> Declared:
    """Decorates a page, which changes nothing."""
    return get(path, **_page(needs), **more)


def does(path: str, needs: Mapping[str, Any] | Permission, **more: Any) -> Declared:
    """Decorates what a form does. It is answered with a page, or by leading on to one."""
    return post(path, **_page(needs), status_code=200, request_max_body_size=MAX_FORM, **more)


def _page(needs: Mapping[str, Any] | Permission) -> dict[str, Any]:
    opt = {**options(needs), PAGE: True}
    return {"opt": opt, "include_in_schema": False, "media_type": MediaType.HTML}
