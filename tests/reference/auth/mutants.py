"""For the tests of the auth laws: ways to break one thing of the in-memory storage."""

from datetime import timedelta

from storeproof.reference.auth import InMemoryAuthStorage

from ..breaking import Breaking

TICK = timedelta(microseconds=1)
LISTS = (
    "list_users",
    "list_roles",
    "list_grants",
    "list_sessions",
    "list_api_keys",
    "list_audit",
)
SESSION = {
    "create": "create_session",
    "find": "find_session",
    "list": "list_sessions",
    "rotate": "rotate_session",
    "revoke": "revoke_session",
    "revoke_all": "revoke_sessions",
    "purge": "purge_sessions",
    "memory": "_sessions",
    "entity": "session",
}
API_KEY = {
    "create": "create_api_key",
    "find": "find_api_key",
    "list": "list_api_keys",
    "rotate": "rotate_api_key",
    "revoke": "revoke_api_key",
    "revoke_all": "revoke_api_keys",
    "purge": "purge_api_keys",
    "memory": "_keys",
    "entity": "key",
}

_BREAKING = Breaking(InMemoryAuthStorage)
replacing = _BREAKING.replacing
altering = _BREAKING.altering
answering = _BREAKING.answering
erring = _BREAKING.erring
ignoring = _BREAKING.ignoring
checking = _BREAKING.checking
racing = _BREAKING.racing
clashing = _BREAKING.clashing
deaf = _BREAKING.deaf
