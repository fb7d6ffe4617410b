"""Maintainers run `python benchmarks/over_http.py` to see what the services over HTTP cost.

On PostgreSQL, in one run: the trend of errors and the report of costs from many records beside few;
ingest in batches of 100 beside the storage's own, both with as many clients at once; and a load of
clients for a while, by locust. Nothing fails here: machines are noisy.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from growth import Place
from growth_costs import Costs
from growth_errors import Errors

from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.latency.sampling import Call, interleaved, medians
from storeproof.reference.auth.service import AuthService
from storeproof.reference.config import Config
from storeproof.reference.costs.entities import Charge
from storeproof.reference.database.compiling import POSTGRES
from storeproof.reference.errors.entities import ErrorEvent
from storeproof.reference.errors.service import ErrorService
from storeproof.reference.providers.service import new_key_line, read_key_ring
from storeproof.reference.selection import Storages, open_storages
from storeproof.reference.web import API, Services, create_app

BATCH = 100
PASSWORD = "correct horse battery"  # noqa: S105 - of a database that lasts as long as the benchmark
ASKED = {
    Errors: "/errors/trend?start=2026-03-01T00:00:00Z&end=2026-03-31T00:00:00Z&group_by=level",
    Costs: "/costs/report?start=2026-03-01&end=2026-03-31&group_by=model",
}
NUMBERS = itertools.count()


def main() -> None:
    """Print the tables."""
    options = _options()
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        backend = PostgresBackend()
        folder = Path(directory)
        server = backend.start(RunOptions(directory=folder, postgres_url=options.postgres_url))
        place = Place(backend, server, POSTGRES)
        print(f"{server.description}, load average {os.getloadavg()[0]:.1f}\n", flush=True)
        try:
            runner.run(growth(place, options.sizes))
            runner.run(serve_and_measure(place, folder, options))
        finally:
            backend.stop()


async def growth(place: Place, sizes: list[int]) -> None:
    """Ask the whole application, without a socket, about few and about many records."""
    async with AsyncExitStack() as stack:
        calls: dict[str, Call] = {}
        for kind, size in itertools.product(ASKED, sizes):
            subject = kind(200, 30, size)
            _, target = await stack.enter_async_context(place.store(subject.contract))
            await subject.fill(target)
            await target.settle()
            client = await stack.enter_async_context(_inside(target.address))
            calls[f"{subject.name}/{size}"] = _asking(client, ASKED[kind])
        taken = medians(await interleaved(calls, rounds=15, warm_up=3))
    _print_table("ms of", [f"{size:,}" for size in sizes])
    for kind in ASKED:
        times = [taken[f"{kind.name}/{size}"] / 1000 for size in sizes]
        print(f"| {ASKED[kind].split('?')[0]} | {_row(times)} | {times[-1] / times[0]:.2f} |")
    print(flush=True)


def _asking(client: httpx.AsyncClient, path: str) -> Call:
    async def ask() -> None:
        (await client.get(path)).raise_for_status()

    return ask


@asynccontextmanager
async def _inside(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application over this database, in this process."""
    async with open_storages(Config(database_url=address, create_schema=True)) as storages:
        token = await _token(storages)
        cipher = read_key_ring(new_key_line("benchmark"), "benchmark")
        app: Any = create_app(Services.over(storages, cipher=cipher))
        transport = httpx.ASGITransport(app)
        async with _client("http://inside", token, transport=transport) as client:
            yield client


async def _token(storages: Storages) -> str:
    auth = AuthService(storages.auth)
    await auth.bootstrap("ann@example.org", PASSWORD)
    return (await auth.log_in("ann@example.org", PASSWORD)).token


def _client(url: str, token: str, **more: Any) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return httpx.AsyncClient(base_url=url + API, headers=headers, timeout=60, **more)


async def serve_and_measure(place: Place, folder: Path, options: argparse.Namespace) -> None:
    """Measure a server in a process of its own."""
    async with place.store(Errors.contract) as (_, target):
        config = Config(database_url=target.address, create_schema=True)
        async with open_storages(config) as storages:
            token = await _token(storages)
            for each in (storages.errors, storages.costs, storages.providers):
                await _touch(each)
            with _served(target.address, folder) as site:
                async with _client(site.url, token) as client:
                    await ingest(storages, client, options.clients, options.batches)
                if options.seconds:
                    await asyncio.to_thread(load, site, token, folder, options.seconds)


async def _touch(storage: Any) -> None:
    """Makes the tables."""
    try:
        await storage.get_by_id("nothing")
    except Exception as error:
        if type(error).__name__ != "NotFound":
            raise


@dataclass(frozen=True)
class Site:
    """A server process."""

    url: str
    process: int

    def memory(self) -> float:
        """MiB that it holds now."""
        status = Path(f"/proc/{self.process}/status").read_text("ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0


@contextmanager
def _served(database: str, folder: Path) -> Iterator[Site]:
    keys = folder / "keys.txt"
    keys.write_text(new_key_line("benchmark"), "utf-8")
    code = "from storeproof.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port=0", "--quiet"]
    process = subprocess.Popen(  # noqa: S603 - the command is this file's own
        [*command, f"--database={database}", f"--keys={keys}"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Site(process.stdout.readline().split()[-1], process.pid)
    finally:
        process.terminate()
        process.communicate()


async def ingest(storages: Storages, client: httpx.AsyncClient, clients: int, batches: int) -> None:
    """Store as many records by the service and over HTTP, by turns."""
    errors, costs = Errors(200, 30, 10_000), Costs(200, 30, 10_000)
    service = ErrorService(storages.errors)
    ways: Mapping[str, tuple[Callable[[], Any], Callable[[Any], Awaitable[Any]], str]] = {
        "errors": (lambda: errors.record(next(NUMBERS)), storages.errors.create, "/errors/events"),
        "errors, by the service": (
            lambda: errors.record(next(NUMBERS)),
            lambda event: _report(service, event),
            "/errors/events",
        ),
        "charges": (lambda: costs.record(next(NUMBERS)), storages.costs.create, "/costs/charges"),
    }
    _print_table("records/s stored", ["by itself", "over HTTP"])
    for name, (make, store, path) in ways.items():
        rates: dict[str, list[float]] = {"by itself": [], "over HTTP": []}
        for _ in range(3):
            for way, found in rates.items():
                given = [[make() for _ in range(BATCH)] for _ in range(batches)]
                send = _storing(store) if way == "by itself" else _sending(client, path)
                bodies = given if way == "by itself" else [_body(each) for each in given]
                seconds = await _spent(bodies, send, clients)
                found.append(batches * BATCH / seconds)
        own, http = (statistics.median(each) for each in rates.values())
        print(f"| {name} | {own:,.0f} | {http:,.0f} | {http / own:.2f} |", flush=True)
    print(flush=True)


async def _report(service: ErrorService, event: ErrorEvent) -> None:
    tags = {each.key: each.value for each in event.tags}
    await service.report(
        event.fingerprint,
        event.message,
        stack=event.stack,
        tags=tags,
        id=event.id,
        occurred_at=event.occurred_at,
    )


def _storing(store: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[None]]:
    async def all_of(batch: Any) -> None:
        await asyncio.gather(*map(store, batch))

    return all_of


def _sending(client: httpx.AsyncClient, path: str) -> Callable[[Any], Awaitable[None]]:
    async def send(body: Any) -> None:
        answer = await client.post(path, content=body)
        assert answer.json()["stored"] == BATCH, answer.text[:300]

    return send


def _body(records: list[ErrorEvent | Charge]) -> bytes:
    return json.dumps({"items": [_item(each) for each in records]}).encode()


def _item(record: ErrorEvent | Charge) -> dict[str, Any]:
    if isinstance(record, ErrorEvent):
        return {
            "id": record.id,
            "occurred_at": record.occurred_at.isoformat(),
            "kind": record.fingerprint,
            "message": record.message,
            "stack": record.stack,
            "level": record.level,
            "tags": {each.key: each.value for each in record.tags},
        }
    return {
        "id": record.id,
        "amount": f"{record.amount:f}",
        "currency": record.currency,
        "owner": record.owner,
        "provider": record.provider,
        "model": record.model,
        "quantity": record.quantity,
        "unit": record.unit,
        "occurred_at": record.occurred_at.isoformat(),
    }


async def _spent(batches: list[Any], send: Callable[[Any], Awaitable[None]], clients: int) -> float:
    """The seconds in which so many clients, each one batch at a time, have sent all of them."""
    waiting = iter(batches)

    async def client() -> None:
        for batch in waiting:
            await send(batch)

    begun = perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return perf_counter() - begun


def load(site: Site, token: str, folder: Path, seconds: int) -> None:
    """Load the server with 64 clients of locust, and say what they saw; twice, for its memory."""
    _print_table("load of 64 clients", ["requests/s", "errors", "p50 ms", "p99 ms", "MiB"], "")
    print(f"| before | | | | | {site.memory():.0f} | |")
    for turn in ("first", "second"):
        _load(site, token, folder / turn, seconds)
        with (folder / f"{turn}_stats.csv").open(encoding="utf-8") as file:
            row = next(each for each in csv.DictReader(file) if each["Name"] == "Aggregated")
        figures = (row["Failure Count"], row["50%"], row["99%"], f"{site.memory():.0f}")
        print(f"| {turn} {seconds} s | {float(row['Requests/s']):.0f} | {' | '.join(figures)} | |")


def _load(site: Site, token: str, results: Path, seconds: int) -> None:
    users = Path(__file__).with_name("http_users.py")
    command = [sys.executable, "-m", "locust", "-f", str(users), "--headless", "--only-summary"]
    timing = ["-u", "64", "-r", "64", "-t", f"{seconds}s", "--csv", str(results)]
    subprocess.run(  # noqa: S603 - the command is this file's own
        [*command, *timing, "--host", site.url],
        env={**os.environ, "STOREPROOF_TOKEN": token},
        capture_output=True,
        check=False,
    )


def _print_table(first: str, columns: list[str], last: str = "ratio") -> None:
    heads = [first, *columns, last]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")


def _row(times: list[float]) -> str:
    return " | ".join(f"{each:.1f}" for each in times)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres-url", help="measure on this server instead of finding one")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 1_000_000])
    parser.add_argument("--clients", type=int, default=8, help="at once, of ingest")
    parser.add_argument("--batches", type=int, default=40, help="of 100, in each turn of ingest")
    parser.add_argument("--seconds", type=int, default=60, help="of load; 0: none, without locust")
    return parser.parse_args()


if __name__ == "__main__":
    main()
