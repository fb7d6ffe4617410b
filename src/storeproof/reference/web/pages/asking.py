"""For authors of pages: what an address, or a form, asks for. An empty field asks for nothing.

What is there but can't be meant raises InvalidValue for the field.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.storage import Cursor

__all__ = ["after", "amount", "day", "member", "number", "text"]

Member = TypeVar("Member", bound=StrEnum)


def text(fields: Mapping[str, Any], name: str) -> str | None:
    """The field without the blanks around it."""
    return str(fields.get(name, "")).strip() or None


def member(fields: Mapping[str, Any], name: str, kind: type[Member]) -> Member | None:
    """One of an enumeration, by its value."""
    asked = text(fields, name)
    try:
        return None if asked is None else kind(asked)
    except ValueError:
        raise InvalidValue(name, f"must be one of {', '.join(kind)}") from None


def day(fields: Mapping[str, Any], name: str) -> date | None:
    """A day, as 2026-03-01."""
    asked = text(fields, name)
    try:
        return None if asked is None else date.fromisoformat(asked)
    except ValueError:
        raise InvalidValue(name, "must be a day, such as 2026-03-01") from None


def number(fields: Mapping[str, Any], name: str) -> int | None:
    """A whole number, of at most 18 digits."""
    asked = text(fields, name)
    if asked is None:
        return None
    if not asked.isascii() or not asked.isdigit() or len(asked) > 18:
        raise InvalidValue(name, "must be a whole number")
    return int(asked)


def amount(fields: Mapping[str, Any], name: str) -> Decimal | None:
    """An amount of money, as 12.50."""
    asked = text(fields, name)
    try:
        return None if asked is None else Decimal(asked)
    except InvalidOperation:
        raise InvalidValue(name, "must be an amount, such as 12.50") from None


def after(fields: Mapping[str, Any]) -> Cursor | None:
    """Where the page of a list before this one ended."""
    found = text(fields, "cursor")
    return None if found is None else Cursor(found)
