"""For clients of the API: charges, what they add up to, budgets and what they admit."""

from datetime import date, datetime
from decimal import Decimal

import msgspec
from litestar import Response, Router
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from storeproof.reference.costs.entities import (
    Actor,
    Alert,
    AlertFilter,
    Allocation,
    Budget,
    BudgetFilter,
    BudgetId,
    BudgetStatus,
    BudgetVersion,
    Charge,
    ChargeFilter,
    ChargeId,
    Correction,
    CorrectionId,
    Currency,
    Dimension,
    ModelName,
    OwnerPath,
    ProviderName,
    ReportQuery,
    ReportRow,
    SinkName,
    Tag,
)
from storeproof.reference.costs.service import Admission, CostService, Offer, focus_csv
from storeproof.reference.storage import Page
from storeproof.reference.web.api.batches import Answers, answer_each
from storeproof.reference.web.needs import COSTS_READ, COSTS_SEND, COSTS_WRITE
from storeproof.reference.web.problems import Refusal
from storeproof.reference.web.repeats import IdempotencyKey, id_of
from storeproof.reference.web.routes import After, By, Limit, creates, reads, replaces
from storeproof.reference.web.versions import IfMatch, IfNoneMatch, expected_version, tagged

__all__ = ["Ask", "Charges", "CorrectionBody", "Ending", "router"]


class Charges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most 1000 charges."""

    items: tuple[Charge, ...]


class CorrectionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is added to a charge; a negative amount takes from it. The same `id` counts once."""

    id: CorrectionId
    at: datetime
    amount: Decimal
    reason: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants to make a request, and the ways to serve it, the preferred one first."""

    owner: OwnerPath
    currency: Currency
    offers: tuple[Offer, ...]
    tags: frozenset[Tag] = frozenset()


class Ending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An admission, as it was answered, and what its request cost; None: nothing."""

    admission: Admission
    charge: Charge | None = None


@creates("/charges", COSTS_SEND, summary="Record charges", status_code=200)
async def record(data: JSONBody[Charges], costs: NamedDependency[CostService]) -> Answers:
    """The same charge counts once; another one with the same id is refused."""
    return await answer_each(data.items, lambda item: item.id, costs.record)


@reads("/charges", COSTS_READ, summary="List charges")
async def list_charges(
    costs: NamedDependency[CostService],
    owner: FromQuery[OwnerPath | None] = None,
    provider: FromQuery[ProviderName | None] = None,
    model: FromQuery[ModelName | None] = None,
    tag: FromQuery[Tag | None] = None,
    currency: FromQuery[Currency | None] = None,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    cursor: After = None,
    limit: Limit = 100,
) -> Page[Charge]:
    """Charges that match all that is given; an owner's are those of all below it, too."""
    wanted = ChargeFilter(
        owner=owner,
        provider=provider,
        model=model,
        tag=tag,
        currency=currency,
        since=since,
        until=until,
    )
    return await costs.charges(wanted, cursor, limit)


@creates("/charges/{id:str}/corrections", COSTS_WRITE, summary="Correct a charge")
async def correct(
    id: FromPath[ChargeId],
    data: JSONBody[CorrectionBody],
    costs: NamedDependency[CostService],
) -> Correction:
    """Another correction with the same id is refused."""
    return await costs.correct(id, data.amount, data.reason, correction=data.id, at=data.at)


@reads("/charges/{id:str}/corrections", COSTS_READ, summary="List a charge's corrections")
async def list_corrections(
    id: FromPath[ChargeId],
    costs: NamedDependency[CostService],
    cursor: After = None,
    limit: Limit = 100,
) -> Page[Correction]:
    """The oldest first."""
    return await costs.corrections(id, cursor, limit)


@reads("/report", COSTS_READ, summary="What charges add up to")
async def report(
    group_by: FromQuery[Dimension],
    start: FromQuery[date],
    end: FromQuery[date],
    costs: NamedDependency[CostService],
    timezone: FromQuery[str] = "UTC",
    allocation: FromQuery[Allocation] = Allocation.FULL,
) -> tuple[ReportRow, ...]:
    """From the midnight of `start` to that of `end`, in the time zone."""
    return await costs.report(_query(group_by, start, end, timezone, allocation))


@reads("/report.csv", COSTS_READ, summary="The same, as CSV", media_type="text/csv")
async def report_csv(
    group_by: FromQuery[Dimension],
    start: FromQuery[date],
    end: FromQuery[date],
    costs: NamedDependency[CostService],
    timezone: FromQuery[str] = "UTC",
    allocation: FromQuery[Allocation] = Allocation.SPLIT,
) -> str:
    """With the names of FOCUS, the FinOps Open Cost and Usage Specification."""
    query = _query(group_by, start, end, timezone, allocation)
    return focus_csv(query, await costs.report(query))


@reads("/budgets", COSTS_READ, summary="List budgets")
async def list_budgets(
    costs: NamedDependency[CostService],
    covering: FromQuery[OwnerPath | None] = None,
    currency: FromQuery[Currency | None] = None,
) -> tuple[Budget, ...]:
    """All budgets, or those in which a request of this owner counts."""
    return await costs.budgets_of(BudgetFilter(covering=covering, currency=currency))


@reads("/budgets/{id:str}", COSTS_READ, summary="Read a budget")
async def get_budget(
    id: FromPath[BudgetId], costs: NamedDependency[CostService]
) -> Response[BudgetStatus]:
    """With what is spent and reserved in its present window."""
    status = await costs.budget_status(id)
    return tagged(status, status.version)


@replaces("/budgets/{id:str}", COSTS_WRITE, summary="Make or replace a budget")
async def put_budget(
    id: FromPath[BudgetId],
    data: JSONBody[Budget],
    by: By,
    costs: NamedDependency[CostService],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[BudgetVersion]:
    """Needs the ETag that was read; for a new one, `If-None-Match: *`."""
    if data.id != id:
        raise Refusal(422, "invalid-value", "The budget's id must be that of the path.")
    version = expected_version(if_match, if_none_match)
    made = await costs.put_budget(Actor(by.user), data, version)
    return tagged(made, made.version)


@reads("/budgets/{id:str}/history", COSTS_READ, summary="List a budget's versions")
async def budget_history(
    id: FromPath[BudgetId],
    costs: NamedDependency[CostService],
    cursor: After = None,
    limit: Limit = 100,
) -> Page[BudgetVersion]:
    """Who changed it to what, and when."""
    return await costs.budget_history(id, cursor, limit)


@creates("/admissions", COSTS_SEND, summary="Ask to be admitted")
async def admit(
    data: JSONBody[Ask],
    by: By,
    costs: NamedDependency[CostService],
    idempotency_key: IdempotencyKey = None,
) -> Admission:
    """Reserves what the first offer costs for which all budgets have room."""
    if not data.offers:
        raise Refusal(422, "invalid-value", "There must be an offer to admit.")
    made = id_of(idempotency_key, by, "admission")
    return await costs.admit(data.owner, data.currency, data.offers, data.tags, id=made)


@creates("/admissions/ending", COSTS_SEND, summary="End an admission", status_code=200)
async def finish(data: JSONBody[Ending], costs: NamedDependency[CostService]) -> tuple[Alert, ...]:
    """Records what the request cost and frees what is left; the alerts that it raised."""
    if data.charge is None:
        await costs.abandon(data.admission)
        return ()
    return await costs.finish(data.admission, data.charge)


@reads("/alerts", COSTS_READ, summary="List alerts")
async def list_alerts(
    costs: NamedDependency[CostService],
    budget: FromQuery[BudgetId | None] = None,
    since: FromQuery[datetime | None] = None,
    undelivered_to: FromQuery[SinkName | None] = None,
    cursor: After = None,
    limit: Limit = 100,
) -> Page[Alert]:
    """Budgets that passed a threshold, the oldest first."""
    wanted = AlertFilter(budget=budget, since=since, undelivered_to=undelivered_to)
    return await costs.alerts(wanted, cursor, limit)


def router() -> Router:
    """The routes of costs."""
    ledger = [record, list_charges, correct, list_corrections, report, report_csv]
    budgets = [list_budgets, get_budget, put_budget, budget_history]
    handlers = [*ledger, *budgets, admit, finish, list_alerts]
    return Router("/costs", route_handlers=handlers, tags=["costs"])


def _query(
    group_by: Dimension, start: date, end: date, timezone: str, allocation: Allocation
) -> ReportQuery:
    return ReportQuery(
        group_by=group_by, start=start, end=end, timezone=timezone, allocation=allocation
    )
