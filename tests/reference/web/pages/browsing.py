"""For the tests of the pages: somebody who opens them and sends their forms, in this process."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any

import httpx

from storeproof.reference.web import WebSettings

from ..sites import EMAIL, PASSWORD, SETTINGS, Site, visit

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""


class Person:
    """Who looks at pages: the cookies are the client's, as in a browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.page = ""

    async def open(self, path: str, **more: Any) -> httpx.Response:
        more.setdefault("follow_redirects", True)
        return self._seen(await self.client.get(path, **more))

    async def send(self, path: str, **fields: Any) -> httpx.Response:
        """Sends a form with the token of the page that was seen last; the answer as it is."""
        data = {"csrf_token": self.csrf, **fields}
        answer = await self.client.post(path, data=data, follow_redirects=False)
        return self._seen(answer) if "location" not in answer.headers else answer

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Opens what an answer leads on to."""
        assert answer.status_code == 303, answer.text
        return await self.open(answer.headers["location"])

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> httpx.Response:
        self.client.cookies.clear()
        await self.open("/login")
        return await self.send("/login", email=email, password=password, next="/")

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf_token" value="(\w+)"', self.page)
        return found[1] if found else ""

    @property
    def text(self) -> str:
        """What the page says, in one line."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.page)).split())

    @property
    def links(self) -> set[str]:
        return {unescape(each) for each in re.findall(r'href="([^"]*)"', self.page)}

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        self.page = answer.text
        return answer


def browse(
    work: Callable[[Site, Person], Awaitable[None]],
    *,
    settings: WebSettings = SETTINGS,
    url: str | None = None,
) -> None:
    """Runs `work` with the administrator signed in, in memory unless a database is given."""

    async def run(site: Site) -> None:
        person = Person(site.client)
        assert (await person.sign_in()).status_code == 303
        await work(site, person)

    visit(run, settings=settings, url=url)


async def become(site: Site, person: Person, name: str, *roles: str) -> None:
    """Makes a user with these roles and signs them in."""
    await site.user(name, *roles)
    assert (await person.sign_in(f"{name}@example.org")).status_code == 303
