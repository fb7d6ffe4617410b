"""Authors of a store behind a TCP server subclass `NetworkedStore`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from storeproof.harness.backends.addresses import url_at
from storeproof.harness.backends.base import Counter, HandleStore, Opener
from storeproof.harness.exceptions import HarnessError
from storeproof.harness.wire import Wire

__all__ = ["NetworkedStore", "RoundTrips"]


class RoundTrips(Counter):
    """The round trips of all connections through a wire."""

    unit = "round trip"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    @property
    def total(self) -> int:
        return self._wire.trips

    def units(self) -> Mapping[str, int]:
        return {self.unit: self.total, "byte": self._wire.bytes}


class NetworkedStore(HandleStore):
    """A place on a server; its address is a URL with the server's host and port.

    A subclass says what `framing` the server's protocol has, and how the place is emptied and
    removed. Where the address is no such URL it gives the `endpoint`, and writes `address_at`.
    """

    def __init__(
        self, opener: Opener, address: str, endpoint: tuple[str, int] | None = None
    ) -> None:
        super().__init__(opener, address, endpoint or _endpoint(address))

    def address_at(self, host: str, port: int) -> str:
        return url_at(self.address, host, port)

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[Counter]:
        address = self.address
        assert self.endpoint is not None  # it was given, or read from the address
        with Wire(*self.endpoint, self.framing) as wire:
            self.address = self.address_at(wire.host, wire.port)
            try:
                await self._close_others()
                yield RoundTrips(wire)
            finally:
                await self._close_handles()
                self.address = address


def _endpoint(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    if not parts.hostname or not parts.port:
        raise HarnessError(
            "the address of a NetworkedStore has no host and port. Put both into the URL, or "
            "give the endpoint beside it"
        )
    return parts.hostname, parts.port
