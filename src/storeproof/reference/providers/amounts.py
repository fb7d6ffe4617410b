"""For authors of a provider storage: amounts of money, exact, as Decimal and as nano-units.

Nothing here depends on the decimal context that the caller happens to have.
"""

from decimal import Context, Decimal

from storeproof.reference.exceptions import InvalidValue

__all__ = ["MAX_AMOUNT", "amount_of", "canonical_amount", "nanos_of"]

MAX_AMOUNT = 10_000
_PLACES = 9
_CONTEXT = Context(prec=38)


def nanos_of(amount: Decimal) -> int:
    """A canonical amount in nano-units."""
    return int(amount.scaleb(_PLACES, _CONTEXT))


def amount_of(nanos: int) -> Decimal:
    """The canonical amount of so many nano-units; it has nine decimals."""
    return Decimal(nanos).scaleb(-_PLACES, _CONTEXT)


def canonical_amount(field: str, value: Decimal) -> Decimal:
    """A Decimal from 0 to 10000 with at most nine decimals; NaN and infinities refused."""
    if not isinstance(value, Decimal):
        raise InvalidValue(field, "must be a Decimal")
    if not value.is_finite() or not 0 <= value <= MAX_AMOUNT:
        raise InvalidValue(field, f"must be from 0 to {MAX_AMOUNT}")
    rounded = value.quantize(amount_of(1), context=_CONTEXT)
    if rounded != value:
        raise InvalidValue(field, f"must have at most {_PLACES} decimals")
    return amount_of(nanos_of(rounded))
