"""Whoever counts round trips to a server, or breaks connections to it, goes through a `Wire`."""

from storeproof.harness.wire.framing import Framing, Message, RawBytes, Side
from storeproof.harness.wire.plans import Fault, Met, Of
from storeproof.harness.wire.postgres import Postgres
from storeproof.harness.wire.proxy import Wire
from storeproof.harness.wire.resp import Resp

__all__ = [
    "Fault",
    "Framing",
    "Message",
    "Met",
    "Of",
    "Postgres",
    "RawBytes",
    "Resp",
    "Side",
    "Wire",
]
