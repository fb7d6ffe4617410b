"""For users and authors of a cost storage: what each operation does, exactly.

These docstrings are the law. Every implementation agrees with them, call by call.
"""

from datetime import datetime
from typing import Protocol

from storeproof.reference.costs.entities import (
    Actor,
    Alert,
    AlertFilter,
    AlertId,
    Amounts,
    Budget,
    BudgetFilter,
    BudgetId,
    BudgetStatus,
    BudgetVersion,
    Charge,
    ChargeFilter,
    ChargeId,
    Correction,
    Delivery,
    ReportQuery,
    ReportRow,
    Reservation,
    ReservationId,
    SinkName,
)
from storeproof.reference.storage import ComponentStorage, Cursor, Page

__all__ = ["CostStorage"]


class CostStorage(ComponentStorage[Charge], Protocol):
    """A ledger of charges, reports on it, and budgets in which amounts are reserved.

    **Values.** Arguments are made canonical first (`entities.canonical`); results are
    canonical. Raises InvalidValue, from every operation, for an argument that has no
    canonical form: the first one, in the order of the parameters and of the fields. No
    id, time or default is made by a storage.

    **Money** is exact: a Decimal with at most 9 decimals, from -10^9 to 10^9. Sums never
    round, never wrap and never mix currencies.

    **Precedence of errors.** InvalidValue, then NotFound, VersionConflict, Duplicate,
    InUse, ReservationClosed, BudgetExceeded and BudgetOverflow. An operation that raises
    has changed nothing.

    **Atomicity.** Every operation happens at one instant, as a whole, also while others
    run: no call sees a part of another.

    **Repeating.** Where nothing else is said, repeating a call that succeeded returns
    the same and changes nothing more. The same id with anything else is a Duplicate("id").

    **Lists** are ordered by the sort key that each names, text by code point; a cursor is
    the key of the last item of a page. `limit` is 1 to 1000. `next_cursor` is None exactly
    when no item follows. What matches nothing, or does not exist, gives an empty page.

    **Budgets** count what is reserved in them and what was settled; charges do not change
    them. In which ones a request is to be reserved `list_budgets` says: each is one of them
    once, and counts an amount once, however many tags the request has.

    A budget has one window at a time. An operation at an instant when that has ended finds
    the window of that instant, with nothing spent or reserved in it; one before its start
    counts in it. What was reserved in an earlier window counts there.
    """

    async def get_by_id(self, id: ChargeId) -> Charge:
        """The charge with this id, as it was created: corrections don't change it.

        Raises NotFound("charge", id) when there is none.
        """
        ...

    async def create(self, entity: Charge) -> Charge:
        """Records a charge and returns it. An equal one with the same id stays as it is.

        Raises Duplicate("id") when the id is taken by a different charge.
        """
        ...

    async def correct(self, correction: Correction) -> Correction:
        """Records a correction of a charge and returns it. An equal one stays as it is.

        Raises NotFound("charge", correction.charge) for an unknown charge. Raises
        Duplicate("id") when the id is taken by a different correction.
        """
        ...

    async def list_charges(
        self, filter: ChargeFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Charge]:
        """The charges that match, by `occurred_at`, then by id."""
        ...

    async def list_corrections(
        self, charge: ChargeId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Correction]:
        """The corrections of a charge, by `at`, then by id."""
        ...

    async def report(self, query: ReportQuery) -> tuple[ReportRow, ...]:
        """What the charges and the corrections of a period add up to, by currency, then key.

        A charge counts at its `occurred_at`, a correction at its `at`, as its charge is
        grouped. There is a row for each currency and key with a charge or a correction in
        the period; the unallocated (`key` None) comes first.

        By tag, with Allocation.FULL, a charge counts fully for each of its tags: the rows
        add up to more than was spent. With Allocation.SPLIT the sum of all that have the
        same set of tags is divided among these by floor division, and one nano-unit more
        goes to each of the first of them by code point until nothing remains: the rows
        add up exactly. Otherwise `allocation` means nothing.
        """
        ...

    async def rebuild_rollups(self) -> None:
        """Makes anew, from the ledger, whatever the storage prepared for reports.

        No operation gives another result afterwards, unless what was prepared was wrong.
        """
        ...

    async def put_budget(
        self, budget: Budget, expected_version: int, actor: Actor, at: datetime
    ) -> BudgetVersion:
        """Creates a budget (`expected_version` 0) or replaces it, keeping what is spent.

        The new version is one more than the expected one, and is kept for ever. Repeating
        it is a VersionConflict.

        Raises NotFound("budget", id) for an unknown budget when `expected_version` is not
        0. Raises VersionConflict("budget", id, expected_version) when the stored version
        differs. Raises InUse("budget", id, field) when currency, window or timezone, the
        first of them, would change.
        """
        ...

    async def budget_status(self, id: BudgetId, at: datetime) -> BudgetStatus:
        """The budget, and what is spent and reserved in its window at an instant.

        Raises NotFound("budget", id) for an unknown budget.
        """
        ...

    async def list_budgets(
        self, filter: BudgetFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Budget]:
        """The budgets that match, each once, by id."""
        ...

    async def list_budget_versions(
        self, id: BudgetId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[BudgetVersion]:
        """All versions of a budget, who put them and when, by version."""
        ...

    async def reserve(
        self,
        id: ReservationId,
        amounts: Amounts,
        at: datetime,
        expires_at: datetime,
    ) -> Reservation:
        """Reserves amounts in their budgets' windows at `at`, all of them or none.

        A reservation that was made with the same arguments is returned as it is by now,
        and nothing is reserved again. It counts until it is settled, released or expired,
        also after `expires_at`.

        Raises InvalidValue("expires_at", ...) when it is not later than `at`. Raises
        Duplicate("id"), before anything else is looked at, when the id is taken by a
        reservation with other arguments. Raises NotFound("budget", id) for the first
        unknown budget by id. Then for the first budget by id that can't hold its amount:
        BudgetExceeded(id, available) when its policy is not WARN and spent, reserved and
        the amount together pass its limit, otherwise BudgetOverflow(id) when reserved and
        the amount together pass 4·10^9.
        """
        ...

    async def get_reservation(self, id: ReservationId) -> Reservation:
        """The reservation with this id.

        Raises NotFound("reservation", id) when there is none.
        """
        ...

    async def settle(
        self, id: ReservationId, amounts: Amounts, charge: Charge | None = None
    ) -> Reservation:
        """Ends an open or expired reservation, and counts what was spent in its budgets.

        Records the charge, if there is one, as `create` does: both happen, or neither.

        A budget of the reservation without an amount here counts 0. An amount may be more
        than was reserved, and pass the limit: what is spent is spent. It counts in the
        window in which it was reserved, so not at all in a later one.

        Raises NotFound("reservation", id) for an unknown reservation. Raises
        NotFound("budget", id) for the first budget by id that it has no amount in. Raises
        Duplicate("id") when the id of the charge is taken by a different one. Raises
        ReservationClosed(id, state) when it is released, or settled with other amounts.
        Raises BudgetOverflow(id) for the first budget by id whose spent and the amount
        together would pass 4·10^9.
        """
        ...

    async def release(self, id: ReservationId) -> Reservation:
        """Ends an open reservation of which nothing was spent. An expired one stays so.

        Raises NotFound("reservation", id) for an unknown reservation. Raises
        ReservationClosed(id, "settled") when it is settled.
        """
        ...

    async def expire_reservations(self, at: datetime, limit: int) -> int:
        """Ends open reservations whose `expires_at` is not after `at`; how many.

        The first `limit` (1 to 1000) of them by `expires_at`, then by id. Repeating it
        expires the next ones.
        """
        ...

    async def raise_alerts(self, budget: BudgetId, at: datetime) -> tuple[Alert, ...]:
        """Records, and returns, an alert for each newly reached threshold, the lowest first.

        A threshold is reached in the budget's latest window (that of its last reservation)
        when something, and at least that percentage of the limit, is spent there. It
        raises an alert once in each window, whoever asks first; repeating gives nothing.

        Raises NotFound("budget", budget) for an unknown budget.
        """
        ...

    async def list_alerts(
        self, filter: AlertFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Alert]:
        """The alerts that match, by `raised_at`, `window_start`, `threshold`, then `budget`."""
        ...

    async def mark_delivered(self, alert: AlertId, sink: SinkName, at: datetime) -> Delivery:
        """Records that a sink has passed an alert on, and returns the first record of that.

        Repeating it changes nothing, whatever its `at` is.

        Raises NotFound("alert", alert) for an unknown alert.
        """
        ...

    async def list_deliveries(
        self, alert: AlertId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Delivery]:
        """Who has passed an alert on, and when, by sink."""
        ...
