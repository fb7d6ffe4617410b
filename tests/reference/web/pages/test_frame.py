"""What surrounds every page: signing in, what may be seen, what may be run, what is refused."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from litestar.types import ASGIApp, Receive, Scope, Send

from storeproof.reference.auth.service.access import Access
from storeproof.reference.web import WebSettings
from storeproof.reference.web.access import PAGE
from storeproof.reference.web.pages import assets
from storeproof.reference.web.routes import CALLS, NEEDED

from ..sites import EMAIL, PASSWORD, Site, visit
from ..test_access import filled, routes_of
from .browsing import HOSTILE, Person, become, browse

VENDORED = files("storeproof.reference.web.pages").joinpath("assets", "uplot")


def test_who_is_not_signed_in_is_led_to_the_form_and_back() -> None:
    async def work(site: Site) -> None:
        person = Person(site.client)
        answer = await person.open("/?a=1&b=2", follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/login?next={quote('/?a=1&b=2', safe='')}"
        await person.follow(answer)
        assert 'name="next" value="/?a=1&amp;b=2"' in person.page
        answer = await person.send("/login", email=EMAIL, password=PASSWORD, next="/?a=1&b=2")
        assert answer.headers["location"] == "/?a=1&b=2"
        assert "httponly" in answer.headers["set-cookie"].lower()
        assert (await person.follow(answer)).status_code == 200

    visit(work)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\nx",
        "javascript:alert(1)",
        "",
    ],
)
def test_signing_in_never_leads_elsewhere(elsewhere: str) -> None:
    async def work(site: Site) -> None:
        person = Person(site.client)
        await person.open(f"/login?next={quote(elsewhere, safe='')}")
        assert 'name="next" value="/"' in person.page
        answer = await person.send("/login", email=EMAIL, password=PASSWORD, next=elsewhere)
        assert answer.headers["location"] == "/"

    visit(work)


def test_a_wrong_password_keeps_the_form_and_tells_nothing() -> None:
    async def work(site: Site) -> None:
        person = Person(site.client)
        said = set()
        for email in (EMAIL, "nobody@example.org", "no address"):
            answer = await person.sign_in(email, "wrong")
            assert answer.status_code == 401
            assert site.client.cookies.get("storeproof") is None
            said.add(person.text)
        assert len(said) == 1
        assert "don't go together" in said.pop()

    visit(work)


def test_the_form_works_only_in_the_browser_that_was_given_it() -> None:
    async def work(site: Site) -> None:
        person = Person(site.client)
        await person.open("/login")
        fields = {"email": EMAIL, "password": PASSWORD, "csrf_token": person.csrf}
        site.client.cookies.clear()
        assert (await site.client.post("/login", data=fields)).status_code == 403
        await person.open("/login")
        assert (await site.client.post("/login", data=fields)).status_code == 403
        fields["csrf_token"] = person.csrf
        answer = await site.client.post("/login", data=fields, follow_redirects=False)
        assert answer.status_code == 303

    visit(work)


def test_a_form_needs_the_token_of_this_very_session() -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/")
        first = person.csrf
        await person.sign_in()
        for bad in ("", "0" * 64, first):
            answer = await site.client.post("/logout", data={"csrf_token": bad})
            assert answer.status_code == 403
            assert answer.headers["content-type"].startswith("text/html")
        assert (await person.open("/")).status_code == 200

    browse(work)


def test_who_signs_out_is_out() -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/")
        token = site.client.cookies["storeproof"]
        await person.follow(await person.send("/logout"))
        assert "You are signed out." in person.text
        site.client.cookies.set("storeproof", token)
        assert (await person.open("/", follow_redirects=False)).status_code == 303

    browse(work)


def test_guesses_are_slowed_down_on_a_page_too() -> None:
    async def work(site: Site) -> None:
        person = Person(site.client)
        statuses = [(await person.sign_in(EMAIL, "wrong")).status_code for _ in range(4)]
        assert statuses == [401, 401, 401, 429]
        assert "Wait a minute" in person.text

    visit(work, settings=WebSettings(secure_cookies=False, log_ins=3))


def test_the_navigation_has_what_one_may_see() -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/")
        assert {"/errors", "/costs", "/providers", "/users"} <= person.links
        await become(site, person, "vera", "viewer")
        await person.open("/")
        assert {"/users", "/roles"} <= person.links
        assert not person.links & {"/errors", "/costs", "/providers"}
        await become(site, person, "nora")
        await person.open("/")
        assert "Ask an administrator" in person.text
        assert not person.links & {"/errors", "/users"}

    browse(work)


def test_every_page_says_what_may_run() -> None:
    async def work(site: Site, person: Person) -> None:
        for path in ("/", "/login", "/nothing"):
            answer = await person.open(path, headers={"accept": "text/html"})
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert "style=" not in person.page
            assert "<style" not in person.page
            assert person.page.count("<script") == person.page.count("<script defer src=") == 3

    browse(work)


OTHERS = {
    "GET /": Access.SIGNED_IN,
    "GET /conformance": "system.read",
    "GET /conformance/report": "system.read",
    "GET /costs/new-budget": "costs.write",
    "GET /new-user": "users.write",
    "GET /login": Access.ANYONE,
    "GET /reset": Access.ANYONE,
    "GET /assets/{digest:str}/{name:str}": Access.ANYONE,
}


def test_every_page_needs_the_permission_of_its_part() -> None:
    async def work(site: Site) -> None:
        for method, path, handler in routes_of(site.app):
            if PAGE not in handler.opt or CALLS in handler.opt:
                continue
            name, part = f"{method} {path}", path.split("/")[1]
            own = f"{part}.{'read' if method == 'GET' else 'write'}"
            assert handler.opt[NEEDED] == OTHERS.get(name, own), name

    visit(work)


def test_nobody_opens_a_page_without_what_it_needs() -> None:
    async def work(site: Site, person: Person) -> None:
        await become(site, person, "nora")
        await person.open("/")
        for method, path, handler in routes_of(site.app):
            need = handler.opt[NEEDED]
            if PAGE not in handler.opt or isinstance(need, Access):
                continue
            answer = await site.client.request(
                method, filled(path), data={"csrf_token": person.csrf} if method == "POST" else None
            )
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.headers["content-type"].startswith("text/html")
            assert CALLS in handler.opt or need in answer.text

    browse(work)


def test_every_page_leads_who_is_not_signed_in_to_the_form() -> None:
    async def work(site: Site) -> None:
        for method, path, handler in routes_of(site.app):
            if PAGE not in handler.opt or handler.opt[NEEDED] is Access.ANYONE:
                continue
            answer = await site.client.request(method, filled(path), follow_redirects=False)
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/login?next=")

    visit(work)


def test_every_form_is_refused_without_its_token() -> None:
    async def work(site: Site, person: Person) -> None:
        for method, path, handler in routes_of(site.app):
            if PAGE in handler.opt and method != "GET":
                answer = await site.client.request(method, filled(path), data={"csrf_token": "x"})
                assert answer.status_code == 403, path
                assert "CSRF" in answer.text, path

    browse(work)


def test_pages_are_no_part_of_the_api_s_document() -> None:
    async def work(site: Site) -> None:
        document = (await site.call("GET", "/schema/openapi.json")).json()
        paths = {path for _, path, handler in routes_of(site.app) if PAGE in handler.opt}
        assert paths
        assert not paths & document["paths"].keys()

    visit(work)


def test_what_there_is_no_route_for_is_a_page_for_people_and_a_problem_for_programs() -> None:
    async def work(site: Site) -> None:
        page = await site.client.get("/nothing", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["content-type"][:9]) == (404, "text/html")
        problem = await site.client.get("/nothing")
        assert problem.headers["content-type"].startswith("application/problem+json")

    visit(work)


def test_names_are_text() -> None:
    async def work(site: Site, person: Person) -> None:
        email = "eve@example.org"
        await site.services.auth.create_user(
            site.administrator, email, display_name=HOSTILE, password=PASSWORD
        )
        await person.sign_in(email)
        await person.open("/")
        assert HOSTILE not in person.page
        assert HOSTILE in person.text or "7*7" in person.page
        await person.open(f"/login?next={quote('/' + HOSTILE)}")
        assert "<script>alert" not in person.page

    browse(work)


def test_the_files_of_a_page_are_there_and_kept() -> None:
    async def work(site: Site) -> None:
        person = Person(site.client)
        await person.open("/login")
        found = {each for each in person.links if each.startswith("/assets/")}
        assert len(found) == 3
        for each in found:
            answer = await site.client.get(each)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
            assert (await site.client.get(each.replace("/assets/", "/assets/0"))).status_code == 404
        assert (await site.client.get("/assets/x/..%2Fpages.css")).status_code == 404

    visit(work)


def test_vendored_files_are_those_that_were_vendored() -> None:
    told = VENDORED.joinpath("VENDORED.txt").read_text().splitlines()
    assert told[0].startswith("uPlot 1.6.32, MIT")
    pairs = dict(reversed(line.split("  ")) for line in told[1:])
    assert pairs.keys() == {each.name for each in VENDORED.iterdir()} - {"VENDORED.txt"}
    for name, digest in pairs.items():
        assert hashlib.sha256(VENDORED.joinpath(name).read_bytes()).hexdigest() == digest, name


def mounted(app: ASGIApp, prefix: str) -> Any:
    """The application below a prefix, as Starlette's Mount does it."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            assert scope["path"].startswith(prefix)
            scope["root_path"] = prefix
        await app(scope, receive, send)

    return outer


def test_pages_work_below_a_prefix() -> None:
    async def work(site: Site) -> None:
        transport = httpx.ASGITransport(mounted(site.app, "/tools"))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            answer = await client.get("/tools/?a=1", follow_redirects=False)
            assert answer.headers["location"] == f"/tools/login?next={quote('/?a=1', safe='')}"
            person = Person(client)
            await person.open("/tools/login")
            assert 'action="/tools/login"' in person.page
            assert f"/tools{assets.address_of('pages.css')}" in person.links
            answer = await person.send("/tools/login", email=EMAIL, password=PASSWORD, next="/?a=1")
            assert answer.headers["location"] == "/tools/?a=1"
            await person.follow(answer)
            assert "/tools/errors" in person.links

    visit(work)
