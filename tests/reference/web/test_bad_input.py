"""What can't be understood is refused in one form, stores nothing and tells nothing."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from storeproof.reference.exceptions import OutcomeUnknown, Unavailable
from storeproof.reference.web import API, WebSettings

from .sites import Site, visit

BODIES = {
    "cut": b'{"email":',
    "no object": b"[]",
    "wrong type": b'{"email":1}',
    "missing field": b"{}",
    "unknown field": b'{"email":"a@b.c","admin":true}',
    "deep": b'{"email":' + b"[" * 100_000,
    "no UTF-8": b'{"email":"\xff@b.c"}',
    "surrogate": b'{"email":"\\ud800@b.c"}',
}


def is_problem(answer: Any, status: int, word: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:storeproof:problem:")
    assert word is None or body["type"].endswith(f":{word}")
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("kind", BODIES)
def test_a_bad_body_is_a_bad_request(kind: str) -> None:
    async def work(site: Site) -> None:
        headers = {"content-type": "application/json"}
        answer = await site.call("POST", "/users", content=BODIES[kind], headers=headers)
        is_problem(answer, 400)
        users = await site.call("GET", "/users")
        assert len(users.json()["items"]) == 1

    visit(work)


def test_a_huge_body_is_too_large() -> None:
    async def work(site: Site) -> None:
        body = {"email": "a@b.c", "display_name": "x" * 2000}
        is_problem(await site.call("POST", "/users", json=body), 413)

    visit(work, settings=WebSettings(secure_cookies=False, max_body=1000))


def test_too_many_items_are_refused_before_any_is_stored() -> None:
    async def work(site: Site) -> None:
        item = {"kind": "E", "occurred_at": "2026-03-01T00:00:00Z"}
        items = [{"id": str(number), **item} for number in range(1001)]
        is_problem(await site.call("POST", "/errors/events", json={"items": items}), 413)
        groups = await site.call("GET", "/errors/groups")
        assert groups.json()["items"] == []

    visit(work)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/users?limit=0", 422),
        ("/users?limit=x", 400),
        ("/users?cursor=x", 422),
        ("/users?cursor=%00", 422),
        ("/users?enabled=perhaps", 400),
        ("/audit?since=2026-01-01T00:00:00", 422),
        ("/users/nobody", 404),
        ("/users/..%2F..%2Fetc", 404),
        ("/nothing", 404),
        ("/errors/trend?start=2026-01-01T00:00:00Z&end=2025-01-01T00:00:00Z", 422),
        ("/errors/trend", 400),
    ],
)
def test_a_bad_question_is_a_problem(path: str, status: int) -> None:
    async def work(site: Site) -> None:
        is_problem(await site.call("GET", path), status)

    visit(work)


def test_the_cursor_of_another_list_is_refused() -> None:
    async def work(site: Site) -> None:
        await site.call("POST", "/users", json={"email": "b@b.c"})
        cursor = (await site.call("GET", "/users?limit=1")).json()["next_cursor"]
        assert cursor
        is_problem(await site.call("GET", f"/roles?cursor={cursor}"), 422, "invalid-value")

    visit(work)


LOGGER = "storeproof.web.requests"
HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE users; --",
    "{{7*7}}",
    "a\r\nSet-Cookie: x=1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_text(text: str) -> None:
    async def work(site: Site) -> None:
        answer = await site.call("POST", "/users", json={"email": "b@b.c", "display_name": text})
        assert answer.status_code == 201
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x=1" not in str(answer.headers.multi_items())
        assert (await site.call("GET", f"/users/{answer.json()['id']}")).json()[
            "display_name"
        ] == text

    visit(work)


def test_nul_is_refused_everywhere() -> None:
    async def work(site: Site) -> None:
        body = {"email": "b@b.c", "display_name": "a\0b"}
        is_problem(await site.call("POST", "/users", json=body), 422, "invalid-value")

    visit(work)


def test_a_request_id_that_is_no_plain_word_is_replaced() -> None:
    async def work(site: Site) -> None:
        kept = await site.call("GET", "/users", headers={"X-Request-ID": "abc-1"})
        assert kept.headers["x-request-id"] == "abc-1"
        for bad in ("a b", "x" * 65, 'a"'):
            answer = await site.call("GET", "/users", headers={"X-Request-ID": bad})
            assert answer.headers["x-request-id"] != bad

    visit(work)


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (Unavailable("gone"), 503, "unavailable"),
        (OutcomeUnknown("cut"), 504, "outcome-unknown"),
        (RuntimeError("secret detail"), 500, "internal"),
        (RecursionError("own fault"), 500, "internal"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "own fault"), 500, "internal"),
    ],
)
def test_what_fails_inside_tells_no_secret(
    error: Exception, status: int, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(site: Site) -> None:
        async def fail(*_: Any) -> None:
            raise error

        site.services.errors.list_groups = fail  # type: ignore[method-assign,assignment]
        answer = await site.call("GET", "/errors/groups")
        is_problem(answer, status, word)
        assert "secret detail" not in answer.text

    with caplog.at_level(logging.ERROR, "storeproof.web"):
        visit(work)
    assert len(caplog.records) == 1


def test_log_lines_have_no_secrets(caplog: pytest.LogCaptureFixture) -> None:
    async def work(site: Site) -> None:
        await site.call("GET", "/users?email_contains=private")
        await site.call("POST", "/sessions", token="", json={"email": "p@b.c", "password": "hush"})
        await site.call("GET", "/users/private-id")

    with caplog.at_level(logging.INFO, LOGGER):
        visit(work)
    lines = [json.loads(each.message) for each in caplog.records if each.name == LOGGER]
    assert [each["status"] for each in lines] == [200, 401, 404]
    assert lines[0]["route"] == f"{API}/users"
    assert lines[2]["route"] == f"{API}/users/{{id}}"
    text = json.dumps(lines)
    assert not [each for each in ("private", "hush", "sps_", "p@b.c") if each in text]


def test_an_answer_says_that_it_is_not_to_be_kept() -> None:
    async def work(site: Site) -> None:
        answer = await site.call("GET", "/users")
        assert answer.headers["cache-control"] == "no-store"

    visit(work)
