"""For the demonstration only: puts a year into storages, as it would have come about.

The services do it, with a clock that is moved along: states, regressions, alerts and rollups
are those that they make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from storeproof.reference.auth.entities import GLOBAL, Role, UserId, UserPatch
from storeproof.reference.auth.service import AuthService
from storeproof.reference.costs.entities import Actor, Alert, SinkName
from storeproof.reference.costs.exceptions import BudgetExceeded
from storeproof.reference.costs.service import CostService, Offer
from storeproof.reference.costs.service.sinks import LogSink
from storeproof.reference.demo.faults import Decision, Failure, Fault
from storeproof.reference.demo.people import PEOPLE
from storeproof.reference.demo.traffic import COOLING, PROVIDERS, Request
from storeproof.reference.demo.year import DAYS, Year
from storeproof.reference.errors.entities import GroupId, Status
from storeproof.reference.errors.service import ErrorService
from storeproof.reference.passwords import Argon2Hasher
from storeproof.reference.providers.entities import LeaseId, Outcome, OutcomeId
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.selection import Storages

__all__ = ["fill"]

_RESTS = timedelta(hours=6)
"""How long the provider rests that failed a moment ago: long enough to be looked at."""


_QUICK: Final = Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1)
"""For passwords that are printed anyway; who signs in gets a better hash."""


@dataclass
class _Time:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


class _Silent:
    """Takes the alerts of the past, which nobody has to be told about any more."""

    name: SinkName = LogSink.name

    async def deliver(self, alert: Alert) -> None:
        pass


async def fill(year: Year, storages: Storages, *, password: str, roles: Sequence[Role]) -> None:
    """Makes empty storages hold the year, and people who can all sign in with this password."""
    await _people(AuthService(storages.auth, hasher=_QUICK), password, roles)
    time = _Time(year.now)
    await _errors(year, ErrorService(storages.errors, clock=time), time)
    costs = CostService(
        storages.costs, clock=time, sinks=[_Silent()], persistence=timedelta(days=2 * DAYS)
    )
    await _traffic(year, costs, storages.providers, time)


async def _people(auth: AuthService, password: str, roles: Sequence[Role]) -> None:
    first, *others = PEOPLE
    await auth.bootstrap(first.email, password, display_name=first.name)
    await auth.install_roles(roles)
    issued = await auth.log_in(first.email, password, label="demonstration")
    by = await auth.authenticate(issued.token)
    for person in others:
        user = await auth.create_user(by, person.email, display_name=person.name, password=password)
        for role in person.roles:
            await auth.grant(by, UserId(user.id), role, GLOBAL)
        if not person.enabled:
            await auth.update_user(by, UserId(user.id), UserPatch(enabled=False), user.version)
    await auth.log_out(by)


async def _errors(year: Year, errors: ErrorService, time: _Time) -> None:
    groups: dict[str, GroupId] = {}
    waiting = list(year.decisions)
    for each in year.failures:
        while waiting and waiting[0].at <= each.at:
            await _decide(errors, groups, waiting.pop(0), time)
        groups[each.fault.kind] = await _report(errors, each)
    for decision in waiting:
        await _decide(errors, groups, decision, time)


async def _report(errors: ErrorService, each: Failure) -> GroupId:
    fault: Fault = each.fault
    made = await errors.report(
        fault.kind,
        each.message,
        frames=each.frames,
        stack="\n".join(f"  in {frame.module}.{frame.function}" for frame in each.frames),
        level=fault.level,
        tags=each.tags,
        id=each.id,
        occurred_at=each.at,
    )
    return made.group.id


async def _decide(
    errors: ErrorService, groups: dict[str, GroupId], decision: Decision, time: _Time
) -> None:
    if decision.fault.kind not in groups:
        return
    time.now = decision.at
    group = await errors.get_group(groups[decision.fault.kind])
    if decision.status is Status.RESOLVED:
        await errors.resolve(group.id, group.version)
    else:
        await errors.ignore(group.id, group.version)


async def _traffic(year: Year, costs: CostService, providers: ProviderStorage, time: _Time) -> None:
    for provider in PROVIDERS:
        await providers.create(provider)
    time.now = year.requests[0].at if year.requests else year.now
    for budget in year.budgets:
        await costs.put_budget(Actor("ann@example.org"), budget)
    for request in year.requests:
        time.now = request.at
        if await _spent(costs, request):
            await providers.record_outcome(_outcome(request))
    time.now = year.now
    await costs.deliver_alerts()
    for number, request in enumerate(year.requests[-20:]):
        lease = LeaseId(f"demo-now-{number}")
        await providers.acquire(lease, request.provider, request.tokens, year.now)
    await providers.cool_down(COOLING, year.now + _RESTS)


async def _spent(costs: CostService, request: Request) -> bool:
    """Whether the request was made: budgets may have refused it."""
    charge = request.charge
    if charge is None:
        return True
    offer = Offer(provider=charge.provider, model=charge.model, amount=charge.amount)
    try:
        admission = await costs.admit(charge.owner, charge.currency, [offer], charge.tags)
    except BudgetExceeded:
        return False
    await costs.finish(admission, charge)
    return True


def _outcome(request: Request) -> Outcome:
    return Outcome(
        id=OutcomeId(request.id),
        provider=request.provider,
        at=request.at,
        ok=request.charge is not None,
        latency=request.latency,
        tokens=request.tokens,
        cost=request.charge.amount if request.charge else Decimal(0),
    )
