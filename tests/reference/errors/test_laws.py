"""The error laws: each holds on the in-memory storage, and each fails on storages broken for it."""

import asyncio
import inspect
from typing import Any

import pytest

from storeproof.harness.law import Law
from storeproof.reference.errors import ErrorStorage, InMemoryErrorStorage
from storeproof.reference.errors.laws import LAWS, contract

from . import mutants_of_archives, mutants_of_counts, mutants_of_groups, mutants_of_values
from .mutants import Mutant

MUTANTS = {
    **mutants_of_groups.MUTANTS,
    **mutants_of_counts.MUTANTS,
    **mutants_of_values.MUTANTS,
    **mutants_of_archives.MUTANTS,
}
KILLS = [
    pytest.param(law, mutant, id=f"{law.id}-{number}-{mutant.__name__}")
    for law in LAWS
    for number, mutant in enumerate(MUTANTS.get(law.id, ()))
]


def obey(law: Law, storage: ErrorStorage) -> None:
    second = getattr(storage, "second", lambda: storage)()
    handles: dict[str, Any] = {"storage": storage, "second": second}
    asked = inspect.signature(law.test).parameters

    async def body() -> None:
        await law.test(**{name: handles[name] for name in asked})

    asyncio.run(body())


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.id)
def test_each_law_holds_on_the_model(law: Law) -> None:
    obey(law, InMemoryErrorStorage())


@pytest.mark.parametrize(("law", "mutant"), KILLS)
def test_each_mutant_breaks_its_law(law: Law, mutant: Mutant) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - a law may fail in any way
        obey(law, mutant())
    assert not isinstance(caught.value, NameError | TypeError | AttributeError)


def test_each_law_has_mutants_and_each_mutant_a_law() -> None:
    assert sorted(MUTANTS) == [law.id for law in LAWS]
    assert all(MUTANTS.values())


def test_ids_have_no_gap_and_sentences_no_twin() -> None:
    assert [law.id for law in LAWS] == [f"ERR-{n:03}" for n in range(1, len(LAWS) + 1)]
    assert len({law.sentence for law in LAWS}) == len({law.name for law in LAWS}) == len(LAWS)


def test_laws_are_the_contracts() -> None:
    assert contract.laws == LAWS


def test_laws_of_two_handles_say_so() -> None:
    for law in LAWS:
        assert bool(law.needs) == ("second" in inspect.signature(law.test).parameters)
