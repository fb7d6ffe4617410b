"""For the tests of a component's laws: each holds on the model, and fails on broken storages.

A component's test_laws.py subclasses `LawsAndMutants` and fills in its four class variables.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import pytest

from storeproof.harness.contract import Contract
from storeproof.harness.law import Law

from .breaking import Mutant

Mutants: TypeAlias = Mapping[str, Sequence[Mutant]]
"""Id of a law -> the mutants that it kills."""


def together(*tables: Mutants) -> Mutants:
    """One table of all mutants; no law is in two of them."""
    made = {law: mutants for table in tables for law, mutants in table.items()}
    assert len(made) == sum(map(len, tables)), "a law is in two tables"
    return made


def obey(law: Law, storage: object) -> None:
    """Runs a law on a storage; raises what the law raises."""
    second = getattr(storage, "second", lambda: storage)()
    handles: dict[str, Any] = {"storage": storage, "second": second}
    asked = inspect.signature(law.test).parameters

    async def body() -> None:
        await law.test(**{name: handles[name] for name in asked})

    asyncio.run(body())


class LawsAndMutants:
    """What is tested of every component's laws."""

    prefix: ClassVar[str]
    """What the laws' ids begin with."""
    laws: ClassVar[Sequence[Law]]
    contract: ClassVar[Contract]
    mutants: ClassVar[Mutants]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "mutant" in metafunc.fixturenames:
            metafunc.parametrize(("law", "mutant"), self._kills())
        elif "law" in metafunc.fixturenames:
            metafunc.parametrize("law", self.laws, ids=lambda law: law.id)

    def _kills(self) -> list[Any]:
        return [
            pytest.param(law, mutant, id=f"{law.id}-{number}-{mutant.__name__}")
            for law in self.laws
            for number, mutant in enumerate(self.mutants.get(law.id, ()))
        ]

    def test_each_law_holds_on_the_model(self, law: Law) -> None:
        obey(law, self.contract.model())

    def test_each_mutant_breaks_its_law(self, law: Law, mutant: Mutant) -> None:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - a law may fail in any way
            obey(law, mutant())
        assert not isinstance(caught.value, NameError | TypeError | AttributeError)

    def test_each_law_has_mutants_and_each_mutant_a_law(self) -> None:
        assert sorted(self.mutants) == [law.id for law in self.laws]
        assert all(self.mutants.values())

    def test_ids_have_no_gap_and_sentences_no_twin(self) -> None:
        number = len(self.laws)
        assert [law.id for law in self.laws] == [f"{self.prefix}-{n + 1:03}" for n in range(number)]
        assert len({law.sentence for law in self.laws}) == number
        assert len({law.name for law in self.laws}) == number

    def test_laws_are_the_contracts(self) -> None:
        assert self.contract.laws == self.laws

    def test_laws_of_two_handles_say_so(self) -> None:
        for law in self.laws:
            assert bool(law.needs) == ("second" in inspect.signature(law.test).parameters)
