"""The pages about providers show how they do, and change how they are weighed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from storeproof.reference.providers.entities import ModelName, Provider, ProviderId

from ..sites import Site
from .browsing import HOSTILE, Person, become, browse

MODEL = ModelName("gpt")
EAST = ProviderId("east")


async def add(site: Site, **more: Any) -> Provider:
    given = {"id": EAST, "kind": "openai", "endpoint": "https://east", "models": frozenset({MODEL})}
    return await site.services.providers.add(Provider(**(given | more)))


async def use(site: Site, *, ok: bool = True, milliseconds: int = 250) -> None:
    service = site.services.providers
    _, lease = await service.choose(MODEL, 10)
    took = timedelta(milliseconds=milliseconds)
    await service.record(lease, ok=ok, latency=took, tokens=10, cost=Decimal(0))


def test_without_providers_it_says_what_to_do() -> None:
    async def work(_: Site, person: Person) -> None:
        assert (await person.open("/providers")).status_code == 200
        assert "/api/v1/providers" in person.text

    browse(work)


def test_usage_stands_against_its_limits() -> None:
    async def work(site: Site, person: Person) -> None:
        await add(site, rpm=4, tpm=100)
        await add(site, id=ProviderId("west"), models=frozenset())
        for _ in range(3):
            await use(site)
        await person.open("/providers")
        assert "3 of 4" in person.text
        assert "30 of 100" in person.text
        assert "0 of any" in person.text
        assert 'width="75.0%"' in person.page
        assert "east 3 0.0 % 25" in person.text

    browse(work)


def test_a_failure_cools_and_that_can_be_ended() -> None:
    async def work(site: Site, person: Person) -> None:
        await add(site)
        await use(site)
        await use(site, ok=False)
        await person.open("/providers")
        assert "cools until 12:00:30 UTC" in person.text
        assert "50.0 %" in person.text
        await person.open("/providers/east")
        await person.follow(await person.send("/providers/east/end-of-cooling"))
        assert "The cool-down is over" in person.text
        assert "cools until" not in person.text

    browse(work)


@pytest.mark.parametrize("range", ["1d", "7d", "30d", "90d", "365d"])
def test_a_provider_is_shown_over_time(range: str) -> None:
    async def work(site: Site, person: Person) -> None:
        await add(site)
        await person.open(f"/providers/east?range={range}")
        assert "It was not used in this time" in person.text
        await use(site, milliseconds=250)
        answer = await person.open(f"/providers/east?range={range}&timezone=Asia/Tokyo")
        assert answer.status_code == 200
        assert "Latency, as a table" in person.text
        assert f'value="{range}" selected' in person.page
        assert "Asia/Tokyo" in person.page

    browse(work)


def test_a_provider_is_changed_by_a_form() -> None:
    async def work(site: Site, person: Person) -> None:
        await add(site, rpm=4, tpm=100)
        await person.open("/providers/east")
        fields = {"priority": "3", "weight": "7", "rpm": "", "tpm": "9", "version": "1"}
        await person.follow(await person.send("/providers/east", **fields))
        assert "The provider is changed." in person.text
        made = await site.services.providers.get(EAST)
        assert (made.priority, made.weight, made.rpm, made.tpm) == (3, 7, None, 9)
        assert (made.enabled, made.models, made.version) == (True, {MODEL}, 2)

    browse(work)


def test_a_provider_is_disabled_and_enabled_by_a_button() -> None:
    async def work(site: Site, person: Person) -> None:
        await add(site, weight=5)
        await person.open("/providers/east")
        await person.follow(await person.send("/providers/east", enabled="no", version="1"))
        made = await site.services.providers.get(EAST)
        assert (made.enabled, made.weight) == (False, 5)
        assert "disabled" in person.text
        await person.send("/providers/east", enabled="yes", version="2")
        assert (await site.services.providers.get(EAST)).enabled

    browse(work)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"version": "7", "weight": "2"}, 412, "Somebody changed this provider"),
        ({"version": "1", "weight": "x"}, 422, "weight: must be a whole number"),
        ({"version": "1", "weight": "1000001"}, 422, "weight: "),
        ({"version": "1", "rpm": "0"}, 422, "rpm: "),
        ({"version": "x"}, 422, "version: "),
    ],
)
def test_a_change_that_can_t_be_made_is_told(
    fields: dict[str, str], status: int, said: str
) -> None:
    async def work(site: Site, person: Person) -> None:
        await add(site)
        await person.open("/providers/east")
        answer = await person.send("/providers/east", **fields)
        assert answer.status_code == status
        assert said in person.text
        assert (await site.services.providers.get(EAST)).version == 1

    browse(work)


def test_who_may_only_read_has_no_buttons() -> None:
    async def work(site: Site, person: Person) -> None:
        await add(site)
        await become(site, person, "olga", "observer")
        await person.open("/providers/east")
        assert 'name="weight"' not in person.page
        assert (await person.send("/providers/east", version="1")).status_code == 403

    browse(work)


def test_names_are_text() -> None:
    async def work(site: Site, person: Person) -> None:
        name = HOSTILE.replace("/", "_")
        models = frozenset({ModelName(HOSTILE)})
        await add(site, id=ProviderId(name), kind=HOSTILE, endpoint=HOSTILE, models=models)
        await person.open("/providers")
        (path,) = (each for each in person.links if each.startswith("/providers/"))
        assert "<img" not in person.page
        assert (await person.open(path)).status_code == 200
        assert "<script>alert" not in person.page
        assert "<img" not in person.page

    browse(work)
