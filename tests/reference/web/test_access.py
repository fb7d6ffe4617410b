"""Every route names what it needs, and nobody gets through who lacks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler

from storeproof.reference.auth.service.access import NEEDS, Access
from storeproof.reference.web import API, WebSettings
from storeproof.reference.web import app as assembling
from storeproof.reference.web.access import CSRF_HEADER, PAGE, csrf_token
from storeproof.reference.web.needs import ROLES
from storeproof.reference.web.routes import CALLS, NEEDED

from .sites import EMAIL, PASSWORD, Site, visit

OPEN_TO_ANYONE = {
    f"POST {API}/sessions",
    f"POST {API}/sessions/reset",
    f"GET {API}/schema/openapi.json",
    "GET /health/live",
    "GET /health/ready",
}


def routes_of(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                for method in handler.http_methods - {"OPTIONS", "HEAD"}:
                    yield method, route.path, handler


def api_of(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Without the pages, whose refusals are pages: tests/reference/web/pages is about them."""
    return (each for each in routes_of(app) if PAGE not in each[2].opt)


def filled(path: str) -> str:
    return re.sub(r"\{\w+:\w+\}", "x", path)


def test_no_route_lacks_what_it_needs() -> None:
    async def work(site: Site) -> None:
        found = {f"{method} {path}": handler.opt for method, path, handler in routes_of(site.app)}
        assert len(found) > 60
        assert all(NEEDED in each for each in found.values())
        anyone = {name for name, opt in found.items() if opt[NEEDED] is Access.ANYONE}
        assert {name for name in anyone if "{" not in name} >= OPEN_TO_ANYONE
        assert not any(opt[NEEDED] is Access.OPERATOR for opt in found.values())

    visit(work)


def test_every_exposed_method_of_auth_has_one_route() -> None:
    async def work(site: Site) -> None:
        called = [handler.opt[CALLS] for *_, handler in api_of(site.app) if CALLS in handler.opt]
        inside = {"authenticate", "rotate_session", "own_user", "require"}
        exposed = {name for name, need in NEEDS.items() if need is not Access.OPERATOR}
        assert sorted(called) == sorted(exposed - inside)

    visit(work)


def test_every_permission_that_a_route_needs_can_be_granted() -> None:
    async def work(site: Site) -> None:
        own = [each.opt for *_, each in api_of(site.app) if CALLS not in each.opt]
        wanted = {opt[NEEDED] for opt in own}
        given = {each for role in ROLES for each in role.permissions}
        assert {each for each in wanted if not isinstance(each, Access)} <= given

    visit(work)


def test_nobody_gets_through_without_a_token() -> None:
    async def work(site: Site) -> None:
        for method, path, handler in api_of(site.app):
            if handler.opt[NEEDED] is Access.ANYONE:
                continue
            for token in ("", "sps_wrong", "x"):
                answer = await site.client.request(
                    method, filled(path), headers={"Authorization": f"Bearer {token}"}
                )
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"] == "Bearer"

    visit(work)


def test_who_holds_nothing_is_refused_and_that_is_audited() -> None:
    async def work(site: Site) -> None:
        token = await site.user("eve")
        for method, path, handler in api_of(site.app):
            if isinstance(handler.opt[NEEDED], Access) or CALLS in handler.opt:
                continue
            answer = await site.client.request(
                method, filled(path), headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.status_code == 403, (method, path, answer.text)
            assert handler.opt[NEEDED] in answer.json()["detail"]
        audit = await site.call("GET", "/audit?action=require errors.read.refused")
        assert audit.json()["items"]

    visit(work)


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("viewer", "/users", 200),
        ("viewer", "/errors/groups", 403),
        ("observer", "/errors/groups", 200),
        ("observer", "/users", 403),
        ("program", "/costs/charges", 403),
    ],
)
def test_a_role_opens_what_it_is_for(role: str, path: str, status: int) -> None:
    async def work(site: Site) -> None:
        answer = await site.call("GET", path, token=await site.user("bob", role))
        assert answer.status_code == status, answer.text

    visit(work)


def test_a_key_is_limited_to_its_permissions() -> None:
    async def work(site: Site) -> None:
        me = site.administrator.user
        made = await site.call("POST", f"/users/{me}/keys", json={"permissions": ["errors.read"]})
        token = made.json()["token"]
        assert (await site.call("GET", "/errors/groups", token=token)).status_code == 200
        assert (await site.call("GET", "/costs/charges", token=token)).status_code == 403

    visit(work)


async def log_in(site: Site) -> Any:
    answer = await site.call(
        "POST", "/sessions", token="", json={"email": EMAIL, "password": PASSWORD}
    )
    assert answer.status_code == 201, answer.text
    return answer


def test_a_cookie_reads_and_changes_only_with_its_own_token() -> None:
    async def work(site: Site) -> None:
        first = await log_in(site)
        assert "httponly" in first.headers["set-cookie"].lower()
        assert "samesite=strict" in first.headers["set-cookie"].lower()
        assert (await site.call("GET", "/sessions/me", token="")).status_code == 200

        async def change(csrf: str) -> int:
            headers = {CSRF_HEADER: csrf} if csrf else {}
            answer = await site.call("DELETE", "/sessions/others", token="", headers=headers)
            return answer.status_code

        assert await change("") == 403
        assert await change("0" * 64) == 403
        assert await change(csrf_token("sps_another")) == 403
        assert await change(first.json()["csrf_token"]) == 200
        second = await log_in(site)
        assert await change(first.json()["csrf_token"]) == 403
        assert await change(second.json()["csrf_token"]) == 200

    visit(work)


def test_cookies_are_for_https_unless_that_is_switched_off() -> None:
    async def work(site: Site) -> None:
        header = (await log_in(site)).headers["set-cookie"]
        assert header.startswith("__Host-storeproof=")
        assert "Secure" in header

    visit(work, settings=WebSettings())


def test_who_signs_out_is_out_and_the_cookie_is_gone() -> None:
    async def work(site: Site) -> None:
        made = (await log_in(site)).json()
        headers = {CSRF_HEADER: made["csrf_token"]}
        answer = await site.call("DELETE", "/sessions/current", token="", headers=headers)
        assert answer.status_code == 200
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert (await site.call("GET", "/sessions/me", token=made["token"])).status_code == 401

    visit(work)


def test_a_rotated_token_takes_the_place_of_the_old_one() -> None:
    async def work(site: Site) -> None:
        made = await site.call("POST", "/sessions/rotation")
        assert made.status_code == 200
        token = made.json()["token"]
        assert token != site.token
        assert (await site.call("GET", "/sessions/me", token=token)).status_code == 200
        assert (await site.call("POST", "/sessions/rotation")).status_code == 401

    visit(work)


def test_guesses_are_slowed_down() -> None:
    async def work(site: Site) -> None:
        async def guess() -> int:
            body = {"email": "nobody@example.org", "password": "wrong"}
            return (await site.call("POST", "/sessions", token="", json=body)).status_code

        assert [await guess() for _ in range(4)] == [401, 401, 401, 429]

    visit(work, settings=WebSettings(secure_cookies=False, log_ins=3))


def test_an_application_with_a_route_that_needs_nothing_is_not_made() -> None:
    @get("/open", sync_to_thread=False)
    def route() -> None: ...

    with pytest.raises(ValueError, match="/open does not say what it needs"):
        assembling.require_needs(Litestar([route], openapi_config=None))
