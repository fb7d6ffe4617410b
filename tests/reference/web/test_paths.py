"""Ids in paths may contain slashes, which clients write as %2F."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from storeproof.reference.web import API

from .sites import Site, ask, visit

IDS = ["team/a", "/", "a//b", "a%2Fb", "%2F", "ü/\U0001f600", "a?b#c/d", "..%2f..", "x\ufdd0"]
PROVIDER = {"kind": "k", "endpoint": "https://p.example"}


async def make(site: Site, id: str) -> None:
    made = await site.call("POST", "/providers", json={"id": id, **PROVIDER})
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("id", IDS)
def test_an_id_with_a_slash_is_found(id: str) -> None:
    async def work(site: Site) -> None:
        await make(site, id)
        path = f"{API}/providers/{quote(id, safe='')}"
        status, found = await ask(site, "GET", path)
        assert (status, found["id"]) == (200, id)
        secret = f"{path}/secrets/{quote(id, safe='')}"
        assert (await ask(site, "PUT", secret, body={"secret": "s"}))[0] == 204
        assert (await ask(site, "GET", f"{path}/stats"))[0] == 400
        assert (await ask(site, "DELETE", path))[0] == 204

    visit(work)


def test_a_slash_that_is_not_encoded_divides() -> None:
    async def work(site: Site) -> None:
        await make(site, "a/b")
        assert (await ask(site, "GET", f"{API}/providers/a/b"))[0] == 404

    visit(work)


@pytest.mark.parametrize("mounted", [{"root": "/at"}, {"before": "/at"}])
def test_it_is_so_where_the_application_is_mounted(mounted: dict[str, str]) -> None:
    async def work(site: Site) -> None:
        await make(site, "a/b")
        status, found = await ask(site, "GET", f"{API}/providers/a%2Fb", **mounted)
        assert (status, found["id"]) == (200, "a/b")

    visit(work)
