"""For authors of a cost storage: the laws of budgets, their windows and their alerts."""

from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import (
    Alert,
    AlertFilter,
    BudgetId,
    BudgetVersion,
    Policy,
    Window,
    alert_id,
)
from storeproof.reference.costs.laws.given import (
    ACTOR,
    DAY,
    HOUR,
    NOW,
    TICK,
    add_budget,
    budget,
    is_refused,
    reserve,
    spend,
    totals,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import InUse, NotFound, VersionConflict

__all__: list[str] = []

A, NOBODY = BudgetId("a"), BudgetId("no")
MIDNIGHT = NOW.replace(hour=0)
HALVES = frozenset({50, 100})
OF_A = AlertFilter(budget=A)


def levels(alerts: tuple[Alert, ...]) -> list[int]:
    return [alert.threshold for alert in alerts]


@law("COST-020", MUST)
async def budget_is_stored_as_given(storage: CostStorage) -> None:
    """A budget comes back as it was put, at version 1, with nothing spent or reserved."""
    names = {"scope": "o/t", "provider": "é", "model": "M", "tag": "k=v", "timezone": "Asia/Tokyo"}
    made = budget("a", thresholds=HALVES, policy=Policy.ROUTE, **names)
    first = await storage.put_budget(made, 0, ACTOR, NOW + TICK)
    assert first == BudgetVersion(budget=made, version=1, actor=ACTOR, at=NOW + TICK)
    status = await storage.budget_status(A, NOW)
    assert (status.budget, status.version) == (made, 1)
    assert await totals(storage, "a") == ("0", "0")


@law("COST-021", MUST)
async def every_version_is_kept(storage: CostStorage) -> None:
    """Every version of a budget stays, with who put it and when, in order."""
    first = await storage.put_budget(budget("a"), 0, ACTOR, NOW)
    raised = replace(budget("a", "20"), scope="o")
    second = await storage.put_budget(raised, 1, ACTOR, NOW - DAY)
    assert (second.version, str(second.budget.limit)) == (2, "20")
    assert (await storage.list_budget_versions(A)).items == (first, second)
    assert (await storage.list_budget_versions(NOBODY)).items == ()


@law("COST-022", MUST)
async def put_expects_a_version(storage: CostStorage) -> None:
    """A put with another version than the stored one is a VersionConflict and changes nothing."""
    await add_budget(storage, "a")
    for version in (0, 2):
        put = storage.put_budget(budget("a", "99"), version, ACTOR, NOW)
        await is_refused(put, VersionConflict("budget", "a", version))
    assert (await storage.budget_status(A, NOW)).budget.limit == 10
    unknown = storage.put_budget(budget("no"), 1, ACTOR, NOW)
    await is_refused(unknown, NotFound("budget", "no"))


@law("COST-023", MUST)
async def budget_keeps_what_its_sums_depend_on(storage: CostStorage) -> None:
    """Currency, window and time zone of a budget never change: InUse, in that order."""
    await add_budget(storage, "a")
    changes = {"currency": "EUR", "window": Window.MONTH, "timezone": "Asia/Tokyo"}
    for number, field in enumerate(changes):
        changed = replace(budget("a"), **dict(list(changes.items())[number:]))
        await is_refused(storage.put_budget(changed, 1, ACTOR, NOW), InUse("budget", "a", field))
        stale = storage.put_budget(changed, 7, ACTOR, NOW)
        await is_refused(stale, VersionConflict("budget", "a", 7))


@law("COST-024", MUST)
async def put_keeps_what_is_spent(storage: CostStorage) -> None:
    """Replacing a budget keeps what is spent and reserved, also above the new limit."""
    await add_budget(storage, "a")
    await spend(storage, "r", a="3")
    await reserve(storage, "s", a="4")
    await storage.put_budget(budget("a", "5"), 1, ACTOR, NOW)
    assert await totals(storage, "a") == ("3", "4")
    assert (await storage.budget_status(A, NOW)).available == -2


@law("COST-025", MUST)
async def unknown_budget_is_not_found(storage: CostStorage) -> None:
    """A budget that was never put is NotFound."""
    await add_budget(storage, "a")
    await is_refused(storage.budget_status(NOBODY, NOW), NotFound("budget", "no"))
    await is_refused(storage.raise_alerts(NOBODY, NOW), NotFound("budget", "no"))


@law("COST-026", MUST)
async def windows_are_calendar_periods(storage: CostStorage) -> None:
    """A window is the day, the week from Monday, or the month, in the budget's time zone."""
    bounds = {
        ("UTC", Window.DAY): (MIDNIGHT, MIDNIGHT + DAY),
        ("UTC", Window.WEEK): (MIDNIGHT - 2 * DAY, MIDNIGHT + 5 * DAY),
        ("UTC", Window.MONTH): (MIDNIGHT - 10 * DAY, MIDNIGHT + 21 * DAY),
        ("Asia/Tokyo", Window.DAY): (MIDNIGHT - 9 * HOUR, MIDNIGHT + 15 * HOUR),
        # Clocks change within that month.
        ("Europe/Berlin", Window.MONTH): (
            MIDNIGHT - 10 * DAY - HOUR,
            MIDNIGHT + 21 * DAY - 2 * HOUR,
        ),
    }
    for number, ((zone, window), expected) in enumerate(bounds.items()):
        id = await add_budget(storage, f"b{number}", timezone=zone, window=window)  # noqa: A001 - the Protocol's name
        status = await storage.budget_status(id, NOW)
        assert (status.window_start, status.window_end) == expected


@law("COST-027", MUST)
async def window_rolls_at_its_end(storage: CostStorage) -> None:
    """At the end of its window, not before, a budget has nothing spent or reserved."""
    await add_budget(storage, "a")
    await spend(storage, "r", a="3")
    await reserve(storage, "s", a="4")
    end = MIDNIGHT + DAY
    assert await totals(storage, "a", end - TICK) == ("3", "4")
    assert await totals(storage, "a", end) == ("0", "0")
    assert await totals(storage, "a", NOW) == ("3", "4")
    await reserve(storage, "t", end, a="10")
    assert await totals(storage, "a", end) == ("0", "10")


@law("COST-028", MUST)
async def time_never_goes_back(storage: CostStorage) -> None:
    """An instant before a budget's window counts in that window."""
    await add_budget(storage, "a")
    await reserve(storage, "r", NOW + DAY, a="1")
    await reserve(storage, "s", NOW, a="2")
    for at in (NOW - DAY, NOW, NOW + DAY):
        assert await totals(storage, "a", at) == ("0", "3")


@law("COST-029", MUST)
async def total_has_no_end(storage: CostStorage) -> None:
    """The window of a budget in total has no end and never rolls."""
    await add_budget(storage, "a", window=Window.TOTAL)
    await spend(storage, "r", a="3")
    late = datetime(9999, 1, 1, tzinfo=UTC)
    await spend(storage, "s", late, a="4")
    assert await totals(storage, "a", late) == ("7", "0")
    assert (await storage.budget_status(A, late)).window_end is None


@law("COST-030", MUST)
async def alert_is_raised_once(storage: CostStorage) -> None:
    """A threshold raises one alert when it is reached, as it was found; repeating gives none."""
    await add_budget(storage, "a", thresholds=HALVES)
    await spend(storage, "r", a="4.999999999")
    assert await storage.raise_alerts(A, NOW) == ()
    await spend(storage, "s", a="0.000000001")
    expected = Alert(
        id=alert_id(A, MIDNIGHT, 50),
        budget=A,
        window_start=MIDNIGHT,
        threshold=50,
        spent=Decimal(5),
        limit=Decimal(10),
        raised_at=NOW + HOUR,
    )
    assert await storage.raise_alerts(A, NOW + HOUR) == (expected,)
    assert await storage.raise_alerts(A, NOW + 2 * HOUR) == ()
    assert (await storage.list_alerts(OF_A)).items == (expected,)


@law("COST-031", MUST)
async def alerts_come_lowest_first(storage: CostStorage) -> None:
    """All thresholds that are passed at once raise alerts together, the lowest first."""
    await add_budget(storage, "a", thresholds=frozenset({100, 9, 50, 10}))
    await spend(storage, "r", a="9.9")
    assert levels(await storage.raise_alerts(A, NOW)) == [9, 10, 50]
    await spend(storage, "s", a="0.1")
    assert levels(await storage.raise_alerts(A, NOW)) == [100]


@law("COST-032", MUST)
async def each_window_raises_its_own_alerts(storage: CostStorage) -> None:
    """In the next window of a budget a threshold raises its alert again."""
    await add_budget(storage, "a", thresholds=HALVES)
    await add_budget(storage, "b", thresholds=HALVES)
    for day in range(2):
        at = NOW + day * DAY
        await spend(storage, f"r{day}", at, a="5", b="10")
        assert levels(await storage.raise_alerts(A, at)) == [50]
        assert levels(await storage.raise_alerts(BudgetId("b"), at)) == [50, 100]
    assert levels((await storage.list_alerts(OF_A)).items) == [50, 50]


@law("COST-033", MUST)
async def reserved_money_raises_no_alert(storage: CostStorage) -> None:
    """What is only reserved raises no alert, nor does a limit of 0 while nothing is spent."""
    await add_budget(storage, "a", thresholds=HALVES)
    await add_budget(storage, "b", "0", thresholds=HALVES)
    await reserve(storage, "r", a="10", b="0")
    assert await storage.raise_alerts(A, NOW) == ()
    assert await storage.raise_alerts(BudgetId("b"), NOW) == ()


@law("COST-034", MUST)
async def late_alert_is_of_its_window(storage: CostStorage) -> None:
    """A threshold that was reached raises its alert also after the end of the window."""
    await add_budget(storage, "a", thresholds=HALVES)
    await spend(storage, "r", a="5")
    raised = await storage.raise_alerts(A, NOW + 2 * DAY)
    assert [alert.window_start for alert in raised] == [MIDNIGHT]
