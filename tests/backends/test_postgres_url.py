"""URLs are read as people paste them, and a password is never told."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import make_url

from storeproof.harness.backends.postgres_url import PostgresUrl, parse_url
from storeproof.harness.exceptions import BackendUnavailable


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"]
)
def test_every_usual_scheme_is_read(scheme: str) -> None:
    assert parse_url(
        f"{scheme}://ann:s%40cret@db.example:6543/shop?sslmode=require"
    ) == PostgresUrl(
        host="db.example",
        port=6543,
        user="ann",
        password="s@cret",
        database="shop",
        ssl="require",
    )


def test_what_is_left_out_has_postgresqls_defaults() -> None:
    assert parse_url("postgresql://db") == PostgresUrl(host="db", port=5432, database="postgres")


@pytest.mark.parametrize("host", ["db.example", "[::1]"])
@pytest.mark.parametrize("password", ["p@ss/w:rd?#%", "", None])
def test_sqlalchemy_reads_what_is_rendered(host: str, password: str | None) -> None:
    url = PostgresUrl(host=host.strip("[]"), user="a b", password=password, database="sh/op")
    read = make_url(url.render())
    assert (read.host, read.port) == (url.host, 5432)
    assert (read.username, read.password or "") == ("a b", password or "")
    assert parse_url(url.render()) == url


def test_encryption_is_passed_on_to_both_readers() -> None:
    url = parse_url("postgresql://db/shop?sslmode=verify-full")
    assert url.arguments()["ssl"] == "verify-full"
    assert make_url(url.render()).query == {"ssl": "verify-full"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mysql://root:hunter2@db/shop", "not one of PostgreSQL \\(mysql\\)"),
        ("hunter2", "not one of PostgreSQL \\(no scheme\\)"),
        ("postgresql:///shop?host=/run/hunter2", "names no TCP host"),
        ("postgresql://ann:hun/ter2@db:5432/shop", "percent-encoded"),
        ("postgresql://ann:hunter2@db:x/shop", "percent-encoded"),
        ("postgresql://ann:hunter2@db:99999/shop", "percent-encoded"),
        ("postgresql://ann:hunter2@[db/shop", "percent-encoded"),
        (
            "postgresql://ann:hunter2@db/shop?channel_binding=x",
            "passed on: channel_binding",
        ),
    ],
)
def test_a_url_that_can_not_be_used_is_one_sentence_without_its_password(
    text: str, reason: str
) -> None:
    with pytest.raises(BackendUnavailable, match=reason) as refused:
        parse_url(text)
    assert "ter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "postgresql://user:password@host:port/database" in str(refused.value)


def test_what_people_see_of_a_url_hides_the_password() -> None:
    url = parse_url("postgresql://ann:hunter2@[::1]/shop")
    assert "hunter2" not in f"{url!r} {url} {url.place} {url.server}"
    assert url.place == "[::1]:5432/shop"
