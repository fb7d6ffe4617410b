"""Backends come from entry points and from the hook, and are chosen by name."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from storeproof.harness.backends import registry
from storeproof.harness.backends.directory import DirectoryBackend
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.backends.registry import choose, registered_backends
from storeproof.harness.exceptions import BackendUnavailable, UnknownBackend

HERE = __name__


class Disk(MemoryBackend):
    name = "disk"


def make_disk() -> DirectoryBackend:
    return DirectoryBackend("disk")


def make_nothing() -> None: ...


def fail() -> None:
    raise RuntimeError("no licence")


def give_points(monkeypatch: pytest.MonkeyPatch, *values: tuple[str, str]) -> None:
    points = [EntryPoint(name, value, registry.GROUP) for name, value in values]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


def names(chosen: list[Any]) -> list[str]:
    return [backend.name for backend in chosen]


def test_the_projects_own_are_registered() -> None:
    assert {"memory", "postgres", "sqlite"} <= set(registered_backends())


@pytest.mark.parametrize(("value", "kind"), [("Disk", Disk), ("make_disk", DirectoryBackend)])
def test_an_entry_point_is_a_class_or_a_callable(
    monkeypatch: pytest.MonkeyPatch, value: str, kind: type
) -> None:
    give_points(monkeypatch, ("disk", f"{HERE}:{value}"))
    assert type(registered_backends()["disk"]) is kind


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("no_such_module:Disk", "ModuleNotFoundError"),
        (f"{HERE}:NoSuchClass", "AttributeError"),
        (f"{HERE}:fail", "RuntimeError: no licence"),
        (f"{HERE}:make_nothing", "gives a NoneType, not a Backend"),
        (f"{HERE}:MemoryBackend", "calls itself 'memory'"),
    ],
)
def test_a_broken_entry_point_matters_only_when_it_is_chosen(
    monkeypatch: pytest.MonkeyPatch, value: str, what: str
) -> None:
    give_points(monkeypatch, ("disk", value), ("memory", f"{HERE}:MemoryBackend"))
    known = registered_backends()
    assert names(choose("memory", known)) == ["memory"]
    for chosen in ("disk", "memory,disk", "all"):
        with pytest.raises(BackendUnavailable, match=f"disk is not available: .*{what}"):
            choose(chosen, known)


def test_the_hook_wins_over_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    give_points(monkeypatch, ("disk", "no_such_module:Disk"))
    hooked = Disk()
    assert choose("disk", registered_backends([hooked])) == [hooked]


def test_one_name_from_two_hooks_is_refused() -> None:
    with pytest.raises(BackendUnavailable, match=r"Disk and .*DirectoryBackend, both from hooks"):
        registered_backends([Disk(), make_disk()])


def test_one_name_from_two_entry_points_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    give_points(monkeypatch, ("disk", f"{HERE}:Disk"), ("disk", f"{HERE}:make_disk"))
    with pytest.raises(BackendUnavailable, match=r"entry points .*:Disk and .*:make_disk"):
        registered_backends()


def test_one_entry_point_that_is_found_twice_is_one_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    give_points(monkeypatch, ("disk", f"{HERE}:Disk"), ("disk", f"{HERE}:Disk"))
    assert names(choose("all", registered_backends())) == ["disk"]


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("memory", ["memory"]),
        ("b, a", ["b", "a"]),
        ("a,b,a,", ["a", "b"]),
        ("all", ["a", "b", "memory"]),
        ("b,all", ["b", "a", "memory"]),
    ],
)
def test_names_are_chosen_in_their_order_without_repetition(asked: str, chosen: list[str]) -> None:
    known = {name: DirectoryBackend(name) for name in ("a", "b", "memory")}
    assert names(choose(asked, known)) == chosen


@pytest.mark.parametrize(("asked", "named"), [("memory,redis", "redis"), ("", ""), (" , ", " , ")])
def test_an_unknown_name_lists_the_known_ones(asked: str, named: str) -> None:
    with pytest.raises(UnknownBackend, match=f"'{named}'; known: disk, memory"):
        choose(asked, {"memory": MemoryBackend(), "disk": Disk()})
