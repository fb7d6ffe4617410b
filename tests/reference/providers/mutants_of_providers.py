"""For the tests of the provider laws: what each law must not let pass."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

from msgspec.structs import replace

from storeproof.reference.lists import Order, take_page
from storeproof.reference.providers import Outcome, Provider, RateLimited
from storeproof.reference.providers.entities import canonical, check_room, make_stats

from ..breaking import Mutant
from ..laws_and_mutants import together
from .mutants import changing, clashing, deaf, dropped, edited, lax, racing, using

KEPT_LEASES = edited("            if (minute_of(each.at), each.provider) not in ended\n", "")


def ordering(key: Callable[[Order[Any], Any], tuple[Any, ...]]) -> Mutant:
    """The storage orders its lists by other keys, made of an order and an item."""

    class Wrong(Order[Any]):
        def sort_key(self, item: Any) -> tuple[Any, ...]:
            return key(Order(self.kind, self.parts), item)

    def take(order: Order[Any], *given: Any) -> Any:
        return take_page(Wrong(order.kind, order.parts), *given)

    return using(take_page=take)


def unlimited(order: Order[Any], items: Any, cursor: Any, limit: int) -> Any:
    return take_page(order, items, cursor, max(1, min(limit, 1000)))


def without_cursor(order: Order[Any], items: Any, _cursor: Any, limit: int) -> Any:
    return take_page(order, items, None, limit)


BY_LOWER_CASE = ordering(
    lambda order, item: tuple(str(part).lower() for part in order.sort_key(item))
)
LEASE_STORED_FIRST = edited(
    "        found, minute = self._provider(provider), minute_of(now)\n",
    "        self._leases[lease] = Lease(id=lease, provider=provider, tokens=tokens, at=now)\n"
    "        found, minute = self._provider(provider), minute_of(now)\n",
)
BY_ID = ("get_by_id", "delete", "cool_down", "end_cooling")
ANY_TIME = using(canonical_time=lambda _field, value: value)
EVERY_OUTCOME_OK = edited("(each.ok, bucket_of(", "(True, bucket_of(")


def limited(rpm: int = 0, tpm: int = 0) -> Mutant:
    """The limits are so much higher than they should be."""

    def check(provider: Any, limits: Any, used: Any, tokens: int) -> None:
        wider = (limits[0] and limits[0] + rpm, limits[1] and limits[1] + tpm)
        check_room(provider, wider, used, tokens)

    return using(check_room=check)


def refusing(change: Any) -> Mutant:
    """What is RateLimited is refused in another way."""

    def check(provider: Any, limits: Any, used: Any, tokens: int) -> None:
        try:
            check_room(provider, limits, used, tokens)
        except RateLimited as error:
            raise change(error, limits, used) from error

    return using(check_room=check)


def at_once(error: RateLimited, _limits: Any, used: Any) -> RateLimited:
    return RateLimited(error.provider, error.limit, used.minute)


def always_a_time(error: RateLimited, _limits: Any, used: Any) -> RateLimited:
    return RateLimited(error.provider, error.limit, error.retry_at or used.minute)


def requests_first(error: RateLimited, limits: Any, used: Any) -> RateLimited:
    full = limits[0] is not None and used.requests >= limits[0]
    return RateLimited(error.provider, "rpm" if full else error.limit, error.retry_at)


def tokens_first(error: RateLimited, limits: Any, used: Any) -> RateLimited:
    return RateLimited(error.provider, "tpm" if limits[1] else error.limit, error.retry_at)


def wrong_p95(*arguments: Any) -> Any:
    made = make_stats(*arguments)
    return replace(made, p95=made.p99)


def any_parameter(entity: Any) -> Any:
    """Looks for credentials before the host only."""
    if isinstance(entity, Provider) and "?" in str(entity.endpoint):
        return entity
    return canonical(entity)


def every_zone_is_utc(_field: str, value: Any) -> Any:
    return value.replace(tzinfo=UTC)


CONFIGURATION: dict[str, list[Mutant]] = {
    "PROV-001": [
        edited(
            "= provider\n        self._changed",
            "= replace(provider, version=1)\n        self._changed",
        ),
        changing(Provider, lambda made: {"prices": made.prices[:0]}),
    ],
    "PROV-002": [
        edited('raise NotFound("provider", id)', 'raise NotFound("Provider", id)'),
        dropped("self._provider(id)", "cool_down"),
    ],
    "PROV-003": [
        edited(
            "if provider.id in self._changes:",
            "if self._providers.get(provider.id, provider) != provider:",
        )
    ],
    "PROV-004": [
        edited("version=expected_version + 1", "version=provider.version + 1"),
        edited("version=expected_version + 1", "enabled=True, version=expected_version + 1"),
    ],
    "PROV-005": [edited(".version != expected_version", ".version < expected_version")],
    "PROV-006": [
        edited("del self._providers[id]", "self._providers[id] = self._providers.pop(id)"),
    ],
    "PROV-007": [edited("if provider.id in self._changes:", "if provider.id in self._providers:")],
    "PROV-008": [
        dropped("self._cooling.pop(id, None)", "delete"),
        edited("self._cooling.pop(id, None)", "self._cooling.clear()"),
        edited("if key[0] != id", "if key"),
        edited("if key[0] != id", "if not key"),
        edited("self._cooling.pop(id, None)", "self._cooling.pop(id, None); self._usage.clear()"),
    ],
    "PROV-009": [
        ordering(lambda _, item: (str(item.priority), item.id)),
        ordering(lambda _, item: (item.id,)),
        ordering(lambda _, item: (item.priority, item.id.lower())),
    ],
    "PROV-010": [
        edited("wanted.kind in (None, each.kind)", "True"),
        edited("wanted.model in each.models", "any(wanted.model in name for name in each.models)"),
        edited(
            "wanted.enabled in (None, each.enabled)",
            "wanted.enabled in (None, False, each.enabled)",
        ),
    ],
    "PROV-011": [
        dropped("self._changed(id)", "delete"),
        dropped("self._changed(provider.id)", "update"),
        edited("self._revision += 1", "self._revision += 2"),
    ],
    "PROV-012": [
        edited("each.revision > revision", "each.revision >= revision"),
        edited("change.revision)[:limit]", "change.revision)[-limit:]"),
    ],
    "PROV-013": [
        edited("self._provider(secret.provider)\n", "self._changed(secret.provider)\n"),
        edited(
            "        return self._cooling[id]",
            "        self._changed(id)\n        return self._cooling[id]",
        ),
    ],
    "PROV-014": [
        edited(
            "        return self._providers[provider.id]",
            f"        self.{each}.clear()\n        return self._providers[provider.id]",
        )
        for each in ("_secrets", "_cooling", "_usage")
    ],
}
SECRETS: dict[str, list[Mutant]] = {
    "PROV-015": [
        edited(
            "        self._secrets[secret.provider, secret.name] = secret\n"
            "        self._tell()\n        return secret",
            "        return self._secrets.setdefault((secret.provider, secret.name), secret)",
        )
    ],
    "PROV-016": [edited('NotFound("secret", name)', 'NotFound("secret", provider)')],
    "PROV-017": [dropped("self._provider(secret.provider)", "put_secret")],
    "PROV-018": [
        edited("stored.ciphertext not in (old, secret.ciphertext)", "stored.ciphertext != old"),
        edited(
            "= secret\n        self._tell()\n        return True",
            "= replace(secret, key=stored.key)\n        return True",
        ),
    ],
    "PROV-019": [edited("stored.ciphertext not in (old, secret.ciphertext)", "False")],
    "PROV-020": [
        edited("wanted.other_than != each.key", "wanted.other_than in (None, each.key)"),
        edited(
            "wanted.other_than != each.key", "str(wanted.other_than).lower() != each.key.lower()"
        ),
        edited("wanted.provider in (None, each.provider) and", ""),
        BY_LOWER_CASE,
    ],
    "PROV-021": [dropped('canonical_ciphertext("old", old)', "rotate_secret"), lax("ciphertext")],
}
USAGE: dict[str, list[Mutant]] = {
    "PROV-022": [
        edited("tokens=used.tokens + tokens", "tokens=tokens"),
        edited("tokens=tokens, at=now)", "tokens=tokens, at=minute)"),
    ],
    "PROV-023": [limited(rpm=1), limited(rpm=-1), refusing(at_once)],
    "PROV-024": [limited(tpm=1), limited(tpm=-1)],
    "PROV-025": [refusing(always_a_time), refusing(requests_first), refusing(tokens_first)],
    "PROV-026": [
        edited("if given is not None:\n            return given", "if False:\n            pass"),
        edited(
            "if given is not None:\n            return given",
            "if given is not None:\n            self._provider(provider)\n            return given",
        ),
    ],
    "PROV-027": [
        edited("(given.provider, given.tokens) != (provider, tokens)", "given.tokens != tokens"),
        edited(
            "(given.provider, given.tokens) != (provider, tokens)", "given.provider != provider"
        ),
    ],
    "PROV-028": [LEASE_STORED_FIRST],
    "PROV-029": [LEASE_STORED_FIRST],
    "PROV-030": [
        edited(
            "self._provider(provider), minute_of(now)",
            "self._provider(provider), max([minute_of(now), *(key[0] for key in self._usage)])",
        )
    ],
    "PROV-031": [ANY_TIME],
    "PROV-032": [edited("used.requests + 1", "used.requests + (found.rpm is not None)")],
    "PROV-033": [
        edited(
            "        check_room(",
            '        found.enabled or self._provider("")\n        check_room(',
        )
    ],
    "PROV-034": [
        edited("key[0] + MINUTE <= before", "key[0] + MINUTE < before"),
        edited("key[0] + MINUTE <= before", "key[0] < before"),
        edited("<= before)[:limit]", "<= before)[::-1][:limit]"),
    ],
    "PROV-035": [
        KEPT_LEASES,
        edited("(minute_of(each.at), each.provider) not in ended", "False"),
    ],
    "PROV-036": [
        edited(
            "if each.minute == minute",
            "if each.minute == minute and each.provider in self._providers",
        ),
        BY_LOWER_CASE,
    ],
}
OUTCOMES: dict[str, list[Mutant]] = {
    "PROV-037": [
        edited(
            "self._outcomes[outcome.id] = outcome",
            'self._outcomes[f"{outcome.id}{len(self._outcomes)}"] = outcome',
        )
    ],
    "PROV-038": [
        edited(
            "self._outcomes.get(outcome.id, outcome) != outcome",
            f"replace(self._outcomes.get(outcome.id, outcome), {each}=outcome.{each}) != outcome",
        )
        for each in ("provider", "at", "ok", "latency", "tokens", "cost")
    ],
    "PROV-039": [
        edited("outcome.provider not in self._changes", "outcome.provider not in self._providers"),
        edited("outcome.provider not in self._changes", "False"),
    ],
    "PROV-040": [
        EVERY_OUTCOME_OK,
        edited("each.provider == provider and start", "start"),
        using(nanos_of=lambda amount: round(float(amount)) * 10**9),
    ],
    "PROV-041": [
        edited("start <= each.at < end", "start <= each.at <= end"),
        edited("start <= each.at < end", "start < each.at < end"),
        edited("if end < start:", "if False:"),
    ],
    "PROV-042": [
        edited(
            "        if end < start:", "        self._provider(provider)\n        if end < start:"
        )
    ],
    "PROV-043": [EVERY_OUTCOME_OK, using(make_stats=wrong_p95)],
    "PROV-044": [using(bucket_of=lambda latency: latency)],
    "PROV-045": [
        edited("each.at < before)", "each.at <= before)"),
        edited("in old[:limit]:", "in old[::-1][:limit]:"),
        edited("in old[:limit]:", "in old:"),
    ],
    "PROV-046": [
        edited("max(until, self._cooling.get(id, until))", "until"),
        edited("max(until, self._cooling.get(id, until))", "self._cooling.get(id, until)"),
    ],
    "PROV-047": [edited("if until > now", "if until >= now")],
    "PROV-048": [BY_LOWER_CASE],
    "PROV-049": [changing(Outcome, lambda made: {"id": made.id.lower()})],
}
VALUES: dict[str, list[Mutant]] = {
    "PROV-050": [ANY_TIME],
    "PROV-051": [using(canonical_time=every_zone_is_utc)],
    "PROV-052": [lax("input"), lax("cost")],
    "PROV-053": [lax("prices"), changing(Provider, lambda made: {"prices": made.prices[::-1]})],
    "PROV-054": [lax("endpoint"), using(canonical=any_parameter)],
    "PROV-055": [
        *map(lax, ("weight", "priority", "rpm", "tpm", "version", "tokens", "latency")),
        dropped('canonical_tokens("tokens", tokens)', "acquire"),
        dropped('canonical_integer("revision", revision, 0, MAX_INTEGER)', "changes_since"),
        dropped('canonical_integer("expected_version", expected_version)', "update"),
    ],
    "PROV-056": [
        using(nanos_of=lambda amount: round(float(amount), 6) * 10**9),
        edited("used.tokens + tokens", "float(used.tokens + tokens)"),
    ],
    "PROV-057": [changing(Provider, lambda made: {"id": made.id.strip()})],
    "PROV-058": [
        *map(lax, ("kind", "models", "key")),
        dropped('canonical_id("lease", lease)', "acquire"),
        dropped('canonical_id("provider", provider)', "acquire"),
        dropped('canonical_id("provider", provider)', "stats"),
        dropped('canonical_name("name", name)', "get_secret"),
        *(dropped('canonical_id("id", id)', each) for each in BY_ID),
    ],
    "PROV-059": [
        using(take_page=unlimited),
        *(dropped("canonical_limit(limit)", each) for each in ("purge_usage", "purge_outcomes")),
        dropped("canonical_limit(limit)", "changes_since"),
        using(take_page=without_cursor),
    ],
    "PROV-060": [
        edited(
            '        until = canonical_time("until", until)\n        self._provider(id)\n',
            '        self._provider(id)\n        until = canonical_time("until", until)\n',
        ),
        edited(
            '        now = canonical_time("now", now)\n        given',
            "        self._provider(provider)\n"
            '        now = canonical_time("now", now)\n        given',
        ),
    ],
    "PROV-061": [
        edited(
            "self._providers[provider.id] = replace(provider, version=expected_version + 1)",
            'msgspec.structs.force_setattr(self._providers[provider.id], "kind", provider.kind)',
        )
    ],
    "PROV-062": [
        edited(
            "        check_room(",
            "        self._usage[minute, provider] = replace(used, tokens=0)\n        check_room(",
        ),
    ],
}
RACES: dict[str, list[Mutant]] = {
    "PROV-063": [deaf()],
    "PROV-064": [racing("acquire")],
    "PROV-065": [racing("acquire")],
    "PROV-066": [clashing("acquire")],
    "PROV-067": [clashing("record_outcome")],
    "PROV-068": [racing("update")],
    "PROV-069": [racing("create")],
    "PROV-070": [racing("create")],
    "PROV-071": [racing("cool_down")],
    "PROV-072": [racing("rotate_secret")],
    "PROV-073": [racing("delete", "put_secret")],
    "PROV-074": [KEPT_LEASES],
}
MUTANTS = together(CONFIGURATION, SECRETS, USAGE, OUTCOMES, VALUES, RACES)
