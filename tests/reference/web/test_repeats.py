"""What is sent again with the same Idempotency-Key is made once, by whichever process."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from .sites import PASSWORD, Site, visit

BUDGET = {"id": "b", "limit": "10", "currency": "EUR", "policy": "route"}
ASK = {
    "owner": "acme",
    "currency": "EUR",
    "offers": [
        {"provider": "p", "model": "large", "amount": "8"},
        {"provider": "p", "model": "small", "amount": "3"},
    ],
}
PROVIDER: dict[str, Any] = {"kind": "k", "endpoint": "https://p.example", "models": ["m"], "rpm": 2}


async def send(site: Site, path: str, key: str = "k-1", **more: Any) -> httpx.Response:
    return await site.call("POST", path, headers={"Idempotency-Key": key}, **more)


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Any) -> str | None:
    return None if request.param == "memory" else f"sqlite:///{tmp_path}/x.db"


def test_a_user_is_made_once(url: str | None) -> None:
    async def work(site: Site) -> None:
        body = {"email": "bob@example.org", "display_name": "Bob", "password": PASSWORD}
        first, second = [await send(site, "/users", json=body) for _ in range(2)]
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert len((await site.call("GET", "/users")).json()["items"]) == 2
        audit = (await site.call("GET", "/audit?action=create_user")).json()["items"]
        assert len(audit) == 1
        for changed in ({"display_name": "Rob"}, {"password": PASSWORD * 2}, {"email": "c@b.org"}):
            other = await send(site, "/users", json=body | changed)
            assert (other.status_code, other.json()["about"]) == (409, {"field": "id"})
        without = await site.call("POST", "/users", json=body)
        assert without.json()["about"] == {"field": "email"}
        assert len((await site.call("GET", "/users")).json()["items"]) == 2

    visit(work, url=url)


def test_the_key_of_another_caller_is_another_key() -> None:
    async def work(site: Site) -> None:
        manager = await site.user("mia", "manager")
        mine = await send(site, "/users", json={"email": "b@example.org"})
        theirs = await send(site, "/users", token=manager, json={"email": "c@example.org"})
        assert (mine.status_code, theirs.status_code) == (201, 201)
        assert mine.json()["id"] != theirs.json()["id"]

    visit(work)


def test_no_second_api_key_is_made(url: str | None) -> None:
    async def work(site: Site) -> None:
        path = f"/users/{site.administrator.user}/keys"
        assert (await send(site, path, json={})).status_code == 201
        again = await send(site, path, json={})
        assert (again.status_code, again.json()["about"]) == (409, {"field": "id"})
        assert "token" not in again.json()
        assert len((await site.call("GET", path)).json()["items"]) == 1

    visit(work, url=url)


async def reserved(site: Site) -> str:
    return str((await site.call("GET", "/costs/budgets/b")).json()["reserved"])


def test_an_admission_reserves_once(url: str | None) -> None:
    async def work(site: Site) -> None:
        put = await site.call(
            "PUT", "/costs/budgets/b", json=BUDGET, headers={"If-None-Match": "*"}
        )
        assert put.status_code == 200, put.text
        first = await send(site, "/costs/admissions", json=ASK)
        assert first.json()["offer"]["model"] == "large"
        again = await send(site, "/costs/admissions", json=ASK)
        assert again.json() == first.json()
        assert await reserved(site) == "8"
        other = await send(site, "/costs/admissions", json=ASK | {"offers": ASK["offers"][1:]})
        assert (other.status_code, other.json()["about"]) == (409, {"field": "id"})
        ended = {"admission": first.json()}
        assert (await site.call("POST", "/costs/admissions/ending", json=ended)).status_code == 200
        after = await send(site, "/costs/admissions", json=ASK)
        assert after.json()["reservation"]["state"] == "released"
        assert await reserved(site) == "0"

    visit(work, url=url)


def test_what_was_routed_to_a_cheaper_offer_stays_there_when_there_is_room() -> None:
    async def work(site: Site) -> None:
        await site.call("PUT", "/costs/budgets/b", json=BUDGET, headers={"If-None-Match": "*"})
        blocking = await send(site, "/costs/admissions", "k-0", json=ASK)
        small = {"offers": [*ASK["offers"][:1], ASK["offers"][1] | {"amount": "2"}]}
        first = await send(site, "/costs/admissions", json=ASK | small)
        assert first.json()["offer"]["model"] == "small"
        await site.call("POST", "/costs/admissions/ending", json={"admission": blocking.json()})
        again = await send(site, "/costs/admissions", json=ASK | small)
        assert again.json() == first.json()
        assert await reserved(site) == "2"

    visit(work)


def test_a_choice_counts_once(url: str | None) -> None:
    async def work(site: Site) -> None:
        for number in (1, 2):
            made = await site.call(
                "POST", "/providers", json={"id": f"p{number}", "priority": number, **PROVIDER}
            )
            assert made.status_code == 201, made.text
        first = await send(site, "/providers/choices?model=m&tokens=5")
        assert first.status_code == 201
        assert first.json()["provider"]["id"] == "p1"
        disabled = first.json()["provider"] | {"priority": 9}
        changed = await site.call(
            "PUT", "/providers/p1", json=disabled, headers={"If-Match": '"1"'}
        )
        assert changed.status_code == 200, changed.text
        again = await send(site, "/providers/choices?model=m&tokens=5")
        assert again.json()["lease"] == first.json()["lease"]
        other = await send(site, "/providers/choices?model=m&tokens=6")
        assert other.status_code == 409
        shown = (await site.call("GET", "/providers/choices/preview?model=m")).json()
        assert [each["provider"] for each in shown] == ["p2", "p1"]

    visit(work, url=url)


def test_at_once_one_user_is_made(url: str | None) -> None:
    async def work(site: Site) -> None:
        body = {"email": "bob@example.org"}
        made = await asyncio.gather(*(send(site, "/users", json=body) for _ in range(5)))
        assert {each.status_code for each in made} == {201}
        assert len({each.json()["id"] for each in made}) == 1

    visit(work, url=url)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\u00e9"])
def test_a_bad_key_is_refused_and_nothing_is_made(key: str) -> None:
    async def work(site: Site) -> None:
        headers = {"Idempotency-Key": key.encode("latin-1")}
        answer = await site.call("POST", "/users", json={"email": "b@b.c"}, headers=headers)
        assert answer.status_code == 400, answer.text
        assert len((await site.call("GET", "/users")).json()["items"]) == 1

    visit(work)
