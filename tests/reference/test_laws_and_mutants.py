"""What tests the components' laws accuses laws that find nothing, and tables that miss one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from storeproof.harness.law import MUST, Law, law

from .laws_and_mutants import LawsAndMutants, Mutants, obey, together


class Toy:
    number = 1


class WrongToy(Toy):
    number = 2


class CrashingToy(Toy):
    @property
    def number(self) -> int:  # type: ignore[override] # it is meant to be wrong
        raise TypeError("the toy")


class DeafToy(Toy):
    def second(self) -> Toy:
        return WrongToy()


@law("TOY-001", MUST)
async def the_number_is_one(storage: Toy) -> None:
    """The number is one."""
    assert storage.number == 1


@law("TOY-002", MUST)
async def both_numbers_are_one(storage: Toy, second: Toy) -> None:
    """Both numbers are one."""
    assert storage.number == second.number == 1


ONE, BOTH = the_number_is_one, both_numbers_are_one


def of_toys(laws: Sequence[Law], mutants: Mutants) -> LawsAndMutants:
    made = LawsAndMutants()
    vars(made).update(prefix="TOY", laws=laws, mutants=mutants)
    return made


def test_a_broken_storage_breaks_the_law() -> None:
    of_toys((ONE,), {}).test_each_mutant_breaks_its_law(ONE, WrongToy)


def test_a_mutant_that_breaks_nothing_is_accused() -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        of_toys((ONE,), {}).test_each_mutant_breaks_its_law(ONE, Toy)


def test_a_mutant_that_is_broken_itself_is_accused() -> None:
    with pytest.raises(AssertionError):
        of_toys((ONE,), {}).test_each_mutant_breaks_its_law(ONE, CrashingToy)


def test_the_second_handle_is_the_storage_or_what_it_gives() -> None:
    obey(BOTH, Toy())
    with pytest.raises(AssertionError):
        obey(BOTH, DeafToy())


@pytest.mark.parametrize(
    "mutants",
    [
        {},
        {"TOY-001": []},
        {"TOY-001": [WrongToy], "TOY-002": [WrongToy]},
    ],
)
def test_a_table_that_misses_a_law_or_its_mutants_is_accused(mutants: Mutants) -> None:
    with pytest.raises(AssertionError):
        of_toys((ONE,), mutants).test_each_law_has_mutants_and_each_mutant_a_law()


@pytest.mark.parametrize("laws", [(BOTH,), (BOTH, ONE), (ONE, ONE)])
def test_ids_that_are_out_of_order_are_accused(laws: Sequence[Law]) -> None:
    with pytest.raises(AssertionError):
        of_toys(laws, {}).test_ids_have_no_gap_and_sentences_no_twin()


def test_a_law_of_two_handles_that_does_not_say_so_is_accused() -> None:
    with pytest.raises(AssertionError):
        of_toys((BOTH,), {}).test_laws_of_two_handles_say_so()


def test_a_law_is_in_one_table() -> None:
    one: Mutants = {"TOY-001": [WrongToy]}
    assert together(one, {"TOY-002": []}) == {"TOY-001": [WrongToy], "TOY-002": []}
    with pytest.raises(AssertionError, match="two tables"):
        together(one, one)
