"""For clients of the API: roles, and the audit trail."""

from datetime import datetime

import msgspec
from litestar import Router
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from storeproof.reference.auth.entities import (
    AuditEntry,
    AuditFilter,
    Permission,
    Role,
    RoleName,
    UserId,
)
from storeproof.reference.auth.service import AuthService
from storeproof.reference.storage import Page
from storeproof.reference.web.routes import After, By, Limit, calling, reads, removes, replaces

__all__ = ["RoleBody", "routers"]


class RoleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a role is, beside its name."""

    permissions: frozenset[Permission] = frozenset()
    parents: frozenset[RoleName] = frozenset()
    essential: bool = False


@reads("/", calling("list_roles"), summary="List roles")
async def list_roles(
    by: By, auth: NamedDependency[AuthService], cursor: After = None, limit: Limit = 100
) -> Page[Role]:
    """By name."""
    return await auth.list_roles(by, cursor, limit)


@reads("/{name:str}", calling("get_role"), summary="Read a role")
async def get_role(name: FromPath[RoleName], by: By, auth: NamedDependency[AuthService]) -> Role:
    """What it gives, and by which parents."""
    return await auth.get_role(by, name)


@replaces("/{name:str}", calling("put_role"), summary="Make or replace a role")
async def put_role(
    name: FromPath[RoleName],
    data: JSONBody[RoleBody],
    by: By,
    auth: NamedDependency[AuthService],
) -> Role:
    """The caller must hold all that it gives, before and after. Built-in roles stay."""
    role = Role(
        name=name, permissions=data.permissions, parents=data.parents, essential=data.essential
    )
    return await auth.put_role(by, role)


@removes("/{name:str}", calling("delete_role"), summary="Delete a role")
async def delete_role(name: FromPath[RoleName], by: By, auth: NamedDependency[AuthService]) -> None:
    """One that nobody holds, and that is no other's parent."""
    await auth.delete_role(by, name)


@reads("/", calling("list_audit"), summary="List the audit trail")
async def list_audit(
    by: By,
    auth: NamedDependency[AuthService],
    actor: FromQuery[UserId | None] = None,
    action: FromQuery[str | None] = None,
    subject: FromQuery[str | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    cursor: After = None,
    limit: Limit = 100,
) -> Page[AuditEntry]:
    """Who did what to what, and what was refused."""
    wanted = AuditFilter(actor=actor, action=action, subject=subject, since=since, until=until)
    return await auth.list_audit(by, wanted, cursor, limit)


def routers() -> tuple[Router, Router]:
    """The routes of roles and of the audit trail."""
    roles = [list_roles, get_role, put_role, delete_role]
    return (
        Router("/roles", route_handlers=roles, tags=["roles"]),
        Router("/audit", route_handlers=[list_audit], tags=["audit"]),
    )
