"""For the tests of the provider laws: ways to break one thing of the in-memory storage."""

from storeproof.reference.providers import InMemoryProviderStorage
from storeproof.reference.providers.entities import canonical
from storeproof.reference.providers.memory import storage as module

from ..breaking import Breaking, Editing

_BREAKING = Breaking(InMemoryProviderStorage)
racing = _BREAKING.racing
clashing = _BREAKING.clashing
deaf = _BREAKING.deaf

_EDITING = Editing(module, InMemoryProviderStorage, canonical)
edited = _EDITING.edited
dropped = _EDITING.dropped
using = _EDITING.using
lax = _EDITING.lax
changing = _EDITING.changing
