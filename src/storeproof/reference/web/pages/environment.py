"""For the web application only: how templates become HTML. All text is escaped."""

import functools
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from storeproof.reference.web.pages.assets import address_of

__all__ = ["count", "money", "render"]


def render(template: str, **context: Any) -> str:
    """The page that a template makes of these."""
    return _environment().get_template(template).render(context)


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"address_of": address_of, "or_any": _or_any}
    made.filters |= {
        "count": count,
        "data": _data,
        "instant": _instant,
        "local": _local,
        "milliseconds": _milliseconds,
        "money": money,
    }
    return made


def _or_any(options: Iterable[str]) -> dict[str, str]:
    """What a filter offers: any, or one of these."""
    return {"": "any", **{each: each for each in options}}


def count(number: int) -> str:
    """As 1,000."""
    return f"{number:,}"


def _data(value: Any) -> str:
    """What a script reads out of an attribute."""
    return msgspec.json.encode(value).decode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _local(seconds: int, timezone: str) -> str:
    """Seconds since 1970, as clocks there show them."""
    return datetime.fromtimestamp(seconds, ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")


def _milliseconds(microseconds: int | None) -> str:
    return "-" if microseconds is None else f"{microseconds / 1000:,.0f} ms"


def money(amount: Decimal) -> str:
    """To the cent, or, where it is less than one, to the last decimal."""
    return f"{amount:,.2f}" if abs(amount) >= Decimal("0.01") or not amount else f"{amount:f}"
