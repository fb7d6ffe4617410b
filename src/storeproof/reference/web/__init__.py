"""For applications: the reference services over HTTP, as an ASGI application. Extra: `web`."""

from storeproof.reference.web.app import API, create_app
from storeproof.reference.web.needs import ROLES
from storeproof.reference.web.services import Services
from storeproof.reference.web.settings import WebSettings

__all__ = ["API", "ROLES", "Services", "WebSettings", "create_app"]
