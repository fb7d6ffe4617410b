"""For the tests of the web application: an application over any storages, and its clients."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
from litestar import Litestar
from litestar.testing import AsyncTestClient

from storeproof.reference.auth import GLOBAL, RoleName, UserId
from storeproof.reference.auth.service import AuthService
from storeproof.reference.auth.service.access import Principal
from storeproof.reference.config import Config
from storeproof.reference.costs.service import CostService
from storeproof.reference.errors.service import ErrorService
from storeproof.reference.passwords import Argon2Hasher
from storeproof.reference.providers.entities import KeyId
from storeproof.reference.providers.service import KeyRing, ProviderService
from storeproof.reference.selection import Storages, open_storages
from storeproof.reference.web import API, ROLES, Services, WebSettings, create_app

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
EMAIL = "ann@example.org"
SETTINGS = WebSettings(secure_cookies=False, log_ins=1000)


@dataclass
class Time:
    """A clock that only tests turn."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, much: timedelta) -> None:
        self.now += much


@dataclass
class Site:
    """The application, who calls it, and the services behind it."""

    app: Litestar
    client: AsyncTestClient[Litestar]
    services: Services
    time: Time
    administrator: Principal
    token: str = ""

    async def call(
        self, method: str, path: str, *, token: str | None = None, **more: Any
    ) -> httpx.Response:
        """The answer to a request, by default of the administrator."""
        presented = self.token if token is None else token
        headers = {"Authorization": f"Bearer {presented}"} if presented else {}
        headers |= more.pop("headers", {})
        where = path if path.startswith(("/health", "/metrics")) else API + path
        return await self.client.request(method, where, headers=headers, **more)

    def content(self) -> str:
        """All that is stored, where that is in memory: equal before and after, nothing changed."""
        services = self.services
        parts = (services.auth, services.costs, services.errors, services.providers)
        return repr([vars(each._storage) for each in parts])

    async def user(self, name: str, *roles: str) -> str:
        """Makes a user with these roles; the token of their session."""
        email = f"{name}@example.org"
        auth = self.services.auth
        user = await auth.create_user(self.administrator, email, password=PASSWORD)
        for role in roles:
            await auth.grant(self.administrator, UserId(user.id), RoleName(role), GLOBAL)
        return (await auth.log_in(email, PASSWORD)).token


async def ask(
    site: Site,
    method: str,
    raw: str,
    *,
    body: Any = None,
    root: str = "",
    before: str = "",
    headers: Sequence[tuple[bytes, bytes]] = (),
    pieces: Iterator[bytes] | None = None,
) -> tuple[int, Any]:
    """The answer to a request, given as a server does after it has read it.

    root: what a server adds to both paths; before: what a mount took from the decoded one.
    pieces: of a body whose length nobody says, and which never ends: the client goes away.
    """
    headers = [(b"authorization", f"Bearer {site.token}".encode()), *headers]
    if body is not None or pieces is not None:
        headers.append((b"content-type", b"application/json"))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": root + unquote(raw.partition("?")[0]),
        "raw_path": (before + root + raw.partition("?")[0]).encode(),
        "root_path": root,
        "query_string": raw.partition("?")[2].encode("latin-1"),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    sent: list[Any] = []

    async def receive() -> Any:
        if pieces is not None:
            piece = next(pieces, None)
            if piece is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": True}
        content = b"" if body is None else json.dumps(body).encode()
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    app: Any = site.app
    await app(scope, receive, send)
    content = b"".join(each.get("body", b"") for each in sent[1:])
    kept = dict(sent[0]["headers"]).get(b"content-type", b"")
    return sent[0]["status"], json.loads(content) if b"json" in kept and content else content


def services_over(storages: Storages, time: Time) -> Services:
    numbers = itertools.count(1)

    def new_id() -> str:
        return f"id-{next(numbers)}"

    cheap = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
    ring = KeyRing({KeyId("k1"): os.urandom(32)}, KeyId("k1"))
    return Services(
        auth=AuthService(storages.auth, clock=time, new_id=new_id, hasher=cheap),
        costs=CostService(storages.costs, clock=time, new_id=new_id),
        errors=ErrorService(storages.errors, clock=time, new_id=new_id),
        providers=ProviderService(storages.providers, cipher=ring, clock=time, new_id=new_id),
        now=time,
    )


def visit(
    work: Callable[[Site], Awaitable[None]],
    *,
    url: str | None = None,
    settings: WebSettings = SETTINGS,
) -> None:
    """Runs `work` on a site with an administrator, in memory unless a database is given."""

    async def run() -> None:
        time = Time()
        async with open_storages(Config(database_url=url, create_schema=True)) as storages:
            services = services_over(storages, time)
            await services.auth.bootstrap(EMAIL, PASSWORD)
            await services.auth.install_roles(ROLES)
            issued = await services.auth.log_in(EMAIL, PASSWORD)
            principal = await services.auth.authenticate(issued.token)
            app = create_app(services, settings)
            async with AsyncTestClient(app, raise_server_exceptions=False) as client:
                await work(Site(app, client, services, time, principal, issued.token))

    asyncio.run(run())
