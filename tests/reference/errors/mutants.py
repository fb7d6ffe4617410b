"""For the tests of the error laws: ways to break one thing of the in-memory storage."""

from storeproof.reference.errors import InMemoryErrorStorage

from ..breaking import Breaking

_BREAKING = Breaking(InMemoryErrorStorage)
replacing = _BREAKING.replacing
altering = _BREAKING.altering
altering_fields = _BREAKING.altering_fields
answering = _BREAKING.answering
erring = _BREAKING.erring
ignoring = _BREAKING.ignoring
checking = _BREAKING.checking
following = _BREAKING.following
racing = _BREAKING.racing
clashing = _BREAKING.clashing
deaf = _BREAKING.deaf
