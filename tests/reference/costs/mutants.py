"""For the tests of the cost laws: ways to break one thing of the in-memory storage."""

from datetime import timedelta
from decimal import Decimal

from storeproof.reference.costs import InMemoryCostStorage

from ..breaking import Breaking

TICK = timedelta(microseconds=1)
NANO = Decimal("1E-9")

_BREAKING = Breaking(InMemoryCostStorage)
replacing = _BREAKING.replacing
altering = _BREAKING.altering
answering = _BREAKING.answering
erring = _BREAKING.erring
ignoring = _BREAKING.ignoring
accepting = _BREAKING.accepting
checking = _BREAKING.checking
after = _BREAKING.after
racing = _BREAKING.racing
