"""The oracle is tested: every mutant is killed by its check, what is correct is never accused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from storeproof import Contract
from storeproof.harness.checks.agreement import AgreementCheck
from storeproof.harness.checks.base import Check, Profile
from storeproof.harness.checks.pages import PagesCheck
from storeproof.harness.checks.signature import SignatureCheck
from storeproof.harness.program import Program, Walk

from .mutants import CORRECT, MUTANTS, Mutant, NeverTheSame
from .toys import context, failure, notes, printed_test, run_printed, titles

CHECKS: dict[str, Check] = {
    each.id: each for each in (SignatureCheck(), AgreementCheck(), PagesCheck())
}
SHORT = Profile("short", programs=12, steps=20)
WITH_PROGRAMS = [each for each in MUTANTS if each.check != "signature"]


def name(thing: Any) -> str | None:
    return thing.name if isinstance(thing, Mutant) else None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mutant", MUTANTS, ids=name)
def test_every_mutant_is_killed_by_its_check(
    mutant: Mutant, seed: int, runner: asyncio.Runner
) -> None:
    given = context(mutant.contract, mutant.make, runner, seed=seed)

    failed = failure(CHECKS[mutant.check], given)

    assert failed is not None
    if failed.program is not None:
        assert len(failed.program.steps) <= mutant.calls, failed.message


@pytest.mark.parametrize(
    ("mutant", "shared"),
    [("KeepsTheCallersTags", True), ("GivesItsOwnObjects", True), ("CreateReplaces", False)],
)
def test_a_storage_that_shares_its_objects_is_told_so(
    mutant: str, shared: bool, runner: asyncio.Runner
) -> None:
    (found,) = [each for each in MUTANTS if each.name == mutant]
    failed = failure(CHECKS[found.check], context(found.contract, found.make, runner))
    assert failed is not None
    assert ("keeps or gives away the same objects" in failed.message) is shared


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("mutant", WITH_PROGRAMS, ids=name)
def test_the_printed_test_passes_on_the_model_and_fails_on_the_mutant(
    mutant: Mutant, seed: int, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failure(CHECKS[mutant.check], context(mutant.contract, mutant.make, runner, seed=seed))
    assert failed is not None
    source = printed_test(failed)

    on_model = run_printed(source, mutant.contract.model, monkeypatch, runner)
    on_mutant = run_printed(source, mutant.make, monkeypatch, runner)

    assert on_model is None, source
    assert on_mutant is not None, source


@pytest.mark.parametrize("mutant", WITH_PROGRAMS, ids=name)
def test_the_saved_program_fails_in_the_same_way(mutant: Mutant, runner: asyncio.Runner) -> None:
    check = CHECKS[mutant.check]
    failed = failure(check, context(mutant.contract, mutant.make, runner))
    assert failed is not None
    assert failed.program is not None
    saved = json.loads(json.dumps(failed.program.to_json()))
    program = Program.from_json(mutant.contract, saved)

    again = failure(check, context(mutant.contract, mutant.make, runner, replay=program))
    on_model = failure(
        check, context(mutant.contract, mutant.contract.model, runner, replay=program)
    )

    assert again is not None
    assert again.program == failed.program == program
    assert on_model is None


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize(("contract", "make"), CORRECT)
def test_what_is_correct_is_never_accused(
    contract: Contract, make: Callable[[], Any], seed: int, runner: asyncio.Runner
) -> None:
    for check in CHECKS.values():
        if check.applies(contract):
            check.run(context(contract, make, runner, seed=seed, profile=SHORT))


def test_a_walk_of_a_page_mutant_is_what_is_saved(runner: asyncio.Runner) -> None:
    mutant = next(each for each in MUTANTS if each.check == "pages")
    failed = failure(CHECKS["pages"], context(mutant.contract, mutant.make, runner))

    assert failed is not None
    assert failed.program is not None
    assert isinstance(failed.program.steps[-1], Walk)


def test_an_order_that_moves_has_to_be_declared(runner: asyncio.Runner) -> None:
    undeclared = Contract(
        titles.protocol,
        model=titles.model,
        arguments=titles.arguments,
        errors=titles.errors,
        name="titles",
    )
    failed = failure(CHECKS["pages"], context(undeclared, titles.model, runner))

    assert failed is not None
    assert "twice" in failed.message or "missed" in failed.message


def test_a_storage_that_is_never_the_same_is_told_to_be_so(runner: asyncio.Runner) -> None:
    failed = failure(CHECKS["agreement"], context(notes, NeverTheSame, runner))

    assert failed is not None
    assert "AgreementCheck" not in failed.message
