"""For authors of an auth storage: the orders of its lists."""

from storeproof.reference.auth.entities import ApiKey, AuditEntry, Grant, Role, Session, User
from storeproof.reference.lists import Order, read_time

__all__ = [
    "API_KEY_ORDER",
    "AUDIT_ORDER",
    "GRANT_ORDER",
    "ROLE_ORDER",
    "SESSION_ORDER",
    "USER_ORDER",
]

USER_ORDER = Order(User, {"id": str})
ROLE_ORDER = Order(Role, {"name": str})
GRANT_ORDER = Order(Grant, {"user": str, "role": str, "scope": str})
SESSION_ORDER = Order(Session, {"id": str})
API_KEY_ORDER = Order(ApiKey, {"id": str})
AUDIT_ORDER = Order(AuditEntry, {"at": read_time, "id": str}, descending=True)
