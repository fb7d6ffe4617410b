"""A race from end to end: shown, reported, saved, replayed, pasted as a test."""

from __future__ import annotations

import json
import shlex

from plugin_project import Project

from storeproof.harness.lanes import draw

pytest_plugins = ["pytester"]

RACY = """
import asyncio
from typing import Protocol
from storeproof import Contract
from storeproof.harness.checks.bursts import BurstsCheck
from storeproof.harness.checks.linearizability import LinearizabilityCheck
from storeproof.harness.suite import suite_class

class Taken(Exception):
    pass

class Names(Protocol):
    async def take(self, name: str) -> None:
        '''Take a name. Raises Taken when somebody has it.'''
    async def count(self) -> int: ...
    async def is_open(self) -> bool: ...

class InMemoryNames:
    def __init__(self):
        self.names = set()
    async def take(self, name: str) -> None:
        if name in self.names:
            raise Taken
        {between}
        self.names.add(name)
    async def count(self) -> int:
        return len(self.names)
    async def is_open(self) -> bool:
        return True

class Model(InMemoryNames):
    async def take(self, name: str) -> None:
        if name in self.names:
            raise Taken
        self.names.add(name)

contract = Contract(Names, model=Model, storages={{"stub": lambda _: InMemoryNames()}},
                    errors=[Taken], arguments={{"name": ["a", "b"]}}, name="names")
TestNames = suite_class(contract, [BurstsCheck(), LinearizabilityCheck()])
"""
BROKEN, MENDED = RACY.format(between="await asyncio.sleep(0)"), RACY.format(between="")


def test_a_race_is_shown_reported_and_stops_the_next_stage(project: Project) -> None:
    project.write(BROKEN)

    result, report = project.report("--storage=stub", "--storage-seed=1")

    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "names on stub: bursts is broken in Names.take (2 clients, one handle)",
            "The Protocol says: “Raises Taken when somebody has it.”",
            "client 1 *├──*┤*",
            "client 2 *├──*┤*",
            "No order of these calls gives these outcomes on the model.*",
            "*does not fit: the model raised Taken(); the storage returned None",
            '*contract.race(program, backend="stub", clients=2, shared=True)',
            "*not run: BURSTS is broken (bursts)*",
        ]
    )
    (judgement,) = report.judgements
    bursts, later = judgement.checks
    assert later.status == "not run"
    assert bursts.contended == bursts.programs > 0
    assert bursts.failure is not None
    assert bursts.failure.history is not None
    assert {each["client"] for each in bursts.failure.history} == {0, 1}
    assert draw(bursts.failure.history)[0].startswith("client 1 ")


def test_the_parts_of_a_message_are_reported(project: Project) -> None:
    project.write(BROKEN)

    _, report = project.report("--storage=stub", "--storage-seed=1")

    failure = report.judgements[0].checks[0].failure
    assert failure is not None
    account = failure.account
    assert account is not None
    assert account.headline == failure.message.partition("\n")[0]
    assert account.sentence == "Raises Taken when somebody has it."
    assert len(account.happened) == 1
    assert account.happened[0].startswith("No order of these calls gives these outcomes")
    assert account.found in failure.message
    assert account.source.startswith("from asyncio import gather\n")
    assert failure.message.endswith(f"\n    {failure.replay}")


def test_a_saved_race_is_replayed_and_its_runs_are_told(project: Project) -> None:
    project.write(BROKEN)
    _, report = project.report("--storage=stub")
    failure = report.judgements[0].checks[0].failure
    assert failure is not None
    (command,) = [line for line in failure.message.splitlines() if "--storage-replay" in line]
    arguments = shlex.split(command.strip())[1:]

    again = project.run(*arguments)
    project.write(MENDED)
    mended = project.run(*arguments)

    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*100 of 100 runs failed*", "*: the program still fails"])
    mended.assert_outcomes(passed=1)
    mended.stdout.fnmatch_lines(["*: the program passes, in each of 100 runs"])


def test_a_race_that_is_pasted_fails_until_it_is_mended(project: Project) -> None:
    project.write(BROKEN)
    _, report = project.report("--storage=stub")
    failure = report.judgements[0].checks[0].failure
    assert failure is not None
    pasted = failure.message.partition("to paste:\n\n")[2].partition("\n\nThe program is saved")[0]
    project.pytester.makepyfile(
        test_pasted="\n".join(line[4:] for line in pasted.splitlines()).replace(
            "program():", "it():"
        )
    )

    broken = project.run(
        "--storage=stub", "test_toy.py", "test_pasted.py", "-k", "bursts or test_it"
    )
    project.write(MENDED)
    mended = project.run(
        "--storage=stub", "test_toy.py", "test_pasted.py", "-k", "bursts or test_it"
    )

    broken.assert_outcomes(failed=2, deselected=1)
    broken.stdout.fnmatch_lines(["*run 1 of 100:*", "*client 2 *"])
    mended.assert_outcomes(passed=2, deselected=1)


def test_what_no_burst_was_made_of_is_named(project: Project) -> None:
    project.write(MENDED)

    result, report = project.report("--storage=memory,stub", "--storage-seed=1")

    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        ["names on memory, stub: bursts left out is_open: no call was found that contends"]
    )
    assert report.judgements[0].checks[0].untried == ("is_open",)
    assert json.loads((project.path / "report.json").read_text())["judgements"]


def test_a_damaged_race_is_told(project: Project) -> None:
    project.write(BROKEN)
    _, report = project.report("--storage=stub")
    failure = report.judgements[0].checks[0].failure
    assert failure is not None
    assert failure.saved is not None
    path = project.path / failure.saved
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "branches": "damaged"}))

    result = project.run("--storage=stub", f"--storage-replay={path}")

    assert result.ret != 0
    result.stderr.fnmatch_lines(["*can't be replayed: it is damaged*"])
