"""For `DatabaseCostStorage`: its lists and their filters."""

from typing import Any

import sqlalchemy as sa

from storeproof.reference.costs.database.tables import (
    ALERTS,
    BUDGETS,
    CHARGES,
    CORRECTIONS,
    DELIVERIES,
    VERSIONS,
)
from storeproof.reference.costs.entities import Budget, BudgetVersion
from storeproof.reference.costs.orders import (
    ALERT_ORDER,
    BUDGET_ORDER,
    CHARGE_ORDER,
    CORRECTION_ORDER,
    DELIVERY_ORDER,
    VERSION_ORDER,
)
from storeproof.reference.database import Row
from storeproof.reference.database.columns import NAMES, among, members
from storeproof.reference.database.entities import bind, columns, entity
from storeproof.reference.database.lists import Condition, Listing, equal, list_of

__all__ = [
    "ALERT_LIST",
    "BUDGET_LIST",
    "CHARGE_LIST",
    "CORRECTION_LIST",
    "DELIVERY_LIST",
    "VERSION_LIST",
]


def _version(row: Row) -> BudgetVersion:
    version, actor, at = row[-3:]
    return BudgetVersion(budget=entity(Budget, row[:-3]), version=version, actor=actor, at=at)


def _among(column: sa.Column[Any], name: str) -> Condition:
    return among(column, sa.bindparam(name, type_=NAMES))


_OWNER, _TAG = bind(CHARGES.c.owner), members(CHARGES.c.tags)
_BELOW = sa.or_(
    _OWNER == "",
    CHARGES.c.owner == _OWNER,
    sa.func.substr(CHARGES.c.owner, 1, sa.func.length(_OWNER) + 1) == _OWNER + "/",
)
_TAGGED = (
    sa.exists()
    .select_from(_TAG)
    .where(_TAG.c.value == sa.bindparam("tag", type_=_TAG.c.value.type))
)

CHARGE_LIST = list_of(
    CHARGE_ORDER,
    CHARGES,
    equal(CHARGES.c.provider, CHARGES.c.model, CHARGES.c.currency)
    | {
        "owner": _BELOW,
        "tag": _TAGGED,
        "since": CHARGES.c.occurred_at >= bind(CHARGES.c.occurred_at, "since"),
        "until": CHARGES.c.occurred_at < bind(CHARGES.c.occurred_at, "until"),
    },
)
CORRECTION_LIST = list_of(CORRECTION_ORDER, CORRECTIONS, equal(CORRECTIONS.c.charge))
_NAMED = equal(BUDGETS.c.provider, BUDGETS.c.model)
BUDGET_LIST = list_of(
    BUDGET_ORDER,
    BUDGETS,
    equal(BUDGETS.c.currency)
    | {
        "covering": _among(BUDGETS.c.scope, "covering"),
        "provider": sa.or_(BUDGETS.c.provider.is_(None), _NAMED["provider"]),
        "model": sa.or_(BUDGETS.c.model.is_(None), _NAMED["model"]),
        "tags": sa.or_(BUDGETS.c.tag.is_(None), _among(BUDGETS.c.tag, "tags")),
    },
)
VERSION_LIST = Listing(
    order=VERSION_ORDER,
    columns=(*columns(VERSIONS, Budget), VERSIONS.c.version, VERSIONS.c.actor, VERSIONS.c.at),
    key=(VERSIONS.c.version,),
    make=_version,
    filters=equal(VERSIONS.c.id),
)
_DELIVERED = sa.exists().where(
    DELIVERIES.c.alert == ALERTS.c.id,
    DELIVERIES.c.sink == bind(DELIVERIES.c.sink, "undelivered_to"),
)
ALERT_LIST = list_of(
    ALERT_ORDER,
    ALERTS,
    equal(ALERTS.c.budget)
    | {
        "since": ALERTS.c.raised_at >= bind(ALERTS.c.raised_at, "since"),
        "undelivered_to": ~_DELIVERED,
    },
)
DELIVERY_LIST = list_of(DELIVERY_ORDER, DELIVERIES, equal(DELIVERIES.c.alert))
