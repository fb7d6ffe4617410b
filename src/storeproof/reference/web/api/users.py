"""For clients of the API: users, their grants, sessions and keys."""

from datetime import timedelta

import msgspec
from litestar import Response, Router
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from storeproof.reference.auth.entities import (
    GLOBAL,
    ApiKeyId,
    Grant,
    GrantFilter,
    Permission,
    RoleName,
    SessionId,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.service import AuthService
from storeproof.reference.auth.service.views import IssuedKey, KeyView, SessionView, UserView
from storeproof.reference.storage import Page
from storeproof.reference.web.repeats import IdempotencyKey, id_of
from storeproof.reference.web.routes import (
    After,
    By,
    InScope,
    Limit,
    calling,
    changes,
    creates,
    reads,
    removes,
    replaces,
)
from storeproof.reference.web.versions import IfMatch, expected_version, tagged

__all__ = ["NewKey", "NewUser", "ResetToken", "router"]


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without a password, the user needs a password reset before they can sign in."""

    email: str
    display_name: str = ""
    password: str | None = None


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`permissions` limit the key; None does not. `lifetime` in seconds; None: until revoked."""

    label: str = ""
    permissions: frozenset[Permission] | None = None
    lifetime: int | None = None


class ResetToken(msgspec.Struct, frozen=True, kw_only=True):
    """What the user redeems for a new password; shown this once."""

    token: str
    session: SessionView


@reads("/", calling("list_users"), summary="List users")
async def list_users(
    by: By,
    auth: NamedDependency[AuthService],
    enabled: FromQuery[bool | None] = None,
    role: FromQuery[RoleName | None] = None,
    email_contains: FromQuery[str | None] = None,
    cursor: After = None,
    limit: Limit = 100,
) -> Page[UserView]:
    """Users that match all that is given."""
    wanted = UserFilter(enabled=enabled, role=role, email_contains=email_contains)
    return await auth.list_users(by, wanted, cursor, limit)


@creates("/", calling("create_user"), summary="Make a user")
async def create_user(
    data: JSONBody[NewUser],
    by: By,
    auth: NamedDependency[AuthService],
    idempotency_key: IdempotencyKey = None,
) -> Response[UserView]:
    """Two users never have the same e-mail, however it is written."""
    user = await auth.create_user(
        by,
        data.email,
        display_name=data.display_name,
        password=data.password,
        id=id_of(idempotency_key, by, "user"),
    )
    return tagged(user, user.version)


@reads("/{id:str}", calling("get_user"), summary="Read a user")
async def get_user(
    id: FromPath[UserId], by: By, auth: NamedDependency[AuthService]
) -> Response[UserView]:
    """Open to the user itself, too."""
    user = await auth.get_user(by, id)
    return tagged(user, user.version)


@changes("/{id:str}", calling("update_user"), summary="Change a user")
async def update_user(
    id: FromPath[UserId],
    data: JSONBody[UserPatch],
    by: By,
    auth: NamedDependency[AuthService],
    if_match: IfMatch = None,
) -> Response[UserView]:
    """Needs the ETag that was read. Disabling a user ends all their sessions."""
    user = await auth.update_user(by, id, data, expected_version(if_match))
    return tagged(user, user.version)


@removes("/{id:str}", calling("delete_user"), summary="Delete a user")
async def delete_user(id: FromPath[UserId], by: By, auth: NamedDependency[AuthService]) -> None:
    """With their grants, sessions and keys."""
    await auth.delete_user(by, id)


@creates("/{id:str}/password-reset", calling("reset_password"), summary="Reset a password")
async def reset_password(
    id: FromPath[UserId], by: By, auth: NamedDependency[AuthService]
) -> ResetToken:
    """Ends the user's password and sessions, and gives a token for a new password."""
    issued = await auth.reset_password(by, id)
    return ResetToken(token=issued.token, session=issued.session)


@creates("/{id:str}/unlocking", calling("unlock_user"), summary="End a lock-out", status_code=204)
async def unlock_user(id: FromPath[UserId], by: By, auth: NamedDependency[AuthService]) -> None:
    """Forgets failed attempts, too."""
    await auth.unlock_user(by, id)


@reads("/{id:str}/grants", calling("list_grants"), summary="List a user's grants")
async def list_grants(
    id: FromPath[UserId],
    by: By,
    auth: NamedDependency[AuthService],
    cursor: After = None,
    limit: Limit = 100,
) -> Page[Grant]:
    """Direct grants, in every scope."""
    return await auth.list_grants(by, GrantFilter(user=id), cursor, limit)


@reads("/{id:str}/permissions", calling("list_permissions"), summary="What a user may do")
async def list_permissions(
    id: FromPath[UserId],
    by: By,
    auth: NamedDependency[AuthService],
    within: InScope = GLOBAL,
) -> frozenset[Permission]:
    """In a scope; without one, everywhere."""
    return await auth.list_permissions(by, id, within)


@replaces("/{id:str}/grants/{role:str}", calling("grant"), summary="Grant a role")
async def grant(
    id: FromPath[UserId],
    role: FromPath[RoleName],
    by: By,
    auth: NamedDependency[AuthService],
    within: InScope = GLOBAL,
) -> Grant:
    """Repeating it is harmless."""
    return await auth.grant(by, id, role, within)


@removes("/{id:str}/grants/{role:str}", calling("revoke"), summary="Take a role away")
async def revoke(
    id: FromPath[UserId],
    role: FromPath[RoleName],
    by: By,
    auth: NamedDependency[AuthService],
    within: InScope = GLOBAL,
) -> None:
    """The last holder of an essential role keeps it."""
    await auth.revoke(by, id, role, within)


@reads("/{id:str}/sessions", calling("list_sessions"), summary="List a user's sessions")
async def list_sessions(
    id: FromPath[UserId],
    by: By,
    auth: NamedDependency[AuthService],
    cursor: After = None,
    limit: Limit = 100,
) -> Page[SessionView]:
    """Open to the user itself, too."""
    return await auth.list_sessions(by, id, cursor, limit)


@removes("/{id:str}/sessions/{session:str}", calling("revoke_session"), summary="End a session")
async def revoke_session(
    id: FromPath[UserId],
    session: FromPath[SessionId],
    by: By,
    auth: NamedDependency[AuthService],
) -> None:
    """Its tokens stop working at once."""
    await auth.revoke_session(by, id, session)


@removes("/{id:str}/sessions", calling("revoke_sessions"), summary="End all sessions of a user")
async def revoke_sessions(id: FromPath[UserId], by: By, auth: NamedDependency[AuthService]) -> None:
    """Open to the user itself, too."""
    await auth.revoke_sessions(by, id)


@reads("/{id:str}/keys", calling("list_api_keys"), summary="List a user's keys")
async def list_keys(
    id: FromPath[UserId],
    by: By,
    auth: NamedDependency[AuthService],
    cursor: After = None,
    limit: Limit = 100,
) -> Page[KeyView]:
    """Without their tokens, which nobody knows but who was given them."""
    return await auth.list_api_keys(by, id, cursor, limit)


@creates("/{id:str}/keys", calling("create_api_key"), summary="Make a key")
async def create_key(
    id: FromPath[UserId],
    data: JSONBody[NewKey],
    by: By,
    auth: NamedDependency[AuthService],
    idempotency_key: IdempotencyKey = None,
) -> IssuedKey:
    """Its token is shown this once: repeating the request is refused, and makes no second key."""
    return await auth.create_api_key(
        by,
        id,
        label=data.label,
        permissions=data.permissions,
        lifetime=None if data.lifetime is None else _seconds(data.lifetime),
        key=id_of(idempotency_key, by, "key"),
    )


@creates("/{id:str}/keys/{key:str}/rotation", calling("rotate_api_key"), summary="Replace a token")
async def rotate_key(
    id: FromPath[UserId],
    key: FromPath[ApiKeyId],
    by: By,
    auth: NamedDependency[AuthService],
    grace: FromQuery[int | None] = None,
) -> IssuedKey:
    """The old token works for `grace` seconds more; by default, a day."""
    return await auth.rotate_api_key(by, id, key, grace=None if grace is None else _seconds(grace))


@removes("/{id:str}/keys/{key:str}", calling("revoke_api_key"), summary="End a key")
async def revoke_key(
    id: FromPath[UserId],
    key: FromPath[ApiKeyId],
    by: By,
    auth: NamedDependency[AuthService],
) -> None:
    """Its tokens stop working at once."""
    await auth.revoke_api_key(by, id, key)


@removes("/{id:str}/keys", calling("revoke_api_keys"), summary="End all keys of a user")
async def revoke_keys(id: FromPath[UserId], by: By, auth: NamedDependency[AuthService]) -> None:
    """Open to the user itself, too."""
    await auth.revoke_api_keys(by, id)


def router() -> Router:
    """The routes of users."""
    users = [list_users, create_user, get_user, update_user, delete_user]
    passwords = [reset_password, unlock_user]
    grants = [list_grants, list_permissions, grant, revoke]
    sessions = [list_sessions, revoke_session, revoke_sessions]
    keys = [list_keys, create_key, rotate_key, revoke_key, revoke_keys]
    handlers = [*users, *passwords, *grants, *sessions, *keys]
    return Router("/users", route_handlers=handlers, tags=["users"])


def _seconds(number: int) -> timedelta:
    try:
        return timedelta(seconds=number)
    except OverflowError:
        return timedelta.max
