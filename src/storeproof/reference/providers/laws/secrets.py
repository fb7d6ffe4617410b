"""For authors of a provider storage: the laws of secrets and of the rotation of their keys."""

from storeproof.harness.law import MUST, law
from storeproof.reference.exceptions import NotFound
from storeproof.reference.providers.entities import Ciphertext, KeyId, SecretFilter, SecretName
from storeproof.reference.providers.laws.given import (
    EAST,
    NOBODY,
    TOKEN,
    WEST,
    add,
    ciphertext,
    is_invalid,
    is_refused,
    secret,
    walk,
)
from storeproof.reference.providers.protocol import ProviderStorage

__all__: list[str] = []


@law("PROV-015", MUST)
async def put_secret_is_found(storage: ProviderStorage) -> None:
    """A secret comes back as it was put; putting it again replaces it, and no other."""
    await add(storage, EAST, WEST)
    other = secret("c", name=SecretName("other"))
    for made in (secret("a"), secret("a"), secret("b", key="k2"), secret("d", WEST), other):
        assert await storage.put_secret(made) == made
        assert await storage.get_secret(made.provider, made.name) == made
    assert await storage.get_secret(EAST, TOKEN) == secret("b", key="k2")


@law("PROV-016", MUST)
async def unknown_secret_is_not_found(storage: ProviderStorage) -> None:
    """A secret that the provider hasn't, or of an unknown provider, is NotFound("secret", name)."""
    await add(storage, EAST, WEST)
    await storage.put_secret(secret("a", WEST))
    await storage.put_secret(secret("a", name=SecretName("Token")))
    for owner in (EAST, NOBODY):
        await is_refused(storage.get_secret(owner, TOKEN), NotFound("secret", TOKEN))
        turn = storage.rotate_secret(secret("b", owner), ciphertext("a"))
        await is_refused(turn, NotFound("secret", TOKEN))


@law("PROV-017", MUST)
async def secret_needs_its_provider(storage: ProviderStorage) -> None:
    """A secret of an unknown provider is NotFound("provider", id), and is not stored."""
    await add(storage, EAST)
    await is_refused(storage.put_secret(secret("a", NOBODY)), NotFound("provider", NOBODY))
    assert (await storage.list_secrets(SecretFilter())).items == ()


@law("PROV-018", MUST)
async def rotation_replaces_what_it_read(storage: ProviderStorage) -> None:
    """`rotate_secret` stores where the ciphertext is the old one, and can be repeated."""
    await add(storage, EAST)
    await storage.put_secret(secret("a"))
    for _ in range(2):
        assert await storage.rotate_secret(secret("b", key="k2"), ciphertext("a")) is True
        assert await storage.get_secret(EAST, TOKEN) == secret("b", key="k2")


@law("PROV-019", MUST)
async def rotation_keeps_what_was_put_meanwhile(storage: ProviderStorage) -> None:
    """`rotate_secret` is False, and changes nothing, where another ciphertext is stored."""
    await add(storage, EAST)
    await storage.put_secret(secret("c"))
    assert await storage.rotate_secret(secret("b", key="k2"), ciphertext("a")) is False
    assert await storage.get_secret(EAST, TOKEN) == secret("c")


@law("PROV-020", MUST)
async def secrets_are_listed_by_key(storage: ProviderStorage) -> None:
    """Secrets are listed by provider and name; `other_than` leaves out those of that key only."""
    await add(storage, WEST, EAST)
    made = [
        secret("a", EAST, name=SecretName("B"), key="k2"),
        secret("b", EAST, name=SecretName("a")),
        secret("c", WEST, key="K1"),
    ]
    for each in reversed(made):
        await storage.put_secret(each)
    for limit in (1, 2, 3):
        assert await walk(storage.list_secrets, SecretFilter(), limit=limit) == made
    rest = await storage.list_secrets(SecretFilter(other_than=KeyId("k1")))
    assert list(rest.items) == [made[0], made[2]]
    mine = await storage.list_secrets(SecretFilter(provider=EAST, other_than=KeyId("k1")))
    assert list(mine.items) == made[:1]


@law("PROV-021", MUST)
async def secrets_in_the_clear_are_refused(storage: ProviderStorage) -> None:
    """What has not the form of a ciphertext is invalid, and the error does not quote it."""
    await add(storage, EAST)
    await storage.put_secret(secret("a"))
    for bad in ("", "sk-live-0123456789", "v1.short", "v2." + "a" * 40, "v1." + "a" * 39 + "\n"):
        await is_invalid(storage.put_secret(secret("a", ciphertext=Ciphertext(bad))), "ciphertext")
        await is_invalid(storage.rotate_secret(secret("b"), Ciphertext(bad)), "old")
    assert await storage.get_secret(EAST, TOKEN) == secret("a")
