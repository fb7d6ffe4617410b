"""The checks of several clients: every seeded race is found, what is correct is never accused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storeproof import Capability
from storeproof.harness.checks.base import Check, Profile
from storeproof.harness.checks.bursts import BurstsCheck
from storeproof.harness.checks.linearizability import LinearizabilityCheck
from storeproof.harness.exceptions import CheckFailed

from .toys import context, failure
from .vaults import RACY, RacyMutant, vault, vault_store

FEW = Profile("few", programs=20, steps=20, bursts=2, histories=60)
APART = (Capability.CONCURRENT_CLIENTS,)


def check_named(id: str) -> Check:
    return BurstsCheck() if id == "bursts" else LinearizabilityCheck()


def killed(
    mutant: RacyMutant, runner: asyncio.Runner, seed: int = 0, **options: Any
) -> CheckFailed:
    given = context(
        vault,
        vault_store(mutant.make),
        runner,
        seed=seed,
        profile=FEW,
        capabilities=APART,
        **options,
    )
    failed = failure(check_named(mutant.check), given)
    assert failed is not None
    return failed


def name(mutant: Any) -> str | None:
    return mutant.make.__name__ if isinstance(mutant, RacyMutant) else None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mutant", RACY, ids=name)
def test_every_race_is_found_and_its_program_is_short(
    mutant: RacyMutant, seed: int, runner: asyncio.Runner
) -> None:
    failed = killed(mutant, runner, seed)

    assert failed.program is not None
    assert len(failed.program.calls) <= mutant.calls, failed.message
