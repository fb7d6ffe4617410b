"""For `DatabaseAuthStorage`: its lists and their filters."""

import sqlalchemy as sa

from storeproof.reference.auth.database.tables import (
    API_KEYS,
    AUDIT,
    GRANTS,
    ROLES,
    SESSIONS,
    USERS,
)
from storeproof.reference.auth.orders import (
    API_KEY_ORDER,
    AUDIT_ORDER,
    GRANT_ORDER,
    ROLE_ORDER,
    SESSION_ORDER,
    USER_ORDER,
)
from storeproof.reference.database.columns import TEXT, contains
from storeproof.reference.database.entities import bind
from storeproof.reference.database.lists import equal, list_of

__all__ = [
    "API_KEY_LIST",
    "AUDIT_LIST",
    "GRANT_LIST",
    "ROLE_LIST",
    "SESSION_LIST",
    "USER_LIST",
]


_HOLDS = sa.exists().where(GRANTS.c.user == USERS.c.id, GRANTS.c.role == bind(GRANTS.c.role))
_PART = sa.bindparam("email_contains", type_=TEXT)

USER_LIST = list_of(
    USER_ORDER,
    USERS,
    equal(USERS.c.enabled) | {"role": _HOLDS, "email_contains": contains(USERS.c.email_key, _PART)},
)
ROLE_LIST = list_of(ROLE_ORDER, ROLES, {})
GRANT_LIST = list_of(GRANT_ORDER, GRANTS, equal(*GRANTS.c))
SESSION_LIST = list_of(SESSION_ORDER, SESSIONS, equal(SESSIONS.c.user))
API_KEY_LIST = list_of(API_KEY_ORDER, API_KEYS, equal(API_KEYS.c.user))
AUDIT_LIST = list_of(
    AUDIT_ORDER,
    AUDIT,
    equal(AUDIT.c.actor, AUDIT.c.action, AUDIT.c.subject)
    | {
        "since": AUDIT.c.at >= bind(AUDIT.c.at, "since"),
        "until": AUDIT.c.at < bind(AUDIT.c.at, "until"),
    },
)
