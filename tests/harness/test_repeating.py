"""A run's seed alone decides which programs are tried, in every process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storeproof.harness.values import Draw

TESTS = Path(__file__).parents[1]
SCRIPT = """
import asyncio, hashlib, sys
{imports}
from harness.mutants import IgnoresTheCaseOfIds
from harness.toys import context, failure, jobs, InMemoryJobs, InMemoryNotes, InMemoryTasks
from harness.toys import notes, tasks
from storeproof.harness import running
from storeproof.harness.checks.agreement import AgreementCheck
from storeproof.harness.checks.base import Profile
from storeproof.harness.checks.pages import PagesCheck

calls = []
call = running.Actor.call

async def remembered(actor, made):
    calls.append(repr(made))
    return await call(actor, made)

running.Actor.call = remembered
few = Profile("few", programs=8, steps=20)
with asyncio.Runner() as runner:
    for contract, make in ((notes, InMemoryNotes), (tasks, InMemoryTasks), (jobs, InMemoryJobs)):
        for check in (AgreementCheck(), PagesCheck()):
            if check.applies(contract):
                assert failure(check, context(contract, make, runner, seed=3, profile=few)) is None
    found = failure(AgreementCheck(), context(notes, IgnoresTheCaseOfIds, runner, seed=3))
print(len(calls), hashlib.sha256("".join(calls).encode()).hexdigest())
print(found)
"""


def programs(hash_seed: str, imports: str) -> str:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT.format(imports=imports)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_same_seed_tries_the_same_programs_in_every_process() -> None:
    first = programs("1", "")
    assert "shortest program" in first
    assert programs("2", "import decimal, http.client, xml.dom.minidom") == first


@pytest.mark.parametrize("seed", [0, 2**64 - 1])
def test_a_seed_decides_what_is_drawn(seed: int) -> None:
    one, same, other = (
        [Draw(each).below(256) for _ in range(1)] for each in (seed, seed, seed ^ 1)
    )
    assert one == same
    assert one != other
