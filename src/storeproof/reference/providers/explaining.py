"""For operators: why a provider would be tried first, second, or not at all, for a request."""

import msgspec

from storeproof.reference.providers.entities import MINUTE, ProviderId, minute_of
from storeproof.reference.providers.selection import (
    Candidate,
    Request,
    Snapshot,
    Strategy,
    has_room,
    measure,
    rank,
)

__all__ = ["Explanation", "explain"]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider stands for a request: 1 is tried first, None is not tried.

    `reasons` say why, in words; of one that is tried, what the strategy compares.
    """

    provider: ProviderId
    place: int | None
    reasons: tuple[str, ...]


def explain(snapshot: Snapshot, request: Request, strategy: Strategy) -> tuple[Explanation, ...]:
    """Every candidate, those that would be tried first, in their order; then the others, by id."""
    order = [each.id for each in rank(snapshot, request, strategy)]
    made = [_explain(each, snapshot, request, strategy, order) for each in snapshot.candidates]
    return tuple(sorted(made, key=lambda each: (each.place or len(made) + 1, each.provider)))


def _explain(
    candidate: Candidate,
    snapshot: Snapshot,
    request: Request,
    strategy: Strategy,
    order: list[ProviderId],
) -> Explanation:
    provider = candidate.provider
    if provider.id in order:
        place = order.index(provider.id) + 1
        reasons: tuple[str, ...] = (f"{strategy.value}: {measure(candidate, request, strategy)}",)
        return Explanation(provider=provider.id, place=place, reasons=reasons)
    return Explanation(
        provider=provider.id, place=None, reasons=_obstacles(candidate, snapshot, request)
    )


def _obstacles(candidate: Candidate, snapshot: Snapshot, request: Request) -> tuple[str, ...]:
    provider, until = candidate.provider, candidate.cooling_until
    free = minute_of(snapshot.now) + MINUTE
    too_many = provider.tpm is not None and request.tokens > provider.tpm
    cooling = until is not None and until > snapshot.now
    found = {
        "it is disabled": not provider.enabled,
        f"it does not have the model {request.model}": request.model not in provider.models,
        f"it never takes {request.tokens} tokens in a minute": too_many,
        f"it cools until {until}": cooling,
        f"its limits of this minute are used up; they are free at {free}": not too_many
        and not has_room(candidate, request),
    }
    return tuple(text for text, holds in found.items() if holds)
