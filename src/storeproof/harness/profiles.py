"""Whoever wants to know what `--storage-profile` means reads it here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from storeproof.harness.checks.base import Profile

__all__ = ["PROFILES"]

PROFILES: Final[Mapping[str, Profile]] = {
    "light": Profile(
        "light",
        programs=30,
        steps=20,
        pair_tries=5,
        rival_tries=8,
        histories=20,
        often=2,
        messages=1,
        reopenings=2,
        kills=6,
        killed_programs=1,
    ),
    "quick": Profile("quick", programs=100, steps=20, bursts=1, histories=60),
    "full": Profile(
        "full",
        programs=400,
        steps=40,
        drawn=1,
        bursts=4,
        histories=400,
        cancellations=3,
        faults=1,
        reopenings=30,
        kills=300,
        killed_programs=20,
        server_kills=5,
        moves=30,
        move_crashes=200,
    ),
    "soak": Profile(
        "soak",
        programs=3000,
        steps=60,
        drawn=2,
        bursts=20,
        histories=3000,
        cancellations=10,
        faults=3,
        reopenings=200,
        kills=3000,
        killed_programs=200,
        server_kills=20,
        moves=200,
        move_crashes=10_000,
    ),
}
