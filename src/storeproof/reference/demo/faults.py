"""For the demonstration only: what goes wrong in a year, and what is decided about it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Final

import msgspec

from storeproof.reference.demo.times import instants
from storeproof.reference.errors.entities import EventId, Level, Status
from storeproof.reference.errors.grouping import Frame

__all__ = ["FAULTS", "Decision", "Failure", "Fault", "decisions", "failures"]

REGIONS: Final = ("eu-central", "us-east", "ap-south")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A defect. It shows from `begin` to `end`, parts of the year, with a share of all failures.

    `again`: it comes back then. `peak`: most of it happens about then. `decided`: when a
    decision about its group falls.
    """

    kind: str
    message: str
    service: str
    function: str
    share: int
    level: Level = Level.ERROR
    begin: float = 0.0
    end: float = 1.0
    again: float = 2.0
    peak: float | None = None
    decided: float | None = None
    status: Status = Status.RESOLVED


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One occurrence of a fault."""

    id: EventId
    at: datetime
    fault: Fault
    message: str
    tags: dict[str, str]

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The calls that led there."""
        service = self.fault.service
        return (
            Frame(module=f"{service}.app", function="handle"),
            Frame(module=f"{service}.work", function=self.fault.function),
        )


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a fault's group, and when."""

    at: datetime
    fault: Fault
    status: Status


FAULTS: Final[tuple[Fault, ...]] = (
    Fault(kind="TimeoutError", message="no answer from the model after {n} ms", service="gateway",
          function="forward", share=30),
    Fault(kind="RateLimitError", message="provider refused request {n}: too many tokens",
          service="gateway", function="forward", share=22, level=Level.WARNING),
    Fault(kind="ConnectionResetError", message="connection {n} was reset by the peer",
          service="gateway", function="connect", share=12, peak=0.62),
    Fault(kind="KeyError", message="'price' of order {n}", service="shop", function="total",
          share=14, begin=0.30, end=0.46, again=0.88, decided=0.47),
    Fault(kind="ValueError", message="invalid postal code in address {n}", service="shop",
          function="ship", share=9, begin=0.10, end=0.52, decided=0.54),
    Fault(kind="UnicodeDecodeError", message="invalid byte at position {n}", service="ingest",
          function="read_line", share=7, begin=0.55, end=0.71, decided=0.72),
    Fault(kind="MemoryError", message="batch of {n} rows", service="ingest", function="load",
          share=3, level=Level.FATAL, peak=0.4, decided=0.8),
    Fault(kind="PermissionError", message="user {n} may not read this folder", service="files",
          function="open_folder", share=8, level=Level.WARNING, decided=0.35,
          status=Status.IGNORED),
    Fault(kind="DeadlockDetected", message="process {n} waits for a lock", service="billing",
          function="close_month", share=4, begin=0.2, peak=0.93),
    Fault(kind="InvoiceMismatch", message="invoice {n} differs from its charges",
          service="billing", function="reconcile", share=5, begin=0.75),
    Fault(kind="TemplateError", message="no variable 'greeting' in mail {n}", service="mail",
          function="render", share=6, begin=0.91),
    Fault(kind="CertificateExpired", message="certificate of host {n} has expired",
          service="mail", function="send", share=3, level=Level.FATAL, begin=0.84, end=0.845,
          decided=0.85),
    Fault(kind="SlowQuery", message="report took {n} ms", service="billing", function="report",
          share=16, level=Level.INFO),
    Fault(kind="CacheMiss", message="nothing under key {n}", service="shop", function="lookup",
          share=12, level=Level.DEBUG, begin=0.15),
)  # fmt: skip


def failures(random: Random, now: datetime, days: int, count: int) -> list[Failure]:
    """So many failures of the days before `now`, in order."""
    total, left, made = sum(each.share for each in FAULTS), count, list[Failure]()
    for number, fault in enumerate(FAULTS):
        share = left if fault is FAULTS[-1] else count * fault.share // total
        left -= share
        times = instants(random, now, days, share, partial(_much, fault))
        made.extend(_occurrences(random, fault, times, now - timedelta(days=days), number))
    return sorted(made, key=lambda each: (each.at, each.id))


def decisions(now: datetime, days: int) -> list[Decision]:
    """What was decided about the groups in these days, in order."""
    made = [
        Decision(at=now - (1 - each.decided) * timedelta(days=days), fault=each, status=each.status)
        for each in FAULTS
        if each.decided is not None
    ]
    return sorted(made, key=lambda each: each.at)


def _much(fault: Fault, when: float) -> float:
    if not (fault.begin <= when < fault.end or when >= fault.again):
        return 0.0
    if fault.peak is None:
        return 0.5 + when
    return 8.0 if abs(when - fault.peak) < 0.01 else 0.3


def _occurrences(
    random: Random, fault: Fault, times: list[datetime], first: datetime, number: int
) -> Iterator[Failure]:
    for place, at in enumerate(times):
        month = (at - first).days // 30 + 1
        yield Failure(
            id=EventId(f"demo-{number}-{place}"),
            at=at,
            fault=fault,
            message=fault.message.format(n=random.randrange(1000, 100_000)),
            tags={
                "region": random.choice(REGIONS),
                "release": f"1.{month}",
                "service": fault.service,
            },
        )
