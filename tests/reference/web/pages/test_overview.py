"""The first page shows, of what somebody may see, how it goes."""

from __future__ import annotations

from pathlib import Path

from storeproof.reference.costs.entities import ChargeId

from ..sites import Site
from .browsing import Person, become, browse
from .test_costs import budget, charge, spend
from .test_errors import report
from .test_providers import add, use


def test_it_shows_what_happened() -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/")
        for text in ("0 events in the last", "0 spent", "0 of 0 enabled"):
            assert text in person.text
        await report(site)
        await site.services.costs.record(charge(occurred_at=site.time.now))
        await add(site)
        await use(site, ok=False)
        await person.open("/")
        for text in ("1 event in the last", "12.50 EUR spent", "0 of 1 enabled"):
            assert text in person.text

    browse(work)


def test_pages_are_the_same_on_a_database(tmp_path: Path) -> None:
    paths = ("/", "/errors?group_by=group", "/errors/groups", "/costs?group_by=tag", "/users")
    paths += ("/costs/budgets/ml", "/providers", "/providers/east?range=7d", "/roles")
    seen: list[list[str]] = []

    async def work(site: Site, person: Person) -> None:
        group = await report(site)
        await budget(site)
        await spend(site, "60", id=ChargeId("c"))
        await add(site, rpm=5)
        await use(site)
        said = []
        for path in (*paths, f"/errors/groups/{group}"):
            assert (await person.open(path)).status_code == 200
            said.append(person.text)
        seen.append(said)

    browse(work)
    browse(work, url=f"sqlite:///{tmp_path / 'pages.db'}")
    assert seen[0] == seen[1]


def test_it_shows_nothing_that_one_may_not_see() -> None:
    async def work(site: Site, person: Person) -> None:
        await become(site, person, "vera", "viewer")
        await person.open("/")
        assert "Users who they are" in person.text
        assert "spent this month" not in person.text

    browse(work)
