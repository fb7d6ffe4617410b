"""Canonical values: what is refused, what is changed, and that twice changes nothing more."""

import sys
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.values import (
    EARLIEST,
    LATEST,
    MAX_INTEGER,
    MIN_INTEGER,
    canonical_email,
    canonical_flag,
    canonical_id,
    canonical_integer,
    canonical_json,
    canonical_name,
    canonical_names,
    canonical_text,
    canonical_time,
    email_fold,
    email_key,
    later,
)

NOON = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
EAST = timezone(timedelta(hours=14))


def text(field: str, value: str) -> str:
    return canonical_text(field, value, 5)


def after_noon(field: str, value: timedelta) -> datetime:
    return later(field, NOON, value)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (text, "sixsix"),
        (text, "a\0"),
        (text, "\ud800"),
        (text, b"a"),
        (canonical_id, ""),
        (canonical_id, "x" * 256),
        (canonical_name, "x" * 129),
        (canonical_names, {"a"}),
        (canonical_names, frozenset({"a", 1})),
        (canonical_names, frozenset({""})),
        (canonical_names, frozenset(map(str, range(1001)))),
        (canonical_integer, MAX_INTEGER + 1),
        (canonical_integer, MIN_INTEGER - 1),
        (canonical_integer, True),
        (canonical_integer, 1.0),
        (canonical_flag, 1),
        (canonical_time, datetime(2024, 5, 1)),  # noqa: DTZ001 - naive on purpose
        (canonical_time, datetime.max.replace(tzinfo=UTC)),
        (canonical_time, datetime.min.replace(tzinfo=EAST)),
        (canonical_time, datetime.max.replace(tzinfo=timezone(timedelta(hours=-14)))),
        (canonical_time, "2024-05-01T00:00:00Z"),
        (after_noon, timedelta(microseconds=-1)),
        (after_noon, timedelta.max),
        (after_noon, 1),
        (canonical_email, ""),
        (canonical_email, "nobody"),
        (canonical_email, "@example.org"),
        (canonical_email, "a@"),
        (canonical_email, "a@b@c"),
        (canonical_email, "a\uff20b@c"),
        (canonical_email, "a b@c"),
        (canonical_email, "a\u00a8@c"),
        (canonical_email, "a\u200d@c"),
        (canonical_email, "a\u0378@c"),
        (canonical_email, "\ufdfa" * 20 + "@c"),
        (canonical_json, ""),
        (canonical_json, "{"),
        (canonical_json, "NaN"),
        (canonical_json, "1e999"),
        (canonical_json, '{"a":1,"a":2}'),
        (canonical_json, "[" * 60000),
        (canonical_json, '"' + "é" * 20000 + '"'),
    ],
)
def test_refused(rule: Callable[[str, Any], object], value: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        rule("the_field", value)
    assert caught.value.field == "the_field"
    assert not isinstance(value, str) or len(value) < 6 or value not in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (text, "", ""),
        (text, "e\u0301\n", "e\u0301\n"),
        (canonical_id, " a ", " a "),
        (
            canonical_names,
            frozenset({"b", "a", "\U0001f600", "\uffff"}),
            ("a", "b", "\uffff", "\U0001f600"),
        ),
        (canonical_integer, MIN_INTEGER, MIN_INTEGER),
        (canonical_integer, MAX_INTEGER, MAX_INTEGER),
        (canonical_time, EARLIEST, EARLIEST),
        (canonical_time, LATEST, LATEST),
        (after_noon, timedelta(0), NOON),
        (canonical_email, "Ann+x@EXAMPLE.org", "Ann+x@EXAMPLE.org"),
        (
            canonical_json,
            ' {"b": [1, 2.50], "a": "é\\u0000"} ',
            '{"a":"\\u00e9\\u0000","b":[1,2.5]}',
        ),
    ],
)
def test_canonical(rule: Callable[[str, Any], object], value: object, expected: object) -> None:
    assert rule("the_field", value) == expected


def test_a_time_is_the_same_instant_in_utc() -> None:
    canonical = canonical_time("at", NOON.astimezone(EAST))
    assert (canonical, canonical.tzinfo) == (NOON, UTC)


def test_json_is_canonical_after_one_step() -> None:
    once = canonical_json("before", '{"b":{"z":1,"y":null},"a":-0.0}')
    assert canonical_json("before", once) == once


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.org", "ANN@Example.ORG"),
        ("\u212aim@example.org", "kim@example.org"),
        ("stra\u00dfe@example.org", "STRASSE@example.org"),
        ("e\u0301@example.org", "\u00c9@example.org"),
        ("\uff41@example.org", "a@example.org"),
    ],
)
def test_addresses_with_one_key(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize(
    "other", ["m\u0131ke@example.org", "mike+a@example.org", "m.ike@example.org"]
)
def test_addresses_with_keys_of_their_own(other: str) -> None:
    assert email_key(other) != email_key("mike@example.org")


def test_folding_twice_changes_nothing_more() -> None:
    folded = [email_fold(chr(code)) for code in range(sys.maxunicode + 1)]
    assert all(email_fold(text) == text for text in set(folded))
    assert all(unicodedata.is_normalized("NFKC", text) for text in set(folded))
