"""What no client of ours would send is refused by every route; nothing is stored or broken."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler

from storeproof.reference.web import API

from .sites import PASSWORD, Site, ask, visit
from .test_access import filled, routes_of
from .test_bad_input import BODIES, is_problem

HOSTILE = (
    "'; DROP TABLE users; --",
    '" OR 1=1; --',
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "a\r\nSet-Cookie: x=1",
    "../../etc/passwd",
    "\u202e\ufeff\u0085",
    "x" * 100_000,
)

EVENT = {
    "id": "e",
    "occurred_at": "2026-03-01T00:00:00Z",
    "kind": "K",
    "message": "m",
    "stack": "s",
    "frames": [{"module": "m", "function": "f"}],
    "tags": {"k": "v"},
}
POINT = {"id": "m", "name": "n", "kind": "gauge", "value": 1, "at": "2026-03-01T00:00:00Z"}
CHARGE = {
    "id": "c",
    "amount": "1",
    "currency": "EUR",
    "owner": "o/t",
    "provider": "p",
    "model": "m",
    "unit": "u",
    "tags": ["t"],
    "occurred_at": "2026-03-01T00:00:00Z",
}
BUDGET = {"id": "b", "scope": "o", "limit": "10", "currency": "EUR", "timezone": "UTC"}
OFFER = {"provider": "p", "model": "m", "amount": "1"}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "/users": ("POST", {"email": "b@example.org", "display_name": "B", "password": PASSWORD}),
    "/users/x/keys": ("POST", {"label": "l", "permissions": ["errors.read"]}),
    "/roles/r": ("PUT", {"permissions": ["errors.read"], "parents": ["viewer"]}),
    "/sessions": ("POST", {"email": "a@example.org", "password": "p", "label": "l"}),
    "/sessions/reset": ("POST", {"token": "spr_x", "password": PASSWORD}),
    "/sessions/password": ("POST", {"old": "o", "new": "n"}),
    "/errors/events": ("POST", {"items": [EVENT]}),
    "/errors/metrics": ("POST", {"items": [POINT]}),
    "/costs/charges": ("POST", {"items": [CHARGE]}),
    "/costs/charges/c/corrections": (
        "POST",
        {"id": "k", "at": "2026-03-01T00:00:00Z", "amount": "1", "reason": "r"},
    ),
    "/costs/budgets/b": ("PUT", BUDGET),
    "/costs/admissions": ("POST", {"owner": "o", "currency": "EUR", "offers": [OFFER]}),
    "/providers": ("POST", {"id": "p", "kind": "k", "endpoint": "https://p.example"}),
    "/providers/p/secrets/s": ("PUT", {"secret": "s"}),
}


def with_bodies(site: Site) -> Iterator[tuple[str, str]]:
    for method, path, handler in routes_of(site.app):
        assert isinstance(handler, HTTPRouteHandler)
        if path.startswith(API) and handler.parsed_data_field is not None:
            yield method, filled(path).removeprefix(API)


def changed(value: Any, text: str) -> Iterator[Any]:
    """The value with each of its texts, names of members included, replaced in turn."""
    if isinstance(value, str):
        yield text
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from ([*value[:place], new, *value[place + 1 :]] for new in changed(each, text))
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from ({**value, name: new} for new in changed(each, text))
            yield {**{key: other for key, other in value.items() if key != name}, text: each}


@pytest.mark.parametrize("kind", ["cut", "no object", "deep", "no UTF-8", "surrogate"])
def test_no_route_takes_a_body_that_is_none(kind: str) -> None:
    async def work(site: Site) -> None:
        before, seen = site.content(), 0
        headers = {"content-type": "application/json"}
        for method, path in with_bodies(site):
            answer = await site.call(method, path, content=BODIES[kind], headers=headers)
            is_problem(answer, 400)
            seen += 1
        assert seen >= len(REQUESTS)
        assert site.content() == before

    visit(work)


@pytest.mark.parametrize("wrong", [None, 1, True, [], {}, "\ud800", [[]], {"a": {}}, 10**30])
def test_no_route_takes_members_of_another_type(wrong: Any) -> None:
    async def work(site: Site) -> None:
        before = site.content()
        for path, (method, body) in REQUESTS.items():
            required = next(iter(body))
            content = json.dumps({**body, required: wrong, "more": wrong})
            answer = await site.call(
                method, path, content=content, headers={"content-type": "application/json"}
            )
            is_problem(answer, 400)
        assert site.content() == before

    visit(work)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_every_text_is_text_or_refused(kind: str, text: str, tmp_path: Path) -> None:
    async def work(site: Site) -> None:
        for path, (method, body) in REQUESTS.items():
            for each in changed(body, text):
                answer = await site.call(method, path, json=each, headers={"If-None-Match": "*"})
                assert answer.status_code < 500, (path, answer.text)
                assert "json" in answer.headers.get("content-type", "json")
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert "set-cookie" not in answer.headers or path == "/sessions"
                assert "x=1" not in str(answer.headers.multi_items())
        users = await site.call("GET", "/users?limit=1000")
        assert users.status_code == 200
        for list_ in ("/roles", "/errors/groups", "/costs/charges", "/costs/budgets", "/providers"):
            assert (await site.call("GET", list_)).status_code == 200

    visit(work, url=None if kind == "memory" else f"sqlite:///{tmp_path}/x.db")


QUESTIONS = (
    "/users?email_contains=",
    "/users?role=",
    "/users?cursor=",
    "/roles?cursor=",
    "/audit?subject=",
    "/audit?cursor=",
    "/errors/groups?message_contains=",
    "/errors/groups?cursor=",
    "/errors/trend?start=2026-01-01T00:00:00Z&end=2026-02-01T00:00:00Z&timezone=",
    "/costs/charges?owner=",
    "/costs/charges?cursor=",
    "/costs/report?group_by=team&start=2026-01-01&end=2026-02-01&timezone=",
    "/costs/report.csv?group_by=team&start=2026-01-01&end=2026-02-01&timezone=",
    "/providers?kind=",
    "/providers?cursor=",
    "/providers/choices/preview?model=",
)


@pytest.mark.parametrize(
    "encoded", ["%27%20OR%201=1--", "%3Cscript%3E", "%00", "%ff%fe", "..%2f", "%0d%0aX:1"]
)
def test_every_question_has_an_answer(encoded: str) -> None:
    async def work(site: Site) -> None:
        before = site.content()
        for question in QUESTIONS:
            status, found = await ask(site, "GET", f"{API}{question}{encoded}")
            assert status in {200, 400, 422}, (question, found)
            assert status == 200 or found["status"] == status
        assert site.content() == before

    visit(work)


LISTS = ("/users", "/roles", "/audit", "/errors/groups", "/costs/charges", "/providers")


def test_a_cursor_that_was_tampered_with_is_refused_or_leads_somewhere_in_its_list() -> None:
    async def work(site: Site) -> None:
        for number in range(3):
            await site.call("POST", "/users", json={"email": f"u{number}@example.org"})
            event = {**EVENT, "id": f"e{number}", "kind": f"K{number}"}
            await site.call("POST", "/errors/events", json={"items": [event]})
            charge = {**CHARGE, "id": f"c{number}"}
            await site.call("POST", "/costs/charges", json={"items": [charge]})
            provider = {"id": f"p{number}", "kind": "k", "endpoint": "https://p.example"}
            await site.call("POST", "/providers", json=provider)
        before = site.content()
        for path in LISTS:
            whole = (await site.call("GET", path)).json()["items"]
            cursor = (await site.call("GET", f"{path}?limit=1")).json()["next_cursor"]
            for place in range(len(cursor)):
                for new in (cursor[:place], cursor[:place] + "A" + cursor[place + 1 :]):
                    answer = await site.call("GET", path, params={"limit": 1, "cursor": new})
                    assert answer.status_code in {200, 422}, (path, new, answer.text)
                    if answer.status_code == 200:
                        assert all(each in whole for each in answer.json()["items"])
                    else:
                        is_problem(answer, 422, "invalid-value")
        assert site.content() == before

    visit(work)


TRAVERSALS = (
    "/api/v1/../../etc/passwd",
    "/api/v1/%2e%2e/%2e%2e/etc/passwd",
    "/api/v1/..%2f..%2fetc%2fpasswd",
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e/%2e%2e/app.py",
    "/static/..%5c..%5capp.py",
    "/static//etc/passwd",
    "/static/%00",
    "//etc/passwd",
    "/api/v1/users/%2e%2e%2froles",
)


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leads_to_a_file(path: str) -> None:
    async def work(site: Site) -> None:
        status, found = await ask(site, "GET", path)
        assert status in {400, 404}, (status, found)
        assert "root:" not in str(found)
        assert "import " not in str(found)

    visit(work)


HEADERS = (
    (b"x-request-id", b"a\r\nSet-Cookie: x=1"),
    (b"x-request-id", b"\xff\xfe"),
    (b"authorization", b"Bearer \xff\xfe"),
    (b"authorization", b"Bearer a\r\nb"),
    (b"cookie", b"storeproof=\xff; storeproof=b"),
    (b"cookie", b"storeproof=" + b"x" * 100_000),
    (b"if-match", b"\xff"),
    (b"idempotency-key", b"a\r\nb"),
    (b"content-length", b"-1"),
    (b"content-length", b"many"),
    (b"host", b"evil.example\r\nX: 1"),
    (b"x-forwarded-for", b"'; DROP TABLE users"),
)


@pytest.mark.parametrize(("name", "value"), HEADERS)
def test_no_header_breaks_anything(name: bytes, value: bytes) -> None:
    async def work(site: Site) -> None:
        before = site.content()
        body = {"email": "b@example.org", "unknown": 1}
        status, _ = await ask(site, "POST", f"{API}/users", body=body, headers=[(name, value)])
        assert status in {400, 401}
        assert site.content() == before

    visit(work)


def test_a_huge_body_without_its_length_is_too_large() -> None:
    async def work(site: Site) -> None:
        before, given = site.content(), 0

        def pieces() -> Iterator[bytes]:
            nonlocal given
            while True:
                given += 1
                yield b"[" * 2**20

        status, found = await ask(site, "POST", f"{API}/errors/events", pieces=pieces())
        assert (status, found["status"]) == (413, 413)
        assert given < 10
        assert site.content() == before

    visit(work)


def test_a_client_that_goes_away_is_no_failure_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    async def work(site: Site) -> None:
        before = site.content()
        path = f"{API}/errors/events"
        status, found = await ask(site, "POST", path, pieces=iter([b'{"items"']))
        assert (status, found["status"]) == (400, 400)
        assert site.content() == before

    with caplog.at_level(logging.ERROR, "storeproof.web"):
        visit(work)
    assert caplog.records == []
