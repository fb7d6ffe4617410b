"""For authors of storages: the one canonical form of every value, made in Python.

A storage passes every argument through these functions before its backend sees it. That
is what makes backends agree: SQLite forgets time zones and folds only ASCII, PostgreSQL
refuses NUL and reads naive times as UTC, and none of them is asked to.
"""

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from storeproof.reference.exceptions import InvalidValue

__all__ = [
    "EARLIEST",
    "LATEST",
    "MAX_EMAIL",
    "MAX_ID",
    "MAX_INTEGER",
    "MAX_JSON",
    "MAX_MEMBERS",
    "MAX_NAME",
    "MIN_INTEGER",
    "canonical_email",
    "canonical_flag",
    "canonical_id",
    "canonical_integer",
    "canonical_json",
    "canonical_name",
    "canonical_names",
    "canonical_text",
    "canonical_time",
    "email_fold",
    "email_key",
    "later",
]

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
MAX_ID = 255
MAX_NAME = 128  # an index over two ids and a name stays below PostgreSQL's 2704 bytes
MAX_EMAIL = 320
MAX_JSON = 65536
MAX_MEMBERS = 1000

# A day is left at each end: drivers turn the extreme values into infinity, and
# conversions to other zones overflow there.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)


def canonical_text(field: str, value: str, maximum: int) -> str:
    """Text of at most `maximum` characters, unchanged; NUL and lone surrogates refused."""
    if not isinstance(value, str):
        raise InvalidValue(field, "must be text")
    if len(value) > maximum:
        raise InvalidValue(field, f"must have at most {maximum} characters")
    if "\0" in value:
        raise InvalidValue(field, "must not contain NUL")
    if not value.isascii():
        _refuse_surrogates(field, value)
    return value


def _refuse_surrogates(field: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValue(field, "must not contain surrogates") from None


def canonical_id(field: str, value: str, maximum: int = MAX_ID) -> str:
    """A non-empty text of at most 255 characters, compared by code point."""
    if not canonical_text(field, value, maximum):
        raise InvalidValue(field, "must not be empty")
    return value


def canonical_name(field: str, value: str) -> str:
    """A non-empty text of at most 128 characters: a role, a permission, an action."""
    return canonical_id(field, value, MAX_NAME)


def canonical_names(field: str, values: frozenset[str]) -> tuple[str, ...]:
    """The members of a set of at most 1000 names, by code point."""
    if not isinstance(values, frozenset) or not all(isinstance(value, str) for value in values):
        raise InvalidValue(field, "must be a frozenset of text")
    if len(values) > MAX_MEMBERS:
        raise InvalidValue(field, f"must have at most {MAX_MEMBERS} members")
    return tuple(canonical_name(field, value) for value in sorted(values))


def canonical_integer(
    field: str, value: int, low: int = MIN_INTEGER, high: int = MAX_INTEGER
) -> int:
    """An integer from `low` to `high`, by default 64-bit signed; bool is not one."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue(field, "must be an integer")
    if not low <= value <= high:
        raise InvalidValue(field, f"must be from {low} to {high}")
    return value


def canonical_flag(field: str, value: bool) -> bool:
    """True or False, nothing that is merely true-like."""
    if not isinstance(value, bool):
        raise InvalidValue(field, "must be True or False")
    return value


def canonical_time(field: str, value: datetime) -> datetime:
    """The same instant in UTC; naive times and those outside EARLIEST..LATEST refused."""
    if not isinstance(value, datetime):
        raise InvalidValue(field, "must be a datetime")
    instant = value if value.tzinfo is UTC else _in_utc(field, value)
    if not EARLIEST <= instant <= LATEST:
        _refuse_time(field)
    return instant


def _in_utc(field: str, value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise InvalidValue(field, "must have a time zone")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        _refuse_time(field)


def later(field: str, at: datetime, duration: timedelta) -> datetime:
    """The canonical instant `duration` (zero or more) after `at`."""
    if not isinstance(duration, timedelta):
        raise InvalidValue(field, "must be a timedelta")
    if duration < timedelta(0):
        raise InvalidValue(field, "must not be negative")
    try:
        return canonical_time(field, at + duration)
    except OverflowError:
        _refuse_time(field)


def _refuse_time(field: str) -> NoReturn:
    raise InvalidValue(field, f"must be from {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}") from None


def email_fold(value: str) -> str:
    """Text as e-mail keys are compared: NFKC and case folding, until nothing changes."""
    if value.isascii():
        return value.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    return folded if folded == value else email_fold(folded)


def email_key(value: str) -> str:
    """The key by which e-mail addresses are unique. Expects a `canonical_email`.

    Two addresses are the same user when their keys are equal: `Ann@EXAMPLE.org` and
    `ann@example.org`, but also the Kelvin sign and `k`. That is the safe direction only
    while mail goes to the address that was stored, never to the one just typed
    (CVE-2019-19844). Dots and +tags in the local part, and the Punycode form of a
    domain, are different addresses.
    """
    return value.lower() if value.isascii() else email_fold(value)


def canonical_email(field: str, value: str) -> str:
    """An address as typed: printable, no spaces, one @ with something on each side.

    Unprintable includes characters that this Python's Unicode does not know: their
    folding could change with a later version, and with it the stored key.
    """
    canonical_id(field, value, MAX_EMAIL)
    key = email_key(value)
    if len(key) > MAX_EMAIL:
        raise InvalidValue(field, f"must have at most {MAX_EMAIL} characters when folded")
    if not (value + key).isprintable() or " " in value + key:
        raise InvalidValue(field, "must be printable without spaces")
    local, at, domain = key.partition("@")
    if not (local and at and domain) or "@" in domain:
        raise InvalidValue(field, "must have the form name@domain")
    return value


def canonical_json(field: str, value: str) -> str:
    """JSON text with sorted keys, no white space and only ASCII characters.

    Repeated keys, NaN, infinities and texts over 65536 characters are refused.
    """
    canonical_text(field, value, MAX_JSON)
    try:
        content = json.loads(value, object_pairs_hook=_unique_keys)
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise InvalidValue(field, "must be JSON") from error
    return canonical_text(field, text, MAX_JSON)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("repeated key")
    return content
