"""For the tests of the cost laws: what those of budgets and their alerts must not let pass."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from storeproof.reference.costs import (
    Policy,
    Window,
)
from storeproof.reference.exceptions import InUse, NotFound, VersionConflict

from ..breaking import Mutant
from .mutants import (
    NANO,
    TICK,
    after,
    altering,
    answering,
    checking,
    erring,
    ignoring,
    racing,
    replacing,
)

DAY = timedelta(days=1)


def budget_as(**fields: Any) -> Mutant:
    """Every budget is stored with these fields."""
    return altering("put_budget", budget=lambda budget: replace(budget, **fields))


def changing(storage: Any, id: Any, **fields: Any) -> None:
    storage._budgets[id] = replace(storage._budgets[id], **fields)


def put_resets(storage: Any, budget: Any, **_: Any) -> None:
    changing(storage, budget.id, spent=Decimal(0), reserved=Decimal(0))


async def any_version(storage: Any, right: Any, budget: Any, **_: Any) -> Any:
    stored = storage._budgets.get(budget.id)
    return await right(expected_version=stored.version if stored else 0)


async def creates_at_any_version(storage: Any, right: Any, budget: Any, **_: Any) -> Any:
    return await right(expected_version=0) if budget.id not in storage._budgets else await right()


async def in_use_first(storage: Any, budget: Any, **_: Any) -> None:
    stored = storage._budgets.get(budget.id)
    if stored and stored.budget.window != budget.window:
        raise InUse("budget", budget.id, "window")


def keeping(field: str) -> Mutant:
    """Changing this field is no error, and does nothing."""

    async def made(storage: Any, right: Any, budget: Any, **_: Any) -> Any:
        stored = storage._budgets.get(budget.id)
        fixed = {field: getattr(stored.budget, field)} if stored else {}
        return await right(budget=replace(budget, **fixed))

    return replacing("put_budget", made)


def drops_history(storage: Any, budget: Any, **_: Any) -> None:
    del storage._versions[budget.id][:-1]


async def rolls_when_asked(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    storage._budgets[id] = await right()
    return storage._budgets[id]


async def goes_back(storage: Any, right: Any, at: Any, **_: Any) -> Any:
    for name, status in storage._budgets.items():
        if at < status.window_start:
            changing(storage, name, window_end=status.window_start - 100 * DAY)
    return await right()


async def ends_a_tick_later(_storage: Any, right: Any, at: Any, **_: Any) -> Any:
    return await right(at=at - TICK)


def total_ends(storage: Any, **_: Any) -> None:
    for name, status in storage._budgets.items():
        if status.window_end is None:
            changing(storage, name, window_end=datetime(2027, 1, 1, tzinfo=UTC))


async def alerts_again(storage: Any, right: Any, **_: Any) -> Any:
    storage._alerts = {}
    return await right()


async def alerts_once_ever(storage: Any, right: Any, budget: Any, **_: Any) -> Any:
    known = {alert.threshold for alert in storage._alerts.values() if alert.budget == budget}
    return tuple(alert for alert in await right() if alert.threshold not in known)


async def alerts_on_reserved(storage: Any, right: Any, budget: Any, **_: Any) -> Any:
    status = storage._budgets[budget]
    changing(storage, budget, spent=status.spent + status.reserved)
    raised = await right()
    changing(storage, budget, spent=status.spent)
    return raised


async def alerts_late_for_none(storage: Any, right: Any, budget: Any, at: Any, **_: Any) -> Any:
    status = storage._budgets.get(budget)
    over = status and status.window_end and at >= status.window_end
    return () if over else await right()


async def alerts_a_nano_late(storage: Any, right: Any, budget: Any, **_: Any) -> Any:
    status = storage._budgets[budget]
    changing(storage, budget, spent=status.spent - NANO)
    raised = await right()
    changing(storage, budget, spent=status.spent)
    return raised


MUTANTS: dict[str, list[Mutant]] = {
    "COST-020": [
        *(budget_as(**{field: None}) for field in ("provider", "model", "tag")),
        budget_as(scope="o"),
        budget_as(thresholds=frozenset()),
        budget_as(policy=Policy.BLOCK),
        altering("put_budget", at=lambda at: at - TICK),
    ],
    "COST-021": [after("put_budget", drops_history)],
    "COST-022": [
        replacing("put_budget", any_version),
        replacing("put_budget", creates_at_any_version),
        erring("put_budget", lambda error: VersionConflict("budget", "x", 9)),
    ],
    "COST-023": [
        *(keeping(field) for field in ("currency", "window", "timezone")),
        checking("put_budget", in_use_first),
    ],
    "COST-024": [after("put_budget", put_resets)],
    "COST-025": [ignoring("budget_status", NotFound), ignoring("raise_alerts", NotFound)],
    "COST-026": [
        budget_as(timezone="UTC"),
        budget_as(window=Window.DAY),
        budget_as(window=Window.MONTH),
    ],
    "COST-027": [
        replacing("budget_status", ends_a_tick_later),
        replacing("budget_status", rolls_when_asked),
        budget_as(window=Window.TOTAL),
    ],
    "COST-028": [replacing("reserve", goes_back)],
    "COST-029": [budget_as(window=Window.MONTH), after("reserve", total_ends)],
    "COST-030": [
        replacing("raise_alerts", alerts_again),
        replacing("raise_alerts", alerts_a_nano_late),
        altering("raise_alerts", at=lambda at: at + TICK),
    ],
    "COST-031": [
        answering("raise_alerts", lambda alerts: alerts[::-1]),
        answering("raise_alerts", lambda alerts: alerts[:1]),
    ],
    "COST-032": [replacing("raise_alerts", alerts_once_ever)],
    "COST-033": [replacing("raise_alerts", alerts_on_reserved)],
    "COST-034": [replacing("raise_alerts", alerts_late_for_none)],
    "COST-041": [
        budget_as(policy=Policy.BLOCK),
        budget_as(policy=Policy.WARN),
    ],
    "COST-076": [racing("raise_alerts")],
    "COST-077": [racing("put_budget")],
}
