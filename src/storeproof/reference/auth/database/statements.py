"""For `DatabaseAuthStorage`: its statements on users, roles, grants and the audit trail.

A parameter has the name of its column, or the one given to `bind`. FOR UPDATE and FOR
KEY SHARE mean something on PostgreSQL only; SQLite has one writer at a time.
"""

from typing import Any

import sqlalchemy as sa

from storeproof.reference.auth.database.tables import AUDIT, GRANTS, ROLES, USERS
from storeproof.reference.auth.entities import GLOBAL, AuditEntry, Role, User
from storeproof.reference.database import per_dialect
from storeproof.reference.database.columns import members
from storeproof.reference.database.entities import bind, columns, insert_new

__all__ = [
    "ANCESTORS",
    "APPEND_AUDIT",
    "CLEAR_ATTEMPTS",
    "CREATE_USER",
    "DELETE_ROLE",
    "DELETE_USER",
    "FIND_USER",
    "GET_AUDIT",
    "GET_ROLE",
    "GET_USER",
    "GRANT",
    "KEEP_ROLE",
    "KEEP_USER",
    "LAST_HELD",
    "LOCK_USER",
    "PERMISSIONS",
    "PUT_ROLE",
    "RECORD_ATTEMPT",
    "REPLACE_HASH",
    "REVOKE",
    "ROLE_USES",
    "TAKEN_USER",
    "UPDATE_USER",
]


_THIS_USER = USERS.c.id == bind(USERS.c.id)
_THIS_ROLE = ROLES.c.name == bind(ROLES.c.name)

GET_USER = sa.select(*columns(USERS, User)).where(_THIS_USER)
FIND_USER = sa.select(*columns(USERS, User)).where(USERS.c.email_key == bind(USERS.c.email_key))
TAKEN_USER = sa.select(USERS.c.id).where(
    sa.or_(_THIS_USER, USERS.c.email_key == bind(USERS.c.email_key))
)
CREATE_USER = sa.insert(USERS)
DELETE_USER = sa.delete(USERS).where(_THIS_USER)

LOCK_USER = sa.select(USERS.c.version).where(_THIS_USER).with_for_update()
"""Until the transaction ends nobody else changes the user, nor gives it a grant or session."""

KEEP_USER = sa.select(USERS.c.id).where(_THIS_USER).with_for_update(read=True, key_share=True)
KEEP_ROLE = sa.select(ROLES.c.name).where(_THIS_ROLE).with_for_update(read=True, key_share=True)

UPDATE_USER = (
    sa.update(USERS)
    .where(_THIS_USER, USERS.c.version == bind(USERS.c.version, "expected_version"))
    .values(
        {
            column: sa.func.coalesce(bind(column), column)
            for column in (
                USERS.c.email,
                USERS.c.email_key,
                USERS.c.display_name,
                USERS.c.enabled,
                USERS.c.verified,
            )
        }
    )
    .values(version=USERS.c.version + 1)
    .returning(*columns(USERS, User))
)

_OLD, _NEW = bind(USERS.c.password_hash, "old"), bind(USERS.c.password_hash, "new")
REPLACE_HASH = (
    sa.update(USERS)
    .where(_THIS_USER)
    .values(
        password_hash=sa.case(
            (USERS.c.password_hash.is_not_distinct_from(_OLD), _NEW),
            else_=USERS.c.password_hash,
        )
    )
    .returning(USERS.c.password_hash)
)
"""Returns the hash that is stored in the end: it is `new`, or `old` was wrong."""

_AT, _UNTIL = bind(USERS.c.locked_until, "at"), bind(USERS.c.locked_until, "until")
_OK = sa.bindparam("ok", type_=sa.Boolean())
_LOCKED = sa.func.coalesce(USERS.c.locked_until > _AT, sa.false())
_FAILURES = sa.case((USERS.c.locked_until.is_not(None), 1), else_=USERS.c.failures + 1)
RECORD_ATTEMPT = (
    sa.update(USERS)
    .where(_THIS_USER)
    .values(
        failures=sa.case((_LOCKED, USERS.c.failures), (_OK, 0), else_=_FAILURES),
        locked_until=sa.case(
            (_LOCKED, USERS.c.locked_until),
            (_OK, sa.null()),
            (bind(USERS.c.failures, "threshold") <= _FAILURES, _UNTIL),
            else_=sa.null(),
        ),
    )
    .returning(USERS.c.failures, USERS.c.locked_until)
)
"""`entities.next_attempts` in one statement; `until` is `at + policy.duration`."""

CLEAR_ATTEMPTS = (
    sa.update(USERS)
    .where(_THIS_USER)
    .values(failures=0, locked_until=sa.null())
    .returning(USERS.c.id)
)

GET_ROLE = sa.select(*columns(ROLES, Role)).where(_THIS_ROLE)
DELETE_ROLE = sa.delete(ROLES).where(_THIS_ROLE)


def _put_role(insert: Any) -> Any:
    new = insert(ROLES)
    changed = {name: new.excluded[name] for name in ("permissions", "parents", "essential")}
    return new.on_conflict_do_update(index_elements=[ROLES.c.name], set_=changed)


PUT_ROLE = per_dialect(_put_role)


def _role_uses() -> sa.Select[bool, bool]:
    child = ROLES.alias("child")
    parent = members(child.c.parents)
    return sa.select(
        sa.exists().where(GRANTS.c.role == ROLES.c.name),
        sa.exists().select_from(child, parent).where(parent.c.value == ROLES.c.name),
    ).where(_THIS_ROLE)


ROLE_USES = _role_uses()
"""Whether the role is granted, and whether it is a parent; no row for an unknown role."""


def _with_ancestors(start: sa.Select[Any]) -> sa.CTE:
    """The roles that `start` selects with name, permissions and parents, and all above them."""
    found = start.cte("found", recursive=True)
    parent = members(found.c.parents)
    role = ROLES.alias("role")
    above = (
        sa.select(role.c.name, role.c.permissions, role.c.parents)
        .select_from(found)
        .join(parent, sa.true())
        .join(role, role.c.name == parent.c.value)
    )
    return found.union(above)


_ROLE = (ROLES.c.name, ROLES.c.permissions, ROLES.c.parents)
_GIVEN = members(bind(ROLES.c.parents))
_FOUND = _with_ancestors(
    sa.select(*_ROLE).select_from(ROLES).join(_GIVEN, ROLES.c.name == _GIVEN.c.value)
)
ANCESTORS = sa.select(_FOUND.c.name)
"""The names of those of the given parents that exist, and of all roles above them."""

_SCOPE = bind(GRANTS.c.scope)
_COVERS = sa.or_(
    GRANTS.c.scope == GLOBAL,
    GRANTS.c.scope == _SCOPE,
    sa.func.substr(_SCOPE, 1, sa.func.length(GRANTS.c.scope) + 1) == GRANTS.c.scope + "/",
)
_HELD = _with_ancestors(
    sa.select(*_ROLE)
    .select_from(ROLES)
    .join(GRANTS, GRANTS.c.role == ROLES.c.name)
    .join(USERS, USERS.c.id == GRANTS.c.user)
    .where(GRANTS.c.user == bind(GRANTS.c.user), USERS.c.enabled, _COVERS)
)
PERMISSIONS = sa.select(_HELD.c.permissions)


def _grant(insert: Any) -> Any:
    source = sa.select(USERS.c.id, ROLES.c.name, bind(GRANTS.c.scope)).where(
        USERS.c.id == bind(GRANTS.c.user), ROLES.c.name == bind(GRANTS.c.role)
    )
    new = insert(GRANTS).from_select([GRANTS.c.user, GRANTS.c.role, GRANTS.c.scope], source)
    same = new.on_conflict_do_update(
        index_elements=[GRANTS.c.user, GRANTS.c.role, GRANTS.c.scope],
        set_={GRANTS.c.scope: new.excluded.scope},
    )
    return same.returning(GRANTS.c.scope)


GRANT = per_dialect(_grant)
"""Returns a row whether or not the grant was there, none if the user or the role is not."""

REVOKE = sa.delete(GRANTS).where(*(column == bind(column) for column in GRANTS.c))


def _last_held() -> sa.Select[Any]:
    other, holder = GRANTS.alias("other"), USERS.alias("holder")
    someone_else = (
        sa.exists()
        .select_from(other.join(holder, holder.c.id == other.c.user))
        .where(
            other.c.role == ROLES.c.name,
            other.c.scope == GLOBAL,
            other.c.user != USERS.c.id,
            holder.c.enabled,
        )
    )
    return (
        sa.select(ROLES.c.name)
        .select_from(GRANTS)
        .join(ROLES, ROLES.c.name == GRANTS.c.role)
        .join(USERS, USERS.c.id == GRANTS.c.user)
        .where(_THIS_USER, USERS.c.enabled, GRANTS.c.scope == GLOBAL, ROLES.c.essential)
        .where(sa.not_(someone_else))
        .order_by(ROLES.c.name)
    )


LAST_HELD = _last_held()
"""The essential roles that this user is the last holder of, by name."""


APPEND_AUDIT = insert_new(AUDIT)
"""Returns no row where an entry with this id is there already."""

GET_AUDIT = sa.select(*columns(AUDIT, AuditEntry)).where(AUDIT.c.id == bind(AUDIT.c.id))
