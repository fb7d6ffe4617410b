"""For operators and readers of `AuthService`: who may do what. All of it is data.

`NEEDS` says what each public method of the service demands; `BUILT_IN` are the roles that
`AuthService.bootstrap` installs. An application adds roles and permissions of its own with
`put_role`.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias

import msgspec

from storeproof.reference.auth.entities import (
    ApiKeyId,
    Permission,
    Role,
    RoleName,
    SessionId,
    UserId,
)

__all__ = [
    "ADMINISTRATOR",
    "BUILT_IN",
    "EVERYTHING",
    "NEEDS",
    "Access",
    "Need",
    "Principal",
    "covers",
    "limited",
]


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a request, as `AuthService.authenticate` found out. Good for that request only.

    Exactly one of `session` and `key` is given. `permissions` limits a key; None does not.
    """

    user: UserId
    session: SessionId | None = None
    key: ApiKeyId | None = None
    permissions: frozenset[Permission] | None = None


class Access(Enum):
    """What a method may demand other than a permission."""

    ANYONE = "anyone"
    """Called before anybody is signed in, or with a token or password of its own."""
    OPERATOR = "operator"
    """Never to be exposed: for the command line of whoever runs the application."""
    SIGNED_IN = "signed in"
    """Reads what concerns the caller alone, with a session or a key."""
    OWN = "own session"
    """Acts on the caller alone, who must have a session; an API key is not enough."""


Need: TypeAlias = Permission | Access

EVERYTHING: Final = Permission("*")
"""Whoever holds this permission holds every one, also those invented later."""

USERS_READ, USERS_WRITE = Permission("users.read"), Permission("users.write")
ROLES_READ, ROLES_WRITE = Permission("roles.read"), Permission("roles.write")
GRANTS_READ, GRANTS_WRITE = Permission("grants.read"), Permission("grants.write")
TOKENS_READ, TOKENS_WRITE = Permission("tokens.read"), Permission("tokens.write")
AUDIT_READ = Permission("audit.read")

NEEDS: Final[Mapping[str, Need]] = {
    "bootstrap": Access.OPERATOR,
    "install_roles": Access.OPERATOR,
    "log_in": Access.ANYONE,
    "authenticate": Access.ANYONE,
    "rotate_session": Access.ANYONE,
    "redeem_reset": Access.ANYONE,
    "log_out": Access.OWN,
    "log_out_everywhere": Access.OWN,
    "change_password": Access.OWN,
    "own_permissions": Access.SIGNED_IN,
    "own_user": Access.SIGNED_IN,
    "require": Access.SIGNED_IN,
    "get_user": USERS_READ,
    "list_users": USERS_READ,
    "create_user": USERS_WRITE,
    "update_user": USERS_WRITE,
    "delete_user": USERS_WRITE,
    "reset_password": USERS_WRITE,
    "unlock_user": USERS_WRITE,
    "get_role": ROLES_READ,
    "list_roles": ROLES_READ,
    "put_role": ROLES_WRITE,
    "delete_role": ROLES_WRITE,
    "list_grants": GRANTS_READ,
    "list_permissions": GRANTS_READ,
    "grant": GRANTS_WRITE,
    "revoke": GRANTS_WRITE,
    "list_sessions": TOKENS_READ,
    "revoke_session": TOKENS_WRITE,
    "revoke_sessions": TOKENS_WRITE,
    "list_api_keys": TOKENS_READ,
    "create_api_key": TOKENS_WRITE,
    "rotate_api_key": TOKENS_WRITE,
    "revoke_api_key": TOKENS_WRITE,
    "revoke_api_keys": TOKENS_WRITE,
    "list_audit": AUDIT_READ,
}
"""What each method demands. Those on tokens are also open to the tokens' owner, signed in."""

ADMINISTRATOR: Final = RoleName("administrator")

BUILT_IN: Final[tuple[Role, ...]] = (
    Role(
        name=RoleName("viewer"),
        permissions=frozenset({USERS_READ, ROLES_READ, GRANTS_READ, TOKENS_READ, AUDIT_READ}),
    ),
    Role(
        name=RoleName("manager"),
        permissions=frozenset({USERS_WRITE, GRANTS_WRITE, TOKENS_WRITE}),
        parents=frozenset({RoleName("viewer")}),
    ),
    Role(name=ADMINISTRATOR, permissions=frozenset({EVERYTHING}), essential=True),
)
"""In an order in which each role comes after its parents."""


def covers(held: frozenset[Permission], wanted: frozenset[Permission]) -> bool:
    """Whether who holds the former holds all of the latter."""
    return EVERYTHING in held or wanted <= held


def limited(
    held: frozenset[Permission], limit: frozenset[Permission] | None
) -> frozenset[Permission]:
    """What is left of what a user holds, for a key that is limited."""
    if limit is None or EVERYTHING in limit:
        return held
    return limit if EVERYTHING in held else held & limit
