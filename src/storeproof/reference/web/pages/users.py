"""For administrators: users, the roles that they were granted, and what these allow."""

from collections.abc import Awaitable, Mapping
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from storeproof.reference.auth.entities import (
    GLOBAL,
    GrantFilter,
    Role,
    RoleName,
    Scope,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.service import AuthService, WeakPassword
from storeproof.reference.auth.service.access import NEEDS, Principal
from storeproof.reference.exceptions import StorageError, VersionConflict
from storeproof.reference.web.forms import form_of
from storeproof.reference.web.pages.asking import after, number, text
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.routes import does, shows
from storeproof.reference.web.problems import problem_of
from storeproof.reference.web.routes import By, calling, needing

__all__ = [
    "change",
    "create",
    "grant",
    "listing",
    "new",
    "reset",
    "revoke",
    "roles",
    "show",
    "unlock",
]

CHANGED = (
    "This user was changed while you looked at it. Nothing of yours was stored: this is how it is "
    "now."
)
ENABLED = {"yes": True, "no": False}


@shows("/users", calling("list_users"))
async def listing(
    by: By, frame: NamedDependency[Frame], auth: NamedDependency[AuthService]
) -> Response[str]:
    """Those that match, a page of them."""
    role = text(frame.query, "role")
    wanted = UserFilter(
        enabled=ENABLED.get(frame.query.get("enabled", "")),
        role=None if role is None else RoleName(role),
        email_contains=text(frame.query, "contains"),
    )
    found = await auth.list_users(by, wanted, after(frame.query), 50)
    return frame.page(
        "users/list.html",
        found=found,
        wanted=wanted,
        roles=await _roles(frame, auth, by),
        may_create=_may(frame, "create_user"),
    )


@shows("/new-user", needing(NEEDS["create_user"]))
async def new(
    by: By, frame: NamedDependency[Frame], auth: NamedDependency[AuthService]
) -> Response[str]:
    """The form for a user."""
    return await _form(frame, auth, by, {})


@does("/new-user", calling("create_user"))
async def create(
    request: Request[Any, Any, Any],
    by: By,
    frame: NamedDependency[Frame],
    auth: NamedDependency[AuthService],
) -> Response[Any]:
    """Makes a user; without a password, with a token to set one."""
    form = await form_of(request)
    password, role = form.get("password") or None, text(form, "role")
    name = text(form, "display_name") or ""
    try:
        user = await auth.create_user(
            by, text(form, "email") or "", display_name=name, password=password
        )
    except (StorageError, WeakPassword) as error:
        return await _form(frame, auth, by, form, problem_of(error).status, str(error))
    if role is not None:
        await auth.grant(by, user.id, RoleName(role), GLOBAL)
    if password is None:
        return await _reset(frame, auth, by, user.id)
    return frame.go(frame.path("/users", user.id), "user-made")


@shows("/users/{id:str}", calling("get_user"))
async def show(
    id: FromPath[UserId],
    by: By,
    frame: NamedDependency[Frame],
    auth: NamedDependency[AuthService],
) -> Response[str]:
    """One user, with their grants."""
    return await _show(frame, auth, by, id)


@does("/users/{id:str}", calling("update_user"))
async def change(
    id: FromPath[UserId],
    request: Request[Any, Any, Any],
    by: By,
    frame: NamedDependency[Frame],
    auth: NamedDependency[AuthService],
) -> Response[Any]:
    """Renames, disables or enables a user; disabling ends all their sessions."""
    form = await form_of(request)
    patch = UserPatch(
        display_name=text(form, "display_name"), enabled=ENABLED.get(form.get("enabled", ""))
    )
    done = auth.update_user(by, id, patch, number(form, "version") or 0)
    return await _changed(frame, auth, by, id, done, "user-changed")


@does("/users/{id:str}/grants", calling("grant"))
async def grant(
    id: FromPath[UserId],
    request: Request[Any, Any, Any],
    by: By,
    frame: NamedDependency[Frame],
    auth: NamedDependency[AuthService],
) -> Response[Any]:
    """Grants a role in a scope; everywhere without one."""
    role, scope = _granted(await form_of(request))
    done = auth.grant(by, id, role, scope)
    return await _changed(frame, auth, by, id, done, "role-granted")


@does("/users/{id:str}/revoking", calling("revoke"))
async def revoke(
    id: FromPath[UserId],
    request: Request[Any, Any, Any],
    by: By,
    frame: NamedDependency[Frame],
    auth: NamedDependency[AuthService],
) -> Response[Any]:
    """Takes a role away; the last administrator stays one."""
    role, scope = _granted(await form_of(request))
    done = auth.revoke(by, id, role, scope)
    return await _changed(frame, auth, by, id, done, "role-revoked")


@does("/users/{id:str}/unlocking", calling("unlock_user"))
async def unlock(
    id: FromPath[UserId],
    by: By,
    frame: NamedDependency[Frame],
    auth: NamedDependency[AuthService],
) -> Response[Any]:
    """Ends a lock-out."""
    await auth.unlock_user(by, id)
    return frame.go(frame.path("/users", id), "user-unlocked")


@does("/users/{id:str}/password-reset", calling("reset_password"))
async def reset(
    id: FromPath[UserId],
    by: By,
    frame: NamedDependency[Frame],
    auth: NamedDependency[AuthService],
) -> Response[Any]:
    """Ends a user's password, and shows, this once, the token to set another with."""
    return await _reset(frame, auth, by, id)


@shows("/roles", calling("list_roles"))
async def roles(
    by: By, frame: NamedDependency[Frame], auth: NamedDependency[AuthService]
) -> Response[str]:
    """What each role allows."""
    found = await auth.list_roles(by, after(frame.query), 100)
    return frame.page("users/roles.html", found=found)


async def _show(
    frame: Frame,
    auth: AuthService,
    by: Principal,
    id: UserId,
    status: int = 200,
    problem: str = "",
) -> Response[str]:
    user = await auth.get_user(by, id)
    grants = None
    if _may(frame, "list_grants"):
        grants = await auth.list_grants(by, GrantFilter(user=id), None, 1000)
    return frame.page(
        "users/user.html",
        status,
        user=user,
        grants=grants,
        roles=await _roles(frame, auth, by),
        may_change=_may(frame, "update_user"),
        may_grant=_may(frame, "grant"),
        problem=problem,
    )


async def _changed(
    frame: Frame,
    auth: AuthService,
    by: Principal,
    id: UserId,
    change: Awaitable[object],
    told: str,
) -> Response[Any]:
    """The user's page after a change, or as it is with why nothing was changed."""
    try:
        await change
    except VersionConflict:
        return await _show(frame, auth, by, id, 412, CHANGED)
    except StorageError as error:
        return await _show(frame, auth, by, id, problem_of(error).status, str(error))
    return frame.go(frame.path("/users", id), told)


async def _form(
    frame: Frame,
    auth: AuthService,
    by: Principal,
    form: Mapping[str, Any],
    status: int = 200,
    problem: str = "",
) -> Response[str]:
    known = await _roles(frame, auth, by) if _may(frame, "grant") else []
    return frame.page("users/new.html", status, form=form, roles=known, problem=problem)


async def _reset(frame: Frame, auth: AuthService, by: Principal, id: UserId) -> Response[str]:
    issued = await auth.reset_password(by, id)
    user = await auth.get_user(by, id)
    return frame.page("users/token.html", user=user, token=issued.token, session=issued.session)


async def _roles(frame: Frame, auth: AuthService, by: Principal) -> list[Role]:
    """The roles to choose from; none for whoever may not read them."""
    if not _may(frame, "list_roles"):
        return []
    return list((await auth.list_roles(by, None, 1000)).items)


def _may(frame: Frame, operation: str) -> bool:
    return frame.may(str(NEEDS[operation]))


def _granted(form: Mapping[str, Any]) -> tuple[RoleName, Scope]:
    return RoleName(text(form, "role") or ""), Scope(text(form, "scope") or "")
