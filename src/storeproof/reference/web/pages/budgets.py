"""For people: one budget, how fast it is spent, and how it is made and changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from storeproof.reference.costs.entities import (
    Actor,
    AlertFilter,
    Budget,
    BudgetId,
    BudgetStatus,
    Currency,
    Dimension,
    ModelName,
    OwnerPath,
    Policy,
    ProviderName,
    ReportQuery,
    Tag,
    Window,
    midnight,
)
from storeproof.reference.costs.service import CostService
from storeproof.reference.exceptions import InvalidValue, StorageError, VersionConflict
from storeproof.reference.web.forms import form_of
from storeproof.reference.web.needs import COSTS_READ, COSTS_WRITE
from storeproof.reference.web.pages.asking import amount, member, number, text
from storeproof.reference.web.pages.costs import last_alerts, share
from storeproof.reference.web.pages.forecast import burn_down, forecast
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.routes import does, shows
from storeproof.reference.web.pages.spans import zones
from storeproof.reference.web.problems import problem_of
from storeproof.reference.web.routes import By
from storeproof.reference.web.services import Services

__all__ = ["change", "create", "new", "show"]

LEVELS: Final = (Dimension.ORGANISATION, Dimension.TEAM, Dimension.USER, Dimension.KEY)
MOST_DAYS: Final = 31
"""How many days are read for a burn-down; a longer time is drawn evenly."""

TAKEN = "There is a budget of this name already. Choose another name, or change that one."
CHANGED = (
    "Somebody changed this budget while you looked at it. Nothing of yours was stored: this is "
    "how it is now."
)


@shows("/costs/budgets/{id:str}", COSTS_READ)
async def show(
    id: FromPath[BudgetId],
    frame: NamedDependency[Frame],
    costs: NamedDependency[CostService],
    services: NamedDependency[Services],
) -> Response[str]:
    """What is spent and left, what comes, the alerts, and who changed it."""
    return await _show(frame, costs, services.now(), id)


@shows("/costs/new-budget", COSTS_WRITE, sync_to_thread=False)
def new(frame: NamedDependency[Frame]) -> Response[str]:
    """The form for a budget."""
    return _form(frame, {})


@does("/costs/new-budget", COSTS_WRITE)
async def create(
    request: Request[Any, Any, Any],
    by: By,
    frame: NamedDependency[Frame],
    costs: NamedDependency[CostService],
) -> Response[Any]:
    """Makes a budget; what is wrong with it is told beside the form."""
    form = await form_of(request)
    try:
        made = await costs.put_budget(Actor(by.user), _budget(form))
    except VersionConflict:
        return _form(frame, form, 409, TAKEN)
    except StorageError as error:
        return _form(frame, form, problem_of(error).status, str(error))
    return frame.go(frame.path("/costs/budgets", made.budget.id), "budget-made")


@does("/costs/budgets/{id:str}", COSTS_WRITE)
async def change(
    id: FromPath[BudgetId],
    request: Request[Any, Any, Any],
    by: By,
    frame: NamedDependency[Frame],
    costs: NamedDependency[CostService],
    services: NamedDependency[Services],
) -> Response[Any]:
    """Changes what may be changed, if it is as it was when somebody decided that."""
    form = await form_of(request)
    before = await costs.budget_status(id)
    try:
        wanted = msgspec.structs.replace(before.budget, **_terms(form))
        await costs.put_budget(Actor(by.user), wanted, number(form, "version") or 0)
    except VersionConflict:
        return await _show(frame, costs, services.now(), id, 412, CHANGED)
    except StorageError as error:
        now, status = services.now(), problem_of(error).status
        return await _show(frame, costs, now, id, status, str(error))
    await costs.raise_alerts([id])
    return frame.go(frame.path("/costs/budgets", id), "budget-changed")


async def _show(
    frame: Frame,
    costs: CostService,
    now: datetime,
    id: BudgetId,
    status: int = 200,
    problem: str = "",
) -> Response[str]:
    found = await costs.budget_status(id)
    history = await costs.budget_history(id, None, 50)
    began = max(found.window_start, history.items[0].at) if history.items else now
    return frame.page(
        "costs/budget.html",
        status,
        found=found,
        share=share(found),
        history=history,
        forecast=forecast(found, began, now),
        chart=burn_down(found, began, now, await _days(costs, found, began, now)),
        alerts=await last_alerts(costs, AlertFilter(budget=id, since=found.window_start)),
        now=now,
        may_write=frame.may(COSTS_WRITE),
        policies=list(Policy),
        problem=problem,
    )


async def _days(
    costs: CostService, status: BudgetStatus, began: datetime, now: datetime
) -> list[tuple[datetime, Decimal]]:
    """What was charged on each day since `began`, and when it ended.

    Nothing where no report has it: for budgets that name several things, and for long times.
    """
    group = _group(status.budget)
    zone = ZoneInfo(status.budget.timezone)
    first, today = (each.astimezone(zone).date() for each in (began, now))
    if group is None or (today - first).days >= MOST_DAYS:
        return []
    made = []
    for count in range((today - first).days + 1):
        start = first + timedelta(days=count)
        end = start + timedelta(days=1)
        query = ReportQuery(
            group_by=group[0], start=start, end=end, timezone=status.budget.timezone
        )
        rows = [
            row.amount
            for row in await costs.report(query)
            if row.currency == status.budget.currency and group[1] in {None, row.key}
        ]
        made.append((min(midnight(end, zone), now), sum(rows, Decimal(0))))
    return made


def _group(budget: Budget) -> tuple[Dimension, str | None] | None:
    """The report, and its key, that has the charges of a budget; every key: None."""
    named: list[tuple[Dimension, str | None]] = []
    if budget.scope:
        named.append((LEVELS[budget.scope.count("/")], budget.scope))
    if budget.provider is not None:
        named.append((Dimension.PROVIDER, budget.provider))
    if budget.model is not None:
        named.append((Dimension.MODEL, budget.model))
    if budget.tag is not None:
        named.append((Dimension.TAG, budget.tag))
    if not named:
        return Dimension.PROVIDER, None
    return named[0] if len(named) == 1 else None


def _form(
    frame: Frame, form: Mapping[str, Any], status: int = 200, problem: str = ""
) -> Response[str]:
    return frame.page(
        "costs/new.html",
        status,
        form=form,
        problem=problem,
        windows=list(Window),
        policies=list(Policy),
        zones=zones(),
    )


def _budget(form: Mapping[str, Any]) -> Budget:
    provider, model, tag = (text(form, name) for name in ("provider", "model", "tag"))
    return Budget(
        id=BudgetId(text(form, "id") or ""),
        scope=OwnerPath(text(form, "scope") or ""),
        provider=None if provider is None else ProviderName(provider),
        model=None if model is None else ModelName(model),
        tag=None if tag is None else Tag(tag),
        currency=Currency((text(form, "currency") or "").upper()),
        window=member(form, "window", Window) or Window.MONTH,
        timezone=text(form, "timezone") or "UTC",
        **_terms(form),
    )


def _terms(form: Mapping[str, Any]) -> dict[str, Any]:
    """What of a budget may be changed."""
    limit = amount(form, "limit")
    if limit is None:
        raise InvalidValue("limit", "must be given")
    return {
        "limit": limit,
        "thresholds": _thresholds(form),
        "policy": member(form, "policy", Policy) or Policy.BLOCK,
    }


def _thresholds(form: Mapping[str, Any]) -> frozenset[int]:
    given = (text(form, "thresholds") or "").replace(",", " ").split()
    if not all(each.isascii() and each.isdigit() and len(each) <= 3 for each in given):
        raise InvalidValue("thresholds", "must be percentages, such as 50, 80, 100")
    return frozenset(map(int, given))
