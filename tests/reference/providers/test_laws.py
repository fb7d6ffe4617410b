"""The provider laws: each holds on the in-memory storage."""

import asyncio
import inspect

import pytest

from storeproof.harness.law import Law
from storeproof.reference.providers import InMemoryProviderStorage
from storeproof.reference.providers.laws import LAWS, contract


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.id)
def test_each_law_holds_on_the_model(law: Law) -> None:
    storage = InMemoryProviderStorage()
    names = inspect.signature(law.test).parameters

    async def body() -> None:
        await law.test(**dict.fromkeys(names, storage))

    asyncio.run(body())


def test_ids_have_no_gap_and_sentences_no_twin() -> None:
    assert [law.id for law in LAWS] == [f"PROV-{n:03}" for n in range(1, len(LAWS) + 1)]
    assert len({law.sentence for law in LAWS}) == len({law.name for law in LAWS}) == len(LAWS)


def test_laws_are_the_contracts() -> None:
    assert contract.laws == LAWS


def test_laws_of_two_handles_say_so() -> None:
    for law in LAWS:
        assert bool(law.needs) == ("second" in inspect.signature(law.test).parameters)
