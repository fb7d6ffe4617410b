"""Credentials that have expired, were revoked, or belong to somebody else open nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from storeproof.reference.web.access import CSRF_HEADER

from .sites import EMAIL, PASSWORD, Site, visit
from .test_bad_input import is_problem

DAY = timedelta(days=1)


async def opens(site: Site, token: str) -> bool:
    answer = await site.call("GET", "/sessions/me", token=token)
    if answer.status_code != 200:
        is_problem(answer, 401, "sign-in-refused")
        assert token not in answer.text
    return answer.status_code == 200


async def key(site: Site, **body: Any) -> dict[str, Any]:
    made = await site.call("POST", f"/users/{site.administrator.user}/keys", json=body)
    found: dict[str, Any] = made.json()
    return found


async def log_in(site: Site, email: str = EMAIL, password: str = PASSWORD) -> Any:
    site.client.cookies.clear()
    body = {"email": email, "password": password}
    return await site.call("POST", "/sessions", token="", json=body)


def test_a_session_expires() -> None:
    async def work(site: Site) -> None:
        assert await opens(site, site.token)
        site.time.pass_by(DAY)
        assert not await opens(site, site.token)

    visit(work)


def test_a_session_is_revoked() -> None:
    async def work(site: Site) -> None:
        other = (await log_in(site)).json()
        path = f"/users/{site.administrator.user}/sessions/{other['session']['id']}"
        assert (await site.call("DELETE", path)).status_code == 204
        assert not await opens(site, other["token"])
        assert await opens(site, site.token)

    visit(work)


def test_a_key_expires_and_is_revoked() -> None:
    async def work(site: Site) -> None:
        short, long = await key(site, lifetime=60), await key(site)
        assert await opens(site, short["token"])
        site.time.pass_by(timedelta(seconds=61))
        assert not await opens(site, short["token"])
        path = f"/users/{site.administrator.user}/keys/{long['key']['id']}"
        assert await opens(site, long["token"])
        assert (await site.call("DELETE", path)).status_code == 204
        assert not await opens(site, long["token"])

    visit(work)


def test_the_old_token_of_a_key_ends_with_its_grace() -> None:
    async def work(site: Site) -> None:
        old = await key(site)
        path = f"/users/{site.administrator.user}/keys/{old['key']['id']}/rotation?grace=60"
        new = (await site.call("POST", path)).json()
        assert await opens(site, old["token"])
        site.time.pass_by(timedelta(seconds=61))
        assert not await opens(site, old["token"])
        assert await opens(site, new["token"])

    visit(work)


def test_nothing_of_a_disabled_user_opens() -> None:
    async def work(site: Site) -> None:
        token = await site.user("bob", "viewer")
        me = (await site.call("GET", "/sessions/me", token=token)).json()["user"]
        made = await site.call("POST", f"/users/{me['id']}/keys", token=token, json={})
        assert await opens(site, made.json()["token"])
        tag = {"If-Match": f'"{me["version"]}"'}
        path = f"/users/{me['id']}"
        off = await site.call("PATCH", path, json={"enabled": False}, headers=tag)
        assert off.status_code == 200, off.text
        assert not await opens(site, token)
        assert not await opens(site, made.json()["token"])
        assert (await log_in(site, "bob@example.org")).status_code == 401

    visit(work)


def test_a_reset_works_once_and_for_a_while() -> None:
    async def work(site: Site) -> None:
        token = await site.user("bob")
        me = (await site.call("GET", "/sessions/me", token=token)).json()["user"]

        async def redeem(reset: str) -> int:
            body = {"token": reset, "password": "another long password"}
            return (await site.call("POST", "/sessions/reset", token="", json=body)).status_code

        async def reset() -> str:
            made = await site.call("POST", f"/users/{me['id']}/password-reset")
            return str(made.json()["token"])

        first = await reset()
        assert not await opens(site, first)
        assert not await opens(site, token)
        assert [await redeem(first), await redeem(first)] == [204, 401]
        late = await reset()
        site.time.pass_by(timedelta(hours=2))
        assert await redeem(late) == 401

    visit(work)


def test_a_csrf_token_is_of_one_session_while_it_lasts() -> None:
    async def work(site: Site) -> None:
        await site.user("bob")
        theirs = (await log_in(site, "bob@example.org")).json()
        mine = (await log_in(site)).json()

        async def change(csrf: str) -> Any:
            headers = {CSRF_HEADER: csrf}
            return await site.call("DELETE", "/sessions/others", token="", headers=headers)

        is_problem(await change(theirs["csrf_token"]), 403, "csrf")
        assert (await change(mine["csrf_token"])).status_code == 200
        name, value = next(iter(site.client.cookies.items()))
        headers = {CSRF_HEADER: mine["csrf_token"]}
        left = await site.call("DELETE", "/sessions/current", token="", headers=headers)
        assert left.status_code == 200
        site.client.cookies.clear()
        site.client.cookies.set(name, value)
        is_problem(await change(mine["csrf_token"]), 401, "sign-in-refused")

    visit(work)
