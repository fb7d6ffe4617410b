"""Forms that no browser sends are refused with a page; nothing fails, is stored or is told."""

from __future__ import annotations

from typing import Any

import pytest

from storeproof.reference.auth.entities import UserFilter

from ..sites import EMAIL, PASSWORD, Site
from .browsing import Person, browse

TYPE = {"content-type": "application/x-www-form-urlencoded"}
BODIES = {
    "no UTF-8": (b"csrf_token=%s&email=%%ff%%fe", TYPE, 422),
    "raw bytes": (b"csrf_token=%s&email=\xff\xfe", TYPE, 422),
    "NUL": (b"csrf_token=%s&email=a%%00b@example.org&password=", TYPE, 422),
    "twice": (b"csrf_token=%s&email=a@example.org&email=b@example.org&email=c", TYPE, 400),
    "no blank": (b"csrf_token=%s&email=a@example.org%%0d%%0aBcc:x", TYPE, 422),
    "token twice": (b"csrf_token=%s&csrf_token=%s&email=a@example.org", TYPE, 400),
    "JSON": (b'{"csrf_token": "%s"}', {"content-type": "application/json"}, 415),
    "nothing": (b"", TYPE, 403),
    "only signs": (b"&&&===&", TYPE, 403),
    "huge": (b"csrf_token=%s&email=" + b"x" * 2**16, TYPE, 413),
}


async def users(site: Site) -> int:
    found = await site.services.auth.list_users(site.administrator, UserFilter())
    return len(found.items)


@pytest.mark.parametrize("kind", BODIES)
def test_a_strange_form_is_refused(kind: str) -> None:
    body, headers, status = BODIES[kind]

    async def work(site: Site, person: Person) -> None:
        await person.open("/new-user")
        token = person.csrf.encode()
        content = body.replace(b"%s", token).replace(b"%%", b"%")
        answer = await person.client.post("/new-user", content=content, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"].startswith("text/html")
        assert "Traceback" not in answer.text
        assert await users(site) == 1

    browse(work)


@pytest.mark.parametrize("path", ["/login", "/reset", "/new-user"])
@pytest.mark.parametrize("field", ["csrf_token", "email", "password", "token", "next"])
def test_a_file_is_no_field(path: str, field: str) -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open(path)
        fields = {"csrf_token": person.csrf, "email": EMAIL, "password": PASSWORD, "token": "x"}
        fields.pop(field, "")
        files: Any = {field: ("x.txt", b"content")}
        answer = await person.client.post(path, data=fields, files=files)
        assert answer.status_code == 415, answer.text
        assert await users(site) == 1

    browse(work)


@pytest.mark.parametrize(
    "query",
    ["?cursor=x", "?cursor=%00", "?cursor=%ff", "?done=%3Cscript%3E", "?range=1d&range=7d"],
)
@pytest.mark.parametrize("path", ["/errors/groups", "/users", "/providers", "/roles", "/costs"])
def test_a_strange_address_is_refused_or_passed_over(path: str, query: str) -> None:
    async def work(_: Site, person: Person) -> None:
        answer = await person.open(path + query)
        assert answer.status_code in {200, 422}
        assert "<script>" not in person.page

    browse(work)


@pytest.mark.parametrize(
    "path",
    ["/users/..%2F..%2Fetc", "/errors/groups/%00", "/costs/budgets/%ff", "/providers/%0d%0a"],
)
def test_a_strange_id_is_of_nothing(path: str) -> None:
    async def work(_: Site, person: Person) -> None:
        answer = await person.open(path, headers={"accept": "text/html"})
        assert answer.status_code in {404, 422}
        assert answer.headers["content-type"].startswith("text/html")

    browse(work)
