"""The suite collects its checks from here; authors of contracts never need to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storeproof.harness.checks.base import Check

__all__ = ["all_checks", "move_checks"]


def all_checks() -> tuple[Check, ...]:
    """Give every check of a storage by itself, in the order of the stages."""
    from storeproof.harness.checks.agreement import AgreementCheck
    from storeproof.harness.checks.bursts import BurstsCheck
    from storeproof.harness.checks.cancellation import CancellationCheck
    from storeproof.harness.checks.capabilities import CapabilitiesCheck
    from storeproof.harness.checks.faults import FaultsCheck
    from storeproof.harness.checks.isolation import IsolationCheck
    from storeproof.harness.checks.kill import KillCheck
    from storeproof.harness.checks.linearizability import LinearizabilityCheck
    from storeproof.harness.checks.loop_blocking import LoopBlockingCheck
    from storeproof.harness.checks.pages import PagesCheck
    from storeproof.harness.checks.reopen import ReopenCheck
    from storeproof.harness.checks.signature import SignatureCheck
    from storeproof.harness.checks.statements import StatementsCheck

    return (
        SignatureCheck(),
        CapabilitiesCheck(),
        AgreementCheck(),
        IsolationCheck(),
        PagesCheck(),
        LoopBlockingCheck(),
        BurstsCheck(),
        LinearizabilityCheck(),
        CancellationCheck(),
        FaultsCheck(),
        ReopenCheck(),
        KillCheck(),
        StatementsCheck(),
    )


def move_checks() -> tuple[Check, ...]:
    """Give the checks of moving content from storage to storage, in the order of the stages."""
    from storeproof.harness.checks.move_crash import MoveCrashCheck
    from storeproof.harness.checks.move_interference import MoveInterferenceCheck
    from storeproof.harness.checks.planted_faults import PlantedFaultsCheck
    from storeproof.harness.checks.roundtrip import RoundTripCheck

    return (
        RoundTripCheck(),
        PlantedFaultsCheck(),
        MoveInterferenceCheck(),
        MoveCrashCheck(),
    )
