"""The suite makes a check of every law here, so that laws and checks run the same way."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from storeproof.harness.backends.base import Capability, Store
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.exceptions import CheckFailed, ContractError, HarnessError
from storeproof.harness.frames import without_our_frames
from storeproof.harness.law import Law

__all__ = ["LawCheck", "law_check"]

_LAW_SECONDS = 120.0
"""After so long a law that waits has failed."""


class LawCheck(Check):
    """Runs one law's test on a fresh storage."""

    law: Law
    needs: frozenset[Capability]

    def run(self, context: CheckContext) -> None:
        try:
            context.run(self._test(context.store))
        except HarnessError:
            raise
        except CheckFailed as error:
            raise CheckFailed(self._failed(context, error.message), error.program) from None
        except (Exception, asyncio.CancelledError, pytest.fail.Exception) as error:
            raise CheckFailed(self._failed(context, _traceback(error))) from None

    async def _test(self, store: Store) -> None:
        arguments = {"storage": await store.fresh()}
        if "second" in inspect.signature(self.law.test).parameters:
            arguments["second"] = await store.second()
        async with asyncio.timeout(_LAW_SECONDS):
            await self.law.test(**arguments)

    def _failed(self, context: CheckContext, text: str) -> str:
        return f"{self.id} ({self.level}) on {context.backend.name}: {self.sentence}\n\n{text}"


def law_check(contract: str, law: Law, *, in_stage: Stage = Stage.LAWS) -> LawCheck:
    """Make a check of a law; one that takes `second` needs concurrent clients.

    Raises ContractError where its test takes anything but `storage` and `second`.
    """
    parameters = set(inspect.signature(law.test).parameters)
    if not {"storage"} <= parameters <= {"storage", "second"}:
        raise ContractError(
            contract,
            f"the test of {law.id} takes ({', '.join(sorted(parameters))})",
            "It takes `storage` and, if it needs another handle on the same data, `second`",
        )
    clients = {Capability.CONCURRENT_CLIENTS} if "second" in parameters else set()
    members: dict[str, Any] = {
        "id": law.id,
        "stage": in_stage,
        "sentence": law.sentence,
        "level": law.level,
        "law": law,
        "needs": law.needs | clients,
        "since": law.since,
    }
    made: LawCheck = type("LawCheck", (LawCheck,), members)()
    return made


def _traceback(error: BaseException) -> str:
    excinfo = pytest.ExceptionInfo.from_exception(error)
    says_nothing = isinstance(error, AssertionError) and not error.args
    shown = excinfo.getrepr(style="long", showlocals=says_nothing, tbfilter=without_our_frames)
    return str(shown).rstrip()
