"""What has a version is changed by who has read it: ETag, If-Match, If-None-Match."""

from __future__ import annotations

from typing import Any

import pytest

from .sites import Site, visit

PROVIDER: dict[str, Any] = {"id": "p", "kind": "k", "endpoint": "https://p.example"}
BUDGET: dict[str, Any] = {"id": "b", "limit": "10", "currency": "EUR"}
EVENT: dict[str, Any] = {"id": "e", "kind": "E", "occurred_at": "2026-03-01T00:00:00Z"}


async def a_user(site: Site) -> tuple[str, str, str, dict[str, Any]]:
    made = await site.call("POST", "/users", json={"email": "b@example.org"})
    path = f"/users/{made.json()['id']}"
    return path, "PATCH", path, {"display_name": "B"}


async def a_provider(site: Site) -> tuple[str, str, str, dict[str, Any]]:
    await site.call("POST", "/providers", json=PROVIDER)
    return "/providers/p", "PUT", "/providers/p", PROVIDER


async def a_budget(site: Site) -> tuple[str, str, str, dict[str, Any]]:
    new = {"If-None-Match": "*"}
    made = await site.call("PUT", "/costs/budgets/b", json=BUDGET, headers=new)
    assert made.status_code == 200, made.text
    again = await site.call("PUT", "/costs/budgets/b", json=BUDGET, headers=new)
    assert again.status_code == 412
    return "/costs/budgets/b", "PUT", "/costs/budgets/b", BUDGET


async def a_group(site: Site) -> tuple[str, str, str, dict[str, Any]]:
    await site.call("POST", "/errors/events", json={"items": [EVENT]})
    found = await site.call("GET", "/errors/groups")
    path = f"/errors/groups/{found.json()['items'][0]['id']}"
    return path, "PUT", f"{path}/state", {"status": "ignored"}


@pytest.mark.parametrize("make", [a_user, a_provider, a_budget, a_group])
def test_only_who_has_read_it_changes_it(make: Any) -> None:
    async def work(site: Site) -> None:
        read, method, path, body = await make(site)
        tag = (await site.call("GET", read)).headers["etag"]

        async def change(**headers: str) -> Any:
            return await site.call(method, path, json=body, headers=headers)

        assert (await change()).status_code == 428
        for wrong in ('"99"', "1", 'W/"1"', "*", '"x"', f"{tag}, {tag}"):
            refused = await change(**{"If-Match": wrong})
            assert refused.status_code == 412, wrong
        assert (await site.call("GET", read)).headers["etag"] == tag
        changed = await change(**{"If-Match": tag})
        assert changed.status_code == 200, changed.text
        assert changed.headers["etag"] != tag
        assert (await change(**{"If-Match": tag})).status_code == 412

    visit(work)
