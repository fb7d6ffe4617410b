"""`storeproof demo` serves its year, in memory or on a database, to whoever it said may sign in."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import Result

from storeproof.cli.errors import ExitCode
from storeproof.harness.backends.postgres_url import PostgresUrl

from .served import Served, served

SMALL = ("demo", "--errors=300", "--requests=200")
TRAFFIC = 200


def signed_in(site: Served) -> httpx.Client:
    text = "\n".join(site.lines)
    password = re.search(r"password: (\S+)", text)
    email = re.search(r"Sign in as (\S+),", text)
    assert password, text
    assert email, text
    body = {"email": email[1], "password": password[1]}
    answer = httpx.post(f"{site.url}/api/v1/sessions", json=body, timeout=60)
    assert answer.status_code == 201, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    return httpx.Client(base_url=f"{site.url}/api/v1", headers=headers, timeout=60)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The arguments that say where the data are to be."""
    if request.param == "memory":
        return ()
    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres")
    return ("--database", url.render() if isinstance(url, PostgresUrl) else url)


def test_it_answers_the_trend_and_the_report(place: tuple[str, ...]) -> None:
    with served(*SMALL, *place) as site:
        assert "300 errors, 200 requests" in site.lines[0]
        with signed_in(site) as client:
            check(client)
        assert site.stop()[0] == ExitCode.DONE


def test_its_page_of_conformance_reads_the_report_that_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    arguments = ("demo", "--errors=1", "--requests=1", f"--report={path}")
    with served(*arguments) as site, signed_in(site) as client:
        missing = client.get(f"{site.url}/conformance").text
        path.write_text('{"format": "other/1"}', "utf-8")
        foreign = client.get(f"{site.url}/conformance").text
    assert str(path) in html.unescape(missing)
    assert str(path) in html.unescape(foreign)
    assert missing != foreign


def check(client: httpx.Client) -> None:
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    span = {"start": (end - timedelta(days=370)).isoformat(), "end": end.isoformat()}
    trend = client.get("/errors/trend", params={**span, "bucket": "week", "group_by": "level"})
    counts = [count for each in trend.json()["series"] for count in each["counts"]]
    assert sum(counts) == 300
    today = date.today()  # noqa: DTZ011 - a day around is as good
    days = {"start": str(today - timedelta(days=370)), "end": str(today + timedelta(days=2))}
    report = client.get("/costs/report", params={**days, "group_by": "team"}).json()
    assert 0 < sum(row["charges"] for row in report) <= TRAFFIC
    assert len(client.get("/providers").json()["items"]) == 5
    assert len(client.get("/users").json()["items"]) == 7
    assert client.get("/costs/budgets/acme-month").json()["version"] == 1


def test_a_database_that_holds_something_is_left_alone(
    run: Callable[..., Result], sqlite_url: str
) -> None:
    with served(*SMALL, "--database", sqlite_url) as site, signed_in(site) as client:
        before = client.get("/users").json()
        again = run("demo", "--errors=1", "--requests=1", "--port=0", "--database", sqlite_url)
        assert again.exit_code == ExitCode.REFUSED
        assert client.get("/users").json() == before


def test_the_environment_names_no_database_to_fill(sqlite_url: str) -> None:
    with served(*SMALL, environ={"STOREPROOF_DATABASE_URL": sqlite_url}) as site:
        assert site.stop()[0] == ExitCode.DONE
    from pathlib import Path

    assert not Path(sqlite_url.removeprefix("sqlite:///")).exists()
