"""For applications: `CostService` admits requests within budgets and records what they cost."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Final
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from storeproof.reference.costs.entities import (
    Actor,
    Alert,
    AlertFilter,
    Budget,
    BudgetAmount,
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
    Delivery,
    ModelName,
    OwnerPath,
    Policy,
    ProviderName,
    ReportQuery,
    ReportRow,
    Reservation,
    ReservationId,
    SinkName,
    Tag,
)
from storeproof.reference.costs.exceptions import BudgetExceeded
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.costs.service.sinks import LOGGER, AlertSink, LogSink
from storeproof.reference.exceptions import Duplicate, InvalidValue, NotFound
from storeproof.reference.service import ComponentService
from storeproof.reference.storage import Clock, Cursor, Page

__all__ = ["Admission", "CostService", "Offer"]


NO_TAGS: Final[frozenset[Tag]] = frozenset()


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A way to serve a request, and the most that it is expected to cost."""

    provider: ProviderName
    model: ModelName
    amount: Decimal


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """A request that may go on, as `offer` says.

    `reservation` is None where it counts in no budget. `warnings` are the budgets
    with Policy.WARN whose limit is passed.
    """

    offer: Offer
    currency: Currency
    reservation: Reservation | None
    warnings: tuple[BudgetId, ...] = ()


class CostService(ComponentService[CostStorage]):
    """Costs and budgets on any `CostStorage`.

        admission = await service.admit(owner, currency, (wanted, cheaper))
        ...  # the request, by admission.offer
        await service.finish(admission, charge)

    Every method raises what the storage's operation behind it raises. A request that ends
    without cost is given to `abandon`; one that is never heard of again expires after
    `patience`. An application calls `expire`, `raise_alerts` and `deliver_alerts` now and then.

    storage: injected. clock: gives the present. new_id: gives ids. sinks: where alerts go.
    persistence: how long an alert that was raised is tried to deliver.
    """

    def __init__(
        self,
        storage: CostStorage,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid4().hex,
        sinks: Sequence[AlertSink] = (LogSink(),),
        patience: timedelta = timedelta(minutes=15),
        persistence: timedelta = timedelta(days=7),
    ) -> None:
        if len({sink.name for sink in sinks}) < len(sinks):
            raise ValueError("no two sinks of one service have the same name")
        self._storage = storage
        self._clock = clock
        self._new_id = new_id
        self._sinks = tuple(sinks)
        self._patience = patience
        self._persistence = persistence

    async def put_budget(
        self, by: Actor, budget: Budget, expected_version: int = 0
    ) -> BudgetVersion:
        """Creates (version 0) or replaces a budget; who did it is kept with the version."""
        return await self._storage.put_budget(budget, expected_version, by, self._clock())

    async def budget_status(self, id: BudgetId) -> BudgetStatus:
        """What is spent and reserved now."""
        return await self._storage.budget_status(id, self._clock())

    async def budget_history(
        self, id: BudgetId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[BudgetVersion]:
        """Who changed the budget to what, and when."""
        return await self._storage.list_budget_versions(id, cursor, limit)

    async def budgets_of(self, filter: BudgetFilter) -> tuple[Budget, ...]:
        """All budgets that match, by id."""
        page = await self._storage.list_budgets(filter)
        found = list(page.items)
        while page.next_cursor is not None:
            page = await self._storage.list_budgets(filter, page.next_cursor)
            found.extend(page.items)
        return tuple(found)

    async def admit(
        self,
        owner: OwnerPath,
        currency: Currency,
        offers: Sequence[Offer],
        tags: frozenset[Tag] = NO_TAGS,
        *,
        id: str | None = None,
    ) -> Admission:
        """Reserves the amount of the first offer, once in every budget in which it counts.

        Where a budget with Policy.ROUTE has no room, the next offer is tried that costs
        less than the one refused. Raises BudgetExceeded when a budget with Policy.BLOCK
        has no room, or when no offer is left; InvalidValue when it counts in more than 100.

        id: that of the reservation, new by default. With one it may be repeated: what was
        admitted is returned, as it is by now. Raises Duplicate("id") where the id is that of
        something else, or of the same request that is admitted at this moment.
        """
        request = BudgetFilter(covering=owner, tags=tags, currency=currency)
        known = None if id is None else await self._reservation(ReservationId(id))
        if known is not None:
            return await self._admitted(request, currency, offers, known)
        made = ReservationId(self._new_id() if id is None else id)
        refused: BudgetExceeded | None = None
        asked: Decimal | None = None
        for offer in offers:
            if asked is None or offer.amount < asked:
                outcome = await self._try(request, currency, offer, made)
                if isinstance(outcome, Admission):
                    return outcome
                refused, asked = outcome, offer.amount
        if refused is None:
            raise ValueError("there is no offer to admit")
        raise refused

    async def finish(self, admission: Admission, charge: Charge) -> tuple[Alert, ...]:
        """Records what an admitted request cost and settles it, as a whole; then raises alerts.

        It counts in the budgets in which the request was admitted; a credit counts as 0. The
        alerts that it raised are returned, and wait for `deliver_alerts`. Repeating it is
        harmless. Raises InvalidValue("currency") for a charge in another currency than that of
        the admission. Whatever else it raises, such as ReservationClosed for a request that was
        abandoned, the charge was not recorded either; `record` takes it without its budgets.
        """
        if charge.currency != admission.currency:
            raise InvalidValue("currency", "must be that of the admission")
        reservation = admission.reservation
        if reservation is None:
            await self._storage.create(charge)
            return ()
        spent = max(charge.amount, Decimal(0))
        amounts = tuple(
            BudgetAmount(budget=each.budget, amount=spent) for each in reservation.amounts
        )
        await self._storage.settle(reservation.id, amounts, charge)
        return await self.raise_alerts([each.budget for each in reservation.amounts])

    async def abandon(self, admission: Admission) -> None:
        """Frees what is reserved for a request that costs nothing. Repeating it is harmless."""
        if admission.reservation is not None:
            await self._storage.release(admission.reservation.id)

    async def expire(self, limit: int = 1000) -> int:
        """Frees what is reserved for requests that were not heard of in time; how many."""
        return await self._storage.expire_reservations(self._clock(), limit)

    async def raise_alerts(self, budgets: Sequence[BudgetId] | None = None) -> tuple[Alert, ...]:
        """Records, and returns, the alerts that the thresholds of these, or all, budgets call for.

        `finish` does it. It is for budgets whose thresholds were changed, and for processes
        that ended before they did it; each alert is raised once all the same.
        """
        now = self._clock()
        if budgets is None:
            budgets = [each.id for each in await self.budgets_of(BudgetFilter())]
        raised = [await self._storage.raise_alerts(each, now) for each in budgets]
        return tuple(chain.from_iterable(raised))

    async def deliver_alerts(self) -> tuple[Delivery, ...]:
        """Gives each sink, the oldest first, the alerts that it has not passed on; what it did.

        Each gets every alert at least once: again where its answer was lost, where the
        process ended before that was recorded, or where two processes deliver at the same
        time. A sink that fails, however it does, is logged, keeps no other alert or sink
        waiting, and is tried again by the next call, until `persistence` has passed.
        """
        return tuple([made for sink in self._sinks async for made in self._deliver_to(sink)])

    async def undelivered(
        self, sink: SinkName, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Alert]:
        """The alerts that a sink has not passed on, the oldest first, also those given up."""
        return await self._storage.list_alerts(AlertFilter(undelivered_to=sink), cursor, limit)

    async def record(self, charge: Charge) -> Charge:
        """Records a charge that no admission belongs to."""
        return await self._storage.create(charge)

    async def correct(
        self,
        charge: ChargeId,
        amount: Decimal,
        reason: str,
        *,
        correction: CorrectionId | None = None,
        at: datetime | None = None,
    ) -> Correction:
        """Adds an amount to what a charge cost, by default as of now.

        Repeating it with the same id and time of the correction, which are new by default, is
        harmless.
        """
        made = Correction(
            id=CorrectionId(self._new_id()) if correction is None else correction,
            charge=charge,
            amount=amount,
            reason=reason,
            at=self._clock() if at is None else at,
        )
        return await self._storage.correct(made)

    async def corrections(
        self, charge: ChargeId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Correction]:
        return await self._storage.list_corrections(charge, cursor, limit)

    async def alerts(
        self, filter: AlertFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Alert]:
        return await self._storage.list_alerts(filter, cursor, limit)

    async def charges(
        self, filter: ChargeFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Charge]:
        return await self._storage.list_charges(filter, cursor, limit)

    async def report(self, query: ReportQuery) -> tuple[ReportRow, ...]:
        return await self._storage.report(query)

    async def _deliver_to(self, sink: AlertSink) -> AsyncIterator[Delivery]:
        since = self._clock() - self._persistence
        wanted = AlertFilter(since=since, undelivered_to=sink.name)
        cursor: Cursor | None = None
        while True:
            page = await self._storage.list_alerts(wanted, cursor)
            for alert in page.items:
                try:
                    await sink.deliver(alert)
                except Exception:
                    LOGGER.exception("alert %s was not delivered to %s", alert.id, sink.name)
                else:
                    now = self._clock()
                    yield await self._storage.mark_delivered(alert.id, sink.name, now)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _reservation(self, id: ReservationId) -> Reservation | None:
        try:
            return await self._storage.get_reservation(id)
        except NotFound:
            return None

    async def _admitted(
        self,
        request: BudgetFilter,
        currency: Currency,
        offers: Sequence[Offer],
        known: Reservation,
    ) -> Admission:
        """The admission that this reservation was made for."""
        for offer in offers:
            policies = await self._policies(request, offer)
            amounts = tuple(BudgetAmount(budget=each, amount=offer.amount) for each in policies)
            if amounts == known.amounts:
                warnings = await self._warnings(policies)
                return Admission(
                    offer=offer, currency=currency, reservation=known, warnings=warnings
                )
        raise Duplicate("id")

    async def _policies(self, request: BudgetFilter, offer: Offer) -> dict[BudgetId, Policy]:
        """The budgets in which a request by this offer counts, by id."""
        counting = replace(request, provider=offer.provider, model=offer.model)
        return {each.id: each.policy for each in await self.budgets_of(counting)}

    async def _try(
        self, request: BudgetFilter, currency: Currency, offer: Offer, made: ReservationId
    ) -> Admission | BudgetExceeded:
        """The admission by this offer, or for what reason another one may be tried."""
        policies = await self._policies(request, offer)
        try:
            reservation = await self._reserve(made, tuple(policies), offer.amount)
        except BudgetExceeded as error:
            if policies[BudgetId(error.budget)] is not Policy.ROUTE:
                raise
            return error
        warnings = await self._warnings(policies)
        return Admission(offer=offer, currency=currency, reservation=reservation, warnings=warnings)

    async def _reserve(
        self, made: ReservationId, budgets: tuple[BudgetId, ...], amount: Decimal
    ) -> Reservation | None:
        if not budgets:
            return None
        now = self._clock()
        amounts = tuple(BudgetAmount(budget=each, amount=amount) for each in budgets)
        return await self._storage.reserve(made, amounts, now, now + self._patience)

    async def _warnings(self, policies: dict[BudgetId, Policy]) -> tuple[BudgetId, ...]:
        warning = [each for each, policy in policies.items() if policy is Policy.WARN]
        found = [await self.budget_status(each) for each in warning]
        return tuple(status.budget.id for status in found if status.available < 0)
