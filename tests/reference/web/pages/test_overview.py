"""The first page shows, of what somebody may see, how it goes."""

from __future__ import annotations

from ..sites import Site
from .browsing import Person, become, browse
from .test_costs import charge
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


def test_it_shows_nothing_that_one_may_not_see() -> None:
    async def work(site: Site, person: Person) -> None:
        await become(site, person, "vera", "viewer")
        await person.open("/")
        assert "Users who they are" in person.text
        assert "spent this month" not in person.text

    browse(work)
