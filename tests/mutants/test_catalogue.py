"""The catalogue is whole, its page is up to date, and the bench tells a kill from an accident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from reference.breaking import Breaking

from storeproof.harness.checks.base import Profile
from storeproof.reference.auth import InMemoryAuthStorage
from storeproof.reference.auth.laws import contract as auth

from . import __main__ as command
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


def planted(check: str, made: Any, **told: Any) -> Mutant:
    seeds = Seeds(Family.DELETES)
    seeds.operation(auth, "delete", check, **told)(made)
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


ALONE = {
    "signature",
    "isolation",
    "pages",
    "loop_blocking",
    "reopen",
    "statements",
}
"""Checks each of which finds something that no other one does."""


def test_what_only_one_check_finds_is_there() -> None:
    assert {mutant.check for mutant in CATALOGUE if mutant.only} == ALONE
    # Where handles share nothing, every check of several clients would say so as well.
    assert any(mutant.check == "capabilities" for mutant in CATALOGUE)


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


def test_who_survives_its_law_is_told(bench: Bench) -> None:
    assert "survived" in kill(bench, planted("AUTH-001", changes_nothing)).problem


def test_a_law_kills_the_mutant_that_names_it(bench: Bench) -> None:
    row = kill(bench, planted("AUTH-017", deletes_nothing))
    assert (row.proof.check, row.problem) == ("AUTH-017", "")


def test_what_is_correct_is_spared_and_what_is_not_is_accused(bench: Bench) -> None:
    broken = Breaking(InMemoryAuthStorage).replacing("delete", deletes_nothing)
    assert spare(bench, Candidate(auth, MEMORY, lambda _: InMemoryAuthStorage())).problem == ""
    assert "accused" in spare(bench, Candidate(auth, MEMORY, lambda _: broken())).problem


def test_what_other_checks_find_as_well_is_told(bench: Bench) -> None:
    problem = kill(bench, planted("agreement", deletes_nothing, only=True)).problem
    assert "as well" in problem


BROKEN = Breaking(InMemoryAuthStorage).replacing("delete", deletes_nothing)


@pytest.mark.parametrize(
    ("mutant", "correct", "told"),
    [
        (planted("agreement", deletes_nothing), [], "every mutant was killed by its check"),
        (planted("agreement", changes_nothing), [], "survived"),
        (planted("bursts", deletes_nothing), [], "killed by accident"),
        (planted("agreement", misspelt), [], "error of its own"),
        (
            planted("agreement", deletes_nothing),
            [Candidate(auth, MEMORY, lambda _: BROKEN())],
            "accused",
        ),
    ],
    ids=["killed", "survivor", "wrong check", "own error", "accusation"],
)
def test_the_command_fails_where_not_all_is_as_it_should_be(
    mutant: Mutant,
    correct: list[Candidate],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "CATALOGUE", (mutant,))
    monkeypatch.setattr(command, "correct_candidates", lambda _: iter(correct))
    monkeypatch.setattr(command, "Bench", partial(Bench, profile=FEW))

    assert command.main([]) == (told != "every mutant was killed by its check")
    printed = capsys.readouterr().out
    assert told in printed
    assert "median on memory and SQLite: " in printed
