"""Checks that need another process have it do something through `Apart`.

A process of its own, the launcher, imports the contract; it has no event loop, no threads and no
connections, and forks a client process for each `Job`.
"""

from __future__ import annotations

from storeproof.harness.apart.jobs import Job, Part, Told
from storeproof.harness.apart.launching import Apart

__all__ = ["Apart", "Job", "Part", "Told"]
