"""For the demonstration only: who can sign in, and what they may do."""

from typing import Final

import msgspec

from storeproof.reference.auth.entities import RoleName

__all__ = ["PEOPLE", "Person"]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account; `roles` hold everywhere."""

    email: str
    name: str
    roles: tuple[RoleName, ...] = ()
    enabled: bool = True


PEOPLE: Final[tuple[Person, ...]] = (
    Person(email="ann@example.org", name="Ann Ito", roles=(RoleName("administrator"),)),
    Person(email="bob@example.org", name="Bob Rossi", roles=(RoleName("viewer"),)),
    Person(email="cem@example.org", name="Cem Kaya", roles=(RoleName("engineer"),)),
    Person(email="dora@example.org", name="Dora Novak", roles=(RoleName("observer"),)),
    Person(
        email="emil@example.org",
        name="Emil Berg",
        roles=(RoleName("manager"), RoleName("observer")),
    ),
    Person(
        email="flo@example.org", name="Flo Mensah", roles=(RoleName("engineer"),), enabled=False
    ),
    Person(email="shop@example.org", name="The shop's own key", roles=(RoleName("program"),)),
)
"""The first is the administrator, the second sees users but no errors, costs or providers."""
