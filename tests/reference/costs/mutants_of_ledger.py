"""For the tests of the cost laws: what those of charges, reports and lists must not let pass."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from storeproof.reference.costs import (
    Allocation,
    BudgetFilter,
    ChargeFilter,
    CorrectionId,
    Dimension,
    OwnerPath,
    ReportRow,
)
from storeproof.reference.exceptions import Duplicate, InvalidValue, NotFound
from storeproof.reference.storage import Page

from ..breaking import Mutant
from .mutants import (
    TICK,
    accepting,
    after,
    altering,
    answering,
    checking,
    erring,
    ignoring,
    replacing,
)

DAY = timedelta(days=1)
FIELDS = (
    "amount",
    "currency",
    "owner",
    "provider",
    "model",
    "quantity",
    "unit",
    "tags",
    "occurred_at",
)


def blind_to(field: str) -> Mutant:
    """Creating what differs in this field only counts as a repetition."""

    async def made(storage: Any, right: Any, entity: Any) -> Any:
        stored = storage._charges.get(entity.id)
        if stored and replace(entity, **{field: getattr(stored, field)}) == stored:
            return stored
        return await right()

    return replacing("create", made)


def storing(field: str, value: Any) -> Mutant:
    return altering("create", entity=lambda charge: replace(charge, **{field: value}))


def blind_correction(field: str) -> Mutant:
    async def made(storage: Any, right: Any, correction: Any) -> Any:
        stored = storage._corrections.get(correction.id)
        if stored and replace(correction, **{field: getattr(stored, field)}) == stored:
            return stored
        return await right()

    return replacing("correct", made)


async def counts_again(storage: Any, right: Any, entity: Any) -> Any:
    if entity.id in storage._charges:
        storage._charges[entity.id + "'"] = replace(entity, id=entity.id + "'")
    return await right()


async def corrects_again(storage: Any, right: Any, correction: Any) -> Any:
    known = correction.id in storage._corrections
    made = await right()
    if known:
        other = CorrectionId(correction.id + "'")
        storage._corrections[other] = replace(correction, id=other)
    return made


def edits(storage: Any, correction: Any) -> None:
    charge = storage._charges[correction.charge]
    storage._charges[charge.id] = replace(charge, amount=charge.amount + correction.amount)
    storage._corrections.clear()


async def duplicate_first(storage: Any, correction: Any) -> None:
    stored = storage._corrections.get(correction.id, correction)
    if stored != correction:
        raise Duplicate("id")


async def takes_orphans(storage: Any, right: Any, correction: Any) -> Any:
    return await right() if correction.charge in storage._charges else correction


def changing_rows(change: Any) -> Mutant:
    return answering("report", lambda rows: tuple(change(list(rows))))


def floats(rows: list[ReportRow]) -> list[ReportRow]:
    return [replace(row, amount=Decimal(repr(float(row.amount) * 3 / 3 + 1e-10))) for row in rows]


def wraps(rows: list[ReportRow]) -> list[ReportRow]:
    top = Decimal(2**63) / 10**9
    return [replace(row, amount=(row.amount + top) % (2 * top) - top) for row in rows]


def merged(rows: list[ReportRow]) -> list[ReportRow]:
    return [replace(row, currency=rows[0].currency) for row in rows]


def without_unallocated(rows: list[ReportRow]) -> list[ReportRow]:
    return [row for row in rows if row.key is not None]


async def one_level_deeper(_storage: Any, right: Any, query: Any) -> Any:
    deeper = {Dimension.ORGANISATION: Dimension.TEAM, Dimension.TEAM: Dimension.USER}
    return await right(query=replace(query, group_by=deeper.get(query.group_by, query.group_by)))


def shifting(**changes: Any) -> Mutant:
    return altering(
        "report",
        query=lambda q: replace(q, **{name: getattr(q, name) + by for name, by in changes.items()}),
    )


async def split_each_charge(storage: Any, right: Any, query: Any) -> Any:
    """Splits charge by charge; corrections are forgotten."""
    if query.allocation is Allocation.FULL or query.group_by is not Dimension.TAG:
        return await right()
    whole = storage._charges
    parts: dict[Any, ReportRow] = {}
    for id, charge in whole.items():  # noqa: A001 - the Protocol's name
        storage._charges, corrections = {id: charge}, storage._corrections
        storage._corrections = {}
        for row in await right():
            before = parts.get((row.currency, row.key))
            plus = before.amount if before else Decimal(0)
            charges = before.charges if before else 0
            key = (row.currency, row.key)
            parts[key] = replace(row, amount=row.amount + plus, charges=row.charges + charges)
        storage._charges, storage._corrections = whole, corrections
    return tuple(parts[key] for key in sorted(parts, key=lambda key: (key[0], key[1] or "")))


async def splits_models(_storage: Any, right: Any, query: Any) -> Any:
    rows = await right()
    if query.allocation is Allocation.SPLIT and query.group_by is not Dimension.TAG:
        return tuple(replace(row, amount=row.amount / 2) for row in rows)
    return rows


async def corrections_at_the_charge(storage: Any, right: Any, query: Any) -> Any:
    kept = storage._corrections
    storage._corrections = {
        name: replace(each, at=storage._charges[each.charge].occurred_at)
        for name, each in kept.items()
    }
    rows = await right()
    storage._corrections = kept
    return rows


def forgets_corrections(storage: Any) -> None:
    storage._corrections.clear()


def reversed_page(page: Page[Any]) -> Page[Any]:
    return Page(items=page.items[::-1], next_cursor=page.next_cursor)


async def by_id(storage: Any, right: Any, limit: int, **_: Any) -> Any:
    page = await right()
    return Page(items=tuple(sorted(page.items, key=lambda x: x.id)), next_cursor=page.next_cursor)


def filtering(**changes: Any) -> Mutant:
    def change(given: ChargeFilter) -> ChargeFilter:
        new = {name: made(getattr(given, name)) for name, made in changes.items()}
        return replace(given, **new)

    return altering("list_charges", filter=change)


async def endless(_storage: Any, right: Any, limit: int, **_: Any) -> Any:
    page = await right()
    more = page.next_cursor if len(page.items) == limit else None
    return Page(items=page.items[:-1] if more else page.items, next_cursor=more)


async def any_cursor(_storage: Any, right: Any, cursor: Any, **_: Any) -> Any:
    try:
        return await right()
    except InvalidValue as error:
        if error.field != "cursor":
            raise
        return await right(cursor=None)


MUTANTS: dict[str, list[Mutant]] = {
    "COST-001": [
        ignoring("get_by_id", NotFound),
        erring("get_by_id", lambda error: NotFound("charges", error.id)),
    ],
    "COST-002": [
        storing(field, value)
        for field, value in (
            ("unit", ""),
            ("quantity", 0),
            ("tags", frozenset()),
            ("owner", OwnerPath("o/t")),
        )
    ],
    "COST-003": [replacing("create", counts_again)],
    "COST-004": [blind_to(field) for field in FIELDS],
    "COST-005": [
        after("correct", edits),
        altering("correct", correction=lambda each: replace(each, reason="")),
    ],
    "COST-006": [
        replacing("correct", corrects_again),
        *(blind_correction(field) for field in ("amount", "charge", "reason", "at")),
    ],
    "COST-007": [checking("correct", duplicate_first), replacing("correct", takes_orphans)],
    "COST-008": [changing_rows(floats), changing_rows(lambda rows: rows[::-1])],
    "COST-009": [changing_rows(without_unallocated), replacing("report", one_level_deeper)],
    "COST-010": [changing_rows(merged), changing_rows(lambda rows: rows[::-1])],
    "COST-011": [changing_rows(wraps), changing_rows(floats)],
    "COST-012": [shifting(end=DAY), shifting(start=-DAY), shifting(start=DAY)],
    "COST-013": [altering("report", query=lambda query: replace(query, timezone="UTC"))],
    "COST-014": [replacing("report", corrections_at_the_charge)],
    "COST-015": [
        altering("report", query=lambda query: replace(query, allocation=Allocation.SPLIT)),
        changing_rows(without_unallocated),
    ],
    "COST-016": [
        altering("report", query=lambda query: replace(query, allocation=Allocation.FULL)),
        replacing("report", split_each_charge),
    ],
    "COST-017": [replacing("report", split_each_charge)],
    "COST-018": [replacing("report", splits_models)],
    "COST-019": [after("rebuild_rollups", forgets_corrections)],
    "COST-052": [
        answering("list_charges", reversed_page),
        replacing("list_charges", by_id),
        replacing("list_charges", endless),
    ],
    "COST-053": [
        filtering(until=lambda until: until and until + TICK),
        filtering(since=lambda since: since and since + TICK),
        filtering(owner=lambda owner: owner and owner.lower()),
        *(filtering(**{name: lambda _value: None}) for name in ("tag", "currency", "model")),
    ],
    "COST-054": [
        altering("list_budgets", filter=lambda given: BudgetFilter(currency=given.currency)),
        altering("list_budgets", filter=lambda given: BudgetFilter(covering=given.covering)),
        replacing("list_budgets", endless),
    ],
    "COST-055": [
        replacing("list_corrections", by_id),
        *(
            replacing(operation, endless)
            for operation in ("list_corrections", "list_budget_versions", "list_alerts")
        ),
    ],
    "COST-056": [
        *(
            mutant
            for name in (
                "list_charges",
                "list_corrections",
                "list_budgets",
                "list_budget_versions",
                "list_alerts",
            )
            for mutant in (accepting(name, "limit"), replacing(name, any_cursor))
        )
    ],
}
