"""The catalogue is whole, its page is up to date, and the bench tells a kill from an accident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from reference.breaking import Breaking

from storeproof.harness.checks.base import Profile
from storeproof.reference.auth import InMemoryAuthStorage
from storeproof.reference.auth.laws import contract as auth

from .__main__ import PAGE
from .catalogue import MEMORY, Candidate, Family, Mutant, Seeds
from .families import CATALOGUE
from .matrix import correct_candidates, kill, spare
from .proving import Bench
from .table import page

LEAST = 8
FEW = Profile("few", programs=20, steps=10, histories=5)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(profile=FEW) as made:
        yield made


def planted(check: str, made: Any) -> Mutant:
    seeds = Seeds(Family.DELETES)
    seeds.operation(auth, "delete", check)(made)
    return seeds.mutants[0]


async def deletes_nothing(_storage: Any, _right: Any, **_: Any) -> None:
    """It deletes nothing."""


async def changes_nothing(_storage: Any, right: Any, **_: Any) -> Any:
    """It is right."""
    return await right()


async def misspelt(storage: Any, _right: Any, **_: Any) -> Any:
    """Its own code is wrong."""
    return storage.no_such_attribute


def test_each_family_has_its_mutants() -> None:
    count = Counter(mutant.family for mutant in CATALOGUE)
    assert not {family for family in Family if count[family] < LEAST}
    assert len(CATALOGUE) >= 60


def test_names_and_defects_are_told_once() -> None:
    assert len({mutant.name for mutant in CATALOGUE}) == len(CATALOGUE)
    assert len({mutant.defect for mutant in CATALOGUE}) == len(CATALOGUE)
    assert all(mutant.defect.endswith(".") for mutant in CATALOGUE)


def test_each_check_exists() -> None:
    from storeproof.harness.checks import all_checks

    derived = {check.id for check in all_checks()}
    for mutant in CATALOGUE:
        assert {*mutant.checks} <= derived | {law.id for law in mutant.contract.laws}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(CATALOGUE), "run: tox -e mutants -- --write"


def test_the_correct_storages_are_those_of_the_mutants() -> None:
    found = {(each.contract.name, each.backend) for each in correct_candidates(CATALOGUE)}
    assert found == {(each.contract.name, each.candidate.backend) for each in CATALOGUE}


def test_a_mutant_is_killed(bench: Bench) -> None:
    row = kill(bench, planted("agreement", deletes_nothing))
    assert (row.proof.check, row.problem) == ("agreement", "")
    assert row.proof.calls > 0
    assert "agreement" in str(row)


@pytest.mark.parametrize(
    ("check", "made", "problem"),
    [
        ("agreement", changes_nothing, "survived"),
        ("bursts", deletes_nothing, "killed by accident"),
        ("agreement", misspelt, "error of its own"),
        ("AUTH-001", changes_nothing, "survived"),
    ],
)
def test_what_is_no_kill_is_told(bench: Bench, check: str, made: Any, problem: str) -> None:
    assert problem in kill(bench, planted(check, made)).problem


def test_a_law_kills_the_mutant_that_names_it(bench: Bench) -> None:
    row = kill(bench, planted("AUTH-017", deletes_nothing))
    assert (row.proof.check, row.problem) == ("AUTH-017", "")


def test_what_is_correct_is_spared_and_what_is_not_is_accused(bench: Bench) -> None:
    broken = Breaking(InMemoryAuthStorage).replacing("delete", deletes_nothing)
    assert spare(bench, Candidate(auth, MEMORY, lambda _: InMemoryAuthStorage())).problem == ""
    assert "accused" in spare(bench, Candidate(auth, MEMORY, lambda _: broken())).problem
