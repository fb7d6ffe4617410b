"""For operators and readers of the web application: what its routes demand, beside `auth`'s own.

`ROLES` are installed beside the built-in ones, so that somebody can be granted what they need.
"""

from typing import Final

from storeproof.reference.auth.entities import Permission, Role, RoleName
from storeproof.reference.auth.service.access import BUILT_IN

__all__ = [
    "COSTS_READ",
    "COSTS_SEND",
    "COSTS_WRITE",
    "ERRORS_READ",
    "ERRORS_SEND",
    "ERRORS_WRITE",
    "PROVIDERS_READ",
    "PROVIDERS_USE",
    "PROVIDERS_WRITE",
    "ROLES",
    "SYSTEM_READ",
]

ERRORS_READ, ERRORS_WRITE = Permission("errors.read"), Permission("errors.write")
ERRORS_SEND: Final = Permission("errors.send")
"""To report errors and metrics, and no more: for the API keys of programs."""
COSTS_READ, COSTS_WRITE = Permission("costs.read"), Permission("costs.write")
COSTS_SEND: Final = Permission("costs.send")
"""To record charges and to be admitted within budgets."""
PROVIDERS_READ, PROVIDERS_WRITE = Permission("providers.read"), Permission("providers.write")
PROVIDERS_USE: Final = Permission("providers.use")
"""To be given a provider for a request, and to tell how it ended."""
SYSTEM_READ: Final = Permission("system.read")

_READING = frozenset({ERRORS_READ, COSTS_READ, PROVIDERS_READ, SYSTEM_READ})
_WRITING = frozenset({ERRORS_WRITE, COSTS_WRITE, PROVIDERS_WRITE})
_SENDING = frozenset({ERRORS_SEND, COSTS_SEND, PROVIDERS_USE})

OBSERVER, ENGINEER, PROGRAM = RoleName("observer"), RoleName("engineer"), RoleName("program")

ROLES: Final[tuple[Role, ...]] = (
    *BUILT_IN,
    Role(name=OBSERVER, permissions=_READING),
    Role(name=ENGINEER, permissions=_WRITING, parents=frozenset({OBSERVER})),
    Role(name=PROGRAM, permissions=_SENDING),
)
"""In an order in which each role comes after its parents."""
