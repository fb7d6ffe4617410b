"""The check of faults finds what storages do wrong when they lose their server, nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from storeproof import Capability, Contract
from storeproof.harness import faulting
from storeproof.harness.backends.base import Store
from storeproof.harness.checks.base import CheckContext, Profile
from storeproof.harness.checks.faults import FaultsCheck
from storeproof.harness.exceptions import CheckFailed, Inconclusive
from storeproof.harness.pasted import PastedDisconnecting
from storeproof.harness.program import Program

from .toys import context, executed, failure, printed_test
from .vaults import InMemoryVault, vault
from .wired import (
    CORRECT,
    LOSING,
    OPENING,
    BlocksForEver,
    InMemoryCounter,
    KeepsTheDeadConnection,
    MovesByHalves,
    OpensAtOnce,
    OpensByHalves,
    OpensOnce,
    VaultServer,
    WiredCounter,
    WiredStore,
    WiredVault,
    wired_counter,
    wired_vault,
)

QUICK = Profile("quick", programs=20, steps=20)
FULL = Profile("full", programs=20, steps=20, faults=1)
NETWORKED = (Capability.CONCURRENT_CLIENTS, Capability.NETWORKED)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    OpensOnce.refused.clear()
    yield
    while OpensByHalves.made:
        OpensByHalves.made.pop().close()


@pytest.fixture
def server() -> Iterator[VaultServer]:
    made = VaultServer()
    yield made
    made.close()


@pytest.fixture
def counting_server() -> Iterator[VaultServer]:
    made = VaultServer(InMemoryCounter)
    yield made
    made.close()


@contextmanager
def given(
    store: Store,
    runner: asyncio.Runner,
    contract: Contract = wired_vault,
    *,
    capabilities: tuple[Capability, ...] = NETWORKED,
    profile: Profile = FULL,
    **options: Any,
) -> Iterator[CheckContext]:
    try:
        yield context(
            contract, store, runner, profile=profile, capabilities=capabilities, **options
        )
    finally:
        runner.run(store.close())


def failed_on(
    make: Any, server: VaultServer, runner: asyncio.Runner, *contracts: Contract, **options: Any
) -> CheckFailed | None:
    with given(WiredStore(make, server), runner, *contracts, **options) as made:
        return failure(FaultsCheck(), made)


TOLD = {
    "SaysItWasDone": "No order of these calls",
    "SaysNothingHappened": "No order of these calls",
    "LeaksTheDriversError": "which is none of the contract's errors",
    "MakesItAgain": "No order of these calls",
    "KeepsTheDeadConnection": "on the same handle, 3 attempts later",
    "WaitsForEver": "every call has to end within 1 (",
    "MovesByHalves": "No order of these calls",
}


@pytest.mark.parametrize("make", LOSING, ids=lambda each: each.__name__)
def test_what_a_storage_does_wrong_is_found_and_its_program_is_short(
    make: type[WiredVault], server: VaultServer, runner: asyncio.Runner
) -> None:
    failed = failed_on(make, server, runner)

    assert failed is not None
    assert TOLD[make.__name__] in failed.message
    assert "The last call's connection was " in failed.message
    assert failed.program is not None
    assert len(failed.program.steps) <= 4, failed.message


OPENED = {
    "OpensAndLeaks": "none of the contract's errors",
    "OpensForEver": "every call has to end within 1 (",
    "OpensByHalves": "1 connection stays open, which nobody can close any more.",
    "OpensOnce": "opened anew, 3 attempts later, it raised Unavailable",
}


@pytest.mark.parametrize("profile", [QUICK, FULL], ids=lambda each: each.name)
@pytest.mark.parametrize("make", OPENING, ids=lambda each: each.__name__)
def test_what_a_storage_does_wrong_while_it_is_opened_is_found(
    make: type[WiredVault], profile: Profile, server: VaultServer, runner: asyncio.Runner
) -> None:
    failed = failed_on(make, server, runner, profile=profile)

    assert failed is not None
    assert OPENED[make.__name__] in failed.message, failed.message
    assert "While a storage was opened, its connection was " in failed.message
    assert failed.program is not None
    assert len(failed.program.steps) <= 2, failed.message


@pytest.mark.parametrize("make", LOSING, ids=lambda each: each.__name__)
def test_little_is_tried_and_finds_it_too(
    make: type[WiredVault], server: VaultServer, runner: asyncio.Runner
) -> None:
    assert any(
        failed_on(make, server, runner, profile=QUICK, seed=seed) is not None for seed in range(4)
    )


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("make", [*CORRECT, OpensAtOnce])
def test_what_is_correct_is_never_accused(
    make: Any, seed: int, server: VaultServer, runner: asyncio.Runner
) -> None:
    with given(WiredStore(make, server), runner, seed=seed) as made:
        FaultsCheck().run(made)

    assert made.tally.untried == ()
    assert made.tally.programs == len(wired_vault.operations)


def test_the_failure_says_where_it_was_broken_and_what_came_of_it(
    server: VaultServer, runner: asyncio.Runner
) -> None:
    failed = failed_on(KeepsTheDeadConnection, server, runner)
    assert failed is not None

    assert "faults is broken in Vault." in failed.message
    assert "connection was cut (FIN) at message 1 of 2 (" in failed.message
    assert "bytes, from the client); the call raised " in failed.message


@pytest.mark.parametrize("make", [MovesByHalves, KeepsTheDeadConnection, OpensByHalves])
def test_the_printed_test_passes_on_what_is_correct_and_fails_on_the_mutant(
    make: type[WiredVault],
    server: VaultServer,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = failed_on(make, server, runner)
    assert failed is not None
    source = printed_test(failed)

    for kind, expected in ((WiredVault, type(None)), (make, AssertionError)):
        store = WiredStore(kind, server)
        raised = run_printed(source, store, monkeypatch, runner)
        runner.run(store.close())
        assert isinstance(raised, expected), source


def run_printed(
    source: str, store: Store, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner
) -> BaseException | None:
    def breaking(self: Contract, program: Any, *, backend: str, shared: bool = False) -> None:
        assert backend == "toy"
        runner.run(PastedDisconnecting(self, program, shared=shared).run(store))

    monkeypatch.setattr(Contract, "disconnect", breaking)
    return executed(source)


def test_the_saved_program_is_replayed(server: VaultServer, runner: asyncio.Runner) -> None:
    failed = failed_on(MovesByHalves, server, runner)
    assert failed is not None
    assert failed.program is not None
    again = Program.from_json(wired_vault, json.loads(json.dumps(failed.program.to_json())))

    assert failed_on(MovesByHalves, server, runner, profile=QUICK, replay=again) is not None
    assert failed_on(WiredVault, server, runner, profile=QUICK, replay=again) is None


def test_one_handle_is_enough_where_there_is_no_second(
    server: VaultServer, runner: asyncio.Runner
) -> None:
    alone = (Capability.NETWORKED,)
    assert failed_on(WiredVault, server, runner, capabilities=alone) is None
    failed = failed_on(KeepsTheDeadConnection, server, runner, capabilities=alone)
    assert failed is not None
    assert "shared=True" in failed.message


def test_storages_that_block_the_event_loop_are_tried_as_well(
    counting_server: VaultServer, runner: asyncio.Runner
) -> None:
    assert failed_on(WiredCounter, counting_server, runner, wired_counter) is None
    failed = failed_on(BlocksForEver, counting_server, runner, wired_counter)
    assert failed is not None
    assert "every call has to end within 1 (" in failed.message


def inconclusive(store: Store, runner: asyncio.Runner, *contracts: Contract) -> str:
    with given(store, runner, *contracts) as made, pytest.raises(Inconclusive) as caught:
        FaultsCheck().run(made)
    return str(caught.value)


def test_a_store_that_does_not_say_how_it_is_reached_shows_nothing(
    server: VaultServer, runner: asyncio.Runner
) -> None:
    class Silent(WiredStore):
        def address_at(self, host: str, port: int) -> None:  # type: ignore[override]  # says nothing
            return None

    told = inconclusive(Silent(WiredVault, server), runner)
    assert told.startswith(
        "faults shows nothing: nothing says how Silent is reached through a proxy"
    )
    assert "address_at(host, port)" in told


def test_a_store_without_an_endpoint_shows_nothing(
    server: VaultServer, runner: asyncio.Runner
) -> None:
    store = WiredStore(WiredVault, server)
    store.endpoint = None
    assert "the store has no endpoint" in inconclusive(store, runner)


def test_an_address_that_leads_past_the_proxy_shows_nothing(
    server: VaultServer, runner: asyncio.Runner
) -> None:
    class Past(WiredStore):
        def address_at(self, host: str, port: int) -> str:
            return self.address

    told = inconclusive(Past(WiredVault, server), runner)
    assert "no call of vault passed the proxy" in told


def test_a_contract_that_names_no_such_errors_shows_nothing(
    server: VaultServer, runner: asyncio.Runner
) -> None:
    assert "Contract(unavailable=[…])" in inconclusive(
        WiredStore(WiredVault, server), runner, vault
    )


def test_a_proxy_that_can_t_listen_shows_nothing(
    server: VaultServer, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wire = faulting.Wire
        monkeypatch.setattr(faulting, "Wire", lambda *given: wire(*given, listening=port))
        told = inconclusive(WiredStore(WiredVault, server), runner)
    assert f"the proxy can't listen on 127.0.0.1:{port}" in told


def test_an_endpoint_that_can_t_be_reached_shows_nothing(
    server: VaultServer, runner: asyncio.Runner
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nobody = unused.getsockname()
    store = WiredStore(WiredVault, server)
    store.endpoint = nobody
    assert "fail" in inconclusive(store, runner)


class Forgetful(InMemoryVault):
    async def list_boxes(self) -> list[Any]:
        return []


def test_operations_that_send_nothing_are_told_as_not_tried(
    server: VaultServer, runner: asyncio.Runner
) -> None:
    class Remembers(WiredVault):
        async def list_boxes(self) -> list[Any]:
            return []

    contract = Contract(
        wired_vault.protocol,
        model=Forgetful,
        uncertain=wired_vault.uncertain,
        unavailable=wired_vault.unavailable,
        arguments=wired_vault.arguments,
    )
    with given(WiredStore(Remembers, server), runner, contract) as made:
        FaultsCheck().run(made)
    assert made.tally.untried == ("list_boxes",)
