"""`Contract` asks here which parameters mean the same things, where no type says so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin
from uuid import UUID

from storeproof.harness.operations import Operation
from storeproof.harness.structure import bare_hint, field_hints

__all__ = ["inferred_refs"]

_TEXTS = (str, UUID)
_NUMBERS = (int, bytes)
_IDENTIFYING = re.compile(r"(^|_)(id|key)$")


def inferred_refs(operations: Collection[Operation], entities: Iterable[type]) -> Mapping[str, str]:
    """Give, by parameter name, the "Entity.field" or the other parameters that it goes with.

    A text, a UUID, or a number called `id` or `key`, is taken for a reference when an entity has
    the field that it names (`id`, or `task_id` for Task.id), or when two operations take it by the
    same name. `keys`, a collection, goes with `key`. That only makes programs meet values again: a
    wrong guess costs nothing but a few fresh values.
    """
    hints = {each.name: bare_hint(each.hint) for x in operations for each in x.parameters}
    counts = Counter(each.name for x in operations for each in x.parameters)
    fields = list(_fields(entities))
    refs: dict[str, str] = {}
    for name, hint in hints.items():
        if _may_refer(name, hint):
            field = _field_for(name, hint, fields)
            if field is not None:
                refs[name] = field
            elif counts[name] > 1:
                refs[name] = name
    return refs | {
        name: refs[name[:-1]]
        for name, hint in hints.items()
        if name[:-1] in refs and get_origin(hint) and hints[name[:-1]] in get_args(hint)
    }


def _may_refer(name: str, hint: Any) -> bool:
    return hint in _TEXTS or (hint in _NUMBERS and _IDENTIFYING.search(name) is not None)


def _fields(entities: Iterable[type]) -> Iterable[tuple[str, str, Any]]:
    for cls in entities:
        try:
            hints = field_hints(cls)
        except (NameError, TypeError, AttributeError):
            continue
        for field, hint in hints.items():
            if bare_hint(hint) in (*_TEXTS, *_NUMBERS):
                yield cls.__name__, field, bare_hint(hint)


def _field_for(name: str, hint: Any, fields: Sequence[tuple[str, str, Any]]) -> str | None:
    """Give the one field that the name says in full; else the one that is called so."""
    alike = [(cls, field) for cls, field, type_of_field in fields if type_of_field == hint]
    full = {f"{cls}.{field}" for cls, field in alike if name == f"{_snake(cls)}_{field}"}
    plain = {f"{cls}.{field}" for cls, field in alike if name == field}
    for found in (full, plain if _IDENTIFYING.search(name) else set()):
        if len(found) == 1:
            return found.pop()
    return None


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
