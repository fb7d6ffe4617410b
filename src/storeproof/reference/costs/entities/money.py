"""For authors of cost storages: exact money, a Decimal outside and integer nano-units inside.

No function here depends on the precision of the thread's decimal context.
"""

import re
from decimal import Decimal
from typing import Final

from storeproof.reference.exceptions import InvalidValue

__all__ = [
    "MAX_AMOUNT",
    "MAX_TOTAL",
    "NANOS",
    "canonical_amount",
    "canonical_money",
    "money",
    "nanos",
]

DECIMALS: Final = 9
NANOS: Final = 10**DECIMALS
"""Nano-units in one unit of a currency."""

MAX_AMOUNT: Final = Decimal(10**9)
"""The largest single amount, and limit, either way: 10^18 nano-units."""

MAX_TOTAL: Final = Decimal(4 * 10**9)
"""What is spent, or reserved, in one budget at most: the sum of both fits in 63 bits."""

_CANONICAL: Final = re.compile(r"(?!-0$)-?(?:0|[1-9][0-9]*)(?:\.[0-9]{0,8}[1-9])?").fullmatch


def canonical_money(field: str, value: Decimal) -> Decimal:
    """An amount from -MAX_AMOUNT to MAX_AMOUNT, without exponent and trailing zeros.

    Refused are NaN, infinities, floats and integers, and more than 9 decimals.
    """
    if not isinstance(value, Decimal) or not value.is_finite():
        raise InvalidValue(field, "must be a finite Decimal")
    if not -MAX_AMOUNT <= value <= MAX_AMOUNT:
        raise InvalidValue(field, f"must be from -{MAX_AMOUNT} to {MAX_AMOUNT}")
    if _CANONICAL(str(value)):
        return Decimal(value)  # which is itself, unless it is of a subclass
    if not _fits(value):
        raise InvalidValue(field, f"must have at most {DECIMALS} decimals")
    return money(nanos(value))


def canonical_amount(field: str, value: Decimal) -> Decimal:
    """As `canonical_money`, and not negative."""
    amount = canonical_money(field, value)
    if amount < 0:
        raise InvalidValue(field, "must not be negative")
    return amount


def nanos(value: Decimal) -> int:
    """The nano-units in a finite amount of at most 9 decimals."""
    numerator, denominator = value.as_integer_ratio() if value else (0, 1)
    return numerator * NANOS // denominator


def money(count: int) -> Decimal:
    """The amount that this many nano-units are, exactly, however many they are."""
    whole, rest = divmod(abs(count), NANOS)
    text = f"{whole}.{rest:0{DECIMALS}}".rstrip("0").rstrip(".")
    return Decimal(f"-{text}" if count < 0 else text)


def _fits(value: Decimal) -> bool:
    _, digits, exponent = value.as_tuple()
    excess = -int(exponent) - DECIMALS
    return excess <= 0 or not any(digits[-excess:]) if excess < len(digits) else not any(digits)
